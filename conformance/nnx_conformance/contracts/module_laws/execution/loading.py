"""Loads a subject from a target or a Python object, and calls it once before it is judged.

If make, inputs and traits do not fit together, the subject is wrong and not the module: that is misuse, no finding.
"""

from __future__ import annotations

import inspect
import sys
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.execution.first_call_errors import explained, whole_tracebacks
from nnx_conformance.contracts.module_laws.execution.fitting import fitted
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.pool import pool_of
from nnx_conformance.contracts.module_laws.execution.reference import check_declared
from nnx_conformance.contracts.module_laws.execution.runners.empty_arrays import with_empties
from nnx_conformance.contracts.module_laws.execution.snapshots import state, transplant, tree
from nnx_conformance.contracts.module_laws.execution.subject_context import subject_context
from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded
from nnx_conformance.core.candidate.subject import Subject, as_subject, written
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.errors import Misuse, expected, suggestion
from nnx_conformance.observe.flax_versions import NODE
from nnx_conformance.observe.load import Refused, import_file, import_module, module_source
from nnx_conformance.observe.source import Source, of_file, of_module, of_object

#: Parameters of a layer's constructor that we fill with `WIDTH`, and the rows of its inputs.
SIZES = ("in_features", "out_features", "num_features", "features", "in_size", "out_size", "size", "dim")
WIDTH, ROWS = 4, 3
MODULE = "a module, or a `Subject` that says how to make one"


@dataclass(frozen=True)
class Unfit:
    """Why a subject that loads on one device does not load on several, and its import path."""

    reason: str
    where: str = ""


def load(
    target: Target, entry: str, parameters: tuple[str, ...], devices: int = 1
) -> tuple[Harness | Unfit, Loaded] | NotLoaded:
    """The subject of a target, imported and called once.

    Args:
        target: as the user named it.
        entry: the name of the subject, if the target names none.
        parameters: unused; a subject is no function of a case's arguments.
        devices: the number of devices. Failing to load on several violates no law: those laws compare calls.
    """
    loaded = _imported(target, entry, devices)
    if devices > 1 and isinstance(loaded, NotLoaded):
        return Unfit(f"on {devices} devices, {loaded.reason}"), Loaded(target.text, target.path or "", "", ())
    return loaded


def _imported(target: Target, entry: str, devices: int) -> tuple[Harness, Loaded] | NotLoaded:
    source = of_file(target) if target.path else None
    name = target.name or entry
    try:
        module = import_file(target.path) if target.path else import_module(target.module)
        source = source or of_module(module, target)
        if name not in vars(module):
            public = [other for other, value in vars(module).items() if not other.startswith("_") and _fits(value)]
            raise Refused(f"{target.text} holds no subject {name!r}. {suggestion(name, public)}")
    except Refused as error:
        return NotLoaded(True, str(error), error.cause)
    except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything, SystemExit too
        raised = (source or module_source(target.module)).raised(error)
        reason = f"importing it raised {raised.type}: {raised.message}"
        return NotLoaded(False, reason, "the file fails before there is a subject", raised)
    where = f"{target.path}::{name}" if target.path else f"{target.module}:{target.name}"
    return _tried(vars(module)[name], target.text, source, where, devices)


def adopt(
    value: Any, name: str, parameters: tuple[str, ...], packages: tuple[str, ...] = ()
) -> tuple[Harness, Loaded] | NotLoaded:
    """The subject of a Python object: a Subject, a dict with its fields, or a class of modules."""
    return _tried(value, name, of_object(_file(written(value)), packages), "")


def _file(make: Any) -> str:
    code = getattr(inspect.unwrap(make), "__code__", None) if callable(make) else None
    if code is not None:
        return str(code.co_filename)
    return getattr(sys.modules.get(getattr(make, "__module__", "")), "__file__", None) or "<unknown>"


def _fits(value: Any) -> bool:
    if inspect.isclass(value):
        return issubclass(value, NODE) and not value.__module__.startswith("flax.")
    return isinstance(value, Subject) or (isinstance(value, Mapping) and "make" in value)


def _tried(value: Any, name: str, source: Source, where: str, devices: int = 1) -> tuple[Harness, Loaded] | NotLoaded:
    try:
        subject = _of_class(value) if inspect.isclass(value) else as_subject(value)
        harness = Harness(subject, pool_of(subject), source, where)
        with warnings.catch_warnings(record=True) as caught, subject_context(subject):
            warnings.simplefilter("always")
            with whole_tracebacks():
                if wrong := with_empties(lambda: _try_out(harness), lambda array: _takes_empty(harness, array)):
                    return wrong
            harness.pool = fitted(harness)
            check_declared(harness)
            if devices > 1:
                _even(harness)
        harness.warnings = harness.warned(caught)  # Python shows some only once, so keep them
    except Misuse as error:
        return NotLoaded(True, f"Subject {name!r}: {error}")
    return harness, Loaded(name, source.file, "", ())


def _takes_empty(harness: Harness, array: Any) -> Any:
    """The array of `empty`, unchanged; notes that the subject takes one."""
    harness.takes_empty = True
    return array


def _of_class(cls: Any) -> Subject:
    """The subject of a plain class whose constructor and call take arguments that we can guess.

    Raises:
        Misuse: if we cannot; it shows the Subject to write.
    """
    wanted = [name for name in _required(cls.__init__)[1:] if name != "rngs"]
    sizes = dict.fromkeys(wanted, WIDTH) if set(wanted) <= set(SIZES) else None
    call = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    if not issubclass(cls, NODE) or sizes is None or call is None or len(_required(call)) != 2:
        shape = f"Subject(make=lambda rngs: {cls.__name__}(..., rngs=rngs), inputs=..., traits={{}})"
        raise expected(MODULE, "subject", cls, f"Its arguments cannot be guessed: write `subject = {shape}`.")
    rows = [np.linspace(low, high, ROWS * WIDTH, dtype=np.float32) for low, high in ((-1, 1), (0, 2), (-3, 2))]
    takes_rngs = "rngs" in inspect.signature(cls.__init__).parameters

    def make(rngs: nnx.Rngs) -> Any:
        return cls(**sizes, rngs=rngs) if takes_rngs else cls(**sizes)

    return Subject(make, [row.reshape(ROWS, WIDTH) for row in rows], name=cls.__name__)


def _required(function: Any) -> list[str]:
    empty, kinds = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is empty and parameter.kind not in kinds]


def _try_out(harness: Harness) -> NotLoaded | None:
    """The finding, if making or calling the module raises an error of NNX state; otherwise None.

    Raises:
        Misuse: if the inputs do not fit, or the module draws randomness that the subject does not declare.
    """
    numbers = range(len(harness.pool.inputs))
    for number in numbers:
        try:
            module = _module(harness, 0)
        except Misuse as error:
            cause = error.__cause__
            wrong = explained(harness.source, cause, "`make(nnx.Rngs(0))`") if cause else None
            if wrong is None:
                raise
            return wrong
        try:
            harness.call(module, number)
        except Exception as error:
            if wrong := explained(harness.source, error, "its first call", module):
                return wrong
            if number >= harness.pool.declared:  # our own variation of an input need not fit
                harness.pool = harness.pool.without_ours()
                break
            raise Misuse(_refusal(harness, harness.pool.text(number), error)) from error
    numbers = range(len(harness.pool.inputs))
    if not harness.subject.declares("draws_randomness") and any(draws(harness, number) for number in numbers):
        remedy = "Declare it: `traits={'draws_randomness': True}`."
        raise Misuse(f"Expected a call that draws no randomness, as no trait declares it, but it draws some. {remedy}")
    return None


def _even(harness: Harness) -> None:
    """Use batches that two devices can split, if the module accepts them."""
    before, harness.pool = harness.pool, harness.pool.evened()
    try:
        for number in range(len(harness.pool.inputs)):
            harness.call(harness.make(0), number)
    except Exception:  # noqa: BLE001 - its state may have the size of its batch
        harness.pool = before


def _refusal(harness: Harness, text: str, error: Exception) -> str:
    """The message about a first call that raised: the inputs do not fit, or the module's own code fails."""
    innermost = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    words = ("shape", "dimension")
    about_inputs = isinstance(error, TypeError) or any(word in str(error).lower() for word in words)
    if harness.source.owns(innermost) and not about_inputs:
        remedy = "The module's own code raises that: fix the call, or let `inputs` give what it takes."
        return f"Expected a call that returns but on input {text} it raised {_text(harness, error)}. {remedy}"
    remedy = _needs_mesh(harness, error) or (
        "Let `inputs` give what a call takes: a tuple stands for several arguments."
    )
    return f"Expected inputs that fit but a call on input {text} raised {_text(harness, error)}. {remedy}"


def _module(harness: Harness, seed: int) -> Any:
    remedy = "Let `make(rngs)` make a new module at every call."
    try:
        module = harness.make(seed)
    except Exception as error:
        raised = _text(harness, error)
        remedy = _needs_mesh(harness, error) or remedy
        raise Misuse(f"Expected a module from make(nnx.Rngs({seed})) but it raised {raised}. {remedy}") from error
    if not isinstance(module, NODE):
        raise expected("an nnx.Module", f"make(nnx.Rngs({seed}))", module, remedy)
    return module


def _needs_mesh(harness: Harness, error: Exception) -> str:
    """The remedy, if Flax or JAX needs a mesh that the subject does not declare; otherwise empty."""
    needs_mesh = "mesh" in str(error) and isinstance(error, (ValueError, RuntimeError))
    return (
        "Declare the axes that it names, such as `mesh={'data': 2}`." if needs_mesh and not harness.subject.mesh else ""
    )


def _text(harness: Harness, error: BaseException) -> str:
    raised = harness.source.raised(error)
    return f"{raised.type}: {raised.message}{f' ({raised.line})' if raised.line else ''}"


def draws(harness: Harness, number: int) -> bool:
    """Whether a second call returns something else if only the keys of random streams differ.

    A second call, because a first one may draw weights that it creates lazily.
    """
    modules = _module(harness, 0), _module(harness, 1)
    try:
        for module in modules:
            harness.call(module, number)
        if not any(leaf.rng and leaf.array is not None for leaf in state(modules[0])):
            return False
        transplant(*modules, keys=False)
        outputs = [tree(harness.call(module, number)) for module in modules]
    except Exception:  # noqa: BLE001 - their structures differ, or a second call raises; a law reports that
        return False
    contents = [[leaf.array.tobytes() for leaf in leaves if leaf.array is not None] for leaves in outputs]
    return contents[0] != contents[1]
