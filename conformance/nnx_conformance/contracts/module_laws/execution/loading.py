"""Loading a subject: what a target or a Python object stands for, tried out before it is judged.

What does not fit together here is the fault of whoever wrote the subject down, and reported as such; no law is broken
by it.
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

#: Sizes that a layer's constructor may ask for, and what they are taken for.
SIZES = ("in_features", "out_features", "num_features", "features", "in_size", "out_size", "size", "dim")
WIDTH, ROWS = 4, 3
MODULE = "a module, or a `Subject` that says how to make one"


@dataclass(frozen=True)
class Unfit:
    """A subject that loads on one device, and not on several: why not, and where it comes from."""

    reason: str
    where: str = ""


def load(
    target: Target, entry: str, parameters: tuple[str, ...], devices: int = 1
) -> tuple[Harness | Unfit, Loaded] | NotLoaded:
    """Import a target and try its subject out.

    Args:
        target: what the user named.
        entry: the name of the subject in a file where the target names none.
        parameters: of no use here; a subject is no function of a case's arguments.
        devices: how many there are, if more than one. That it does not load there breaks no law, which compares calls.
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
    """The subject that a Python object is: a Subject, a dict with its fields, or a class of modules."""
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
                if wrong := with_empties(lambda: _try_out(harness), lambda array: _noted(harness, array)):
                    return wrong
            check_declared(harness)
            if devices > 1:
                _even(harness)
        harness.warnings = harness.warned(caught)  # some are given once only
    except Misuse as error:
        return NotLoaded(True, f"Subject {name!r}: {error}")
    return harness, Loaded(name, source.file, "", ())


def _noted(harness: Harness, array: Any) -> Any:
    """What `empty` gave, unchanged."""
    harness.unwritten = True
    return array


def _of_class(cls: Any) -> Subject:
    """The subject that a plain class stands for, where its constructor and its call can be guessed.

    Raises:
        Misuse: where they cannot; it shows the Subject to write.
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
    """Why the module itself cannot be made or called; None if it can.

    Raises:
        Misuse: if the inputs do not fit, or it draws randomness that it does not declare.
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
            if number >= harness.pool.given:  # what the kit made of an input need not fit
                harness.pool = harness.pool.as_given()
                break
            raise Misuse(_refusal(harness, harness.pool.text(number), error)) from error
    numbers = range(len(harness.pool.inputs))
    if not harness.subject.declares("draws_randomness") and any(draws(harness, number) for number in numbers):
        remedy = "Declare it: `traits={'draws_randomness': True}`."
        raise Misuse(f"Expected a call that draws no randomness, as no trait declares it, but it draws some. {remedy}")
    return None


def _even(harness: Harness) -> None:
    """Give it batches that two devices can share, if it takes them."""
    given, harness.pool = harness.pool, harness.pool.evened()
    try:
        for number in range(len(harness.pool.inputs)):
            harness.call(harness.make(0), number)
    except Exception:  # noqa: BLE001 - its state may be of the size of its batch
        harness.pool = given


def _refusal(harness: Harness, given: str, error: Exception) -> str:
    """The message about a first call that raised: inputs that do not fit, or the module's own code."""
    innermost = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    words = ("shape", "dimension")
    about_inputs = isinstance(error, TypeError) or any(word in str(error).lower() for word in words)
    if harness.source.owns(innermost) and not about_inputs:
        remedy = "The module's own code raises that: fix the call, or let `inputs` give what it takes."
        return f"Expected a call that returns but on input {given} it raised {_text(harness, error)}. {remedy}"
    remedy = _needs_mesh(harness, error) or (
        "Let `inputs` give what a call takes: a tuple stands for several arguments."
    )
    return f"Expected inputs that fit but a call on input {given} raised {_text(harness, error)}. {remedy}"


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
    """The fix, if Flax or JAX looked for a mesh that the subject does not declare; else empty."""
    asked = "mesh" in str(error) and isinstance(error, (ValueError, RuntimeError))
    return "Declare the axes that it names, such as `mesh={'data': 2}`." if asked and not harness.subject.mesh else ""


def _text(harness: Harness, error: BaseException) -> str:
    raised = harness.source.raised(error)
    return f"{raised.type}: {raised.message}{f' ({raised.line})' if raised.line else ''}"


def draws(harness: Harness, number: int) -> bool:
    """Whether a call gives something else when nothing but the keys of random streams is changed.

    That is a second call: a first one may draw what it makes lazily, such as weights, and none after it anything.
    """
    modules = _module(harness, 0), _module(harness, 1)
    try:
        for module in modules:
            harness.call(module, number)
        if not any(leaf.rng and leaf.array is not None for leaf in state(modules[0])):
            return False
        transplant(*modules, keys=False)
        outputs = [tree(harness.call(module, number)) for module in modules]
    except Exception:  # noqa: BLE001 - their structures differ, or a second call raises, which a law reports
        return False
    contents = [[leaf.array.tobytes() for leaf in leaves if leaf.array is not None] for leaves in outputs]
    return contents[0] != contents[1]
