"""Loading a subject: what a target or a Python object stands for, tried out before it is judged.

What does not fit together here is the fault of whoever wrote the subject down, and told as
such; no law is broken by it.
"""

from __future__ import annotations

import inspect
import sys
import traceback
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import nnx

from nnx_conformance.errors import Misuse, expected, suggestion
from nnx_conformance.flax_versions import NODE
from nnx_conformance.laws.bench import Bench
from nnx_conformance.laws.measuring import warned
from nnx_conformance.laws.pool import pool
from nnx_conformance.laws.snapshots import state, tree
from nnx_conformance.laws.transplants import transplant
from nnx_conformance.load import Refused, import_file, import_module, module_source
from nnx_conformance.loaded import Loaded, NotLoaded
from nnx_conformance.source import Source
from nnx_conformance.subject import Subject, as_subject, written
from nnx_conformance.target import Target

#: Sizes that a layer's constructor may ask for, and what they are taken for.
SIZES = ("in_features", "out_features", "num_features", "features", "in_size", "out_size", "size", "dim")
WIDTH, ROWS = 4, 3
MODULE = "a module, or a `Subject` that says how to make one"


def load(target: Target, entry: str, parameters: tuple[str, ...]) -> tuple[Bench, Loaded] | NotLoaded:
    """Import a target and try its subject out.

    Args:
        target: what the user named.
        entry: the name of the subject in a file where the target names none.
        parameters: of no use here; a subject is no function of a case's arguments.
    """
    source = Source(target.path) if target.path else None
    try:
        module = import_file(target.path) if target.path else import_module(target.module)
        source = source or Source(getattr(module, "__file__", None) or "<module>")
        found = _find(vars(module), target.name or entry, target.text)
    except Refused as error:
        return NotLoaded(True, str(error))
    except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything, SystemExit too
        raised = (source or module_source(target.module)).raised(error)
        reason = f"importing it raised {raised.type}: {raised.message}"
        return NotLoaded(False, reason, "the file fails before there is a subject", raised)
    where = f"{target.path}::{target.name or entry}" if target.path else f"{target.module}:{target.name}"
    return _tried(found, target.text, source, where)


def adopt(value: Any, name: str, parameters: tuple[str, ...]) -> tuple[Bench, Loaded] | NotLoaded:
    """The subject that a Python object is: a Subject, a dict with its fields, or a class of modules."""
    return _tried(value, name, Source(_file(written(value))), "")


def _file(made: Any) -> str:
    code = getattr(inspect.unwrap(made), "__code__", None) if callable(made) else None
    if code is not None:
        return str(code.co_filename)
    return getattr(sys.modules.get(getattr(made, "__module__", "")), "__file__", None) or "<unknown>"


def _find(names: Mapping[str, Any], name: str, text: str) -> Any:
    if name in names:
        return names[name]
    public = [one for one, value in names.items() if not one.startswith("_") and _is_subject(value)]
    raise Refused(f"{text} holds no subject {name!r}. {suggestion(name, public)}")


def _is_subject(value: Any) -> bool:
    if inspect.isclass(value):
        return issubclass(value, NODE) and not value.__module__.startswith("flax.")
    return isinstance(value, Subject) or (isinstance(value, Mapping) and "make" in value)


def _tried(value: Any, name: str, source: Source, where: str) -> tuple[Bench, Loaded] | NotLoaded:
    try:
        subject = _of_class(value) if inspect.isclass(value) else as_subject(value)
        inputs = pool(subject.inputs)
        bench = Bench(subject, inputs, source, where)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _try_out(bench)
        bench.warnings = warned(caught, source)  # some are given once only
    except Misuse as error:
        return NotLoaded(True, f"Subject {name!r}: {error}")
    return bench, Loaded(name, source.file, "", ())


def _of_class(cls: Any) -> Subject:
    """The subject that a plain class stands for, where its constructor and its call can be guessed.

    Raises:
        Misuse: where they cannot; it shows the Subject to write.
    """
    sizes = _guessed(cls)
    call = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    if not issubclass(cls, NODE) or sizes is None or call is None or len(_required(call)) != 2:
        shape = f"Subject(make=lambda rngs: {cls.__name__}(..., rngs=rngs), inputs=..., traits={{}})"
        raise expected(MODULE, "subject", cls, f"Its arguments cannot be guessed: write `subject = {shape}`.")
    rows = [np.linspace(low, high, ROWS * WIDTH, dtype=np.float32) for low, high in ((-1, 1), (0, 2), (-3, 2))]
    takes_rngs = "rngs" in inspect.signature(cls.__init__).parameters

    def make(rngs: nnx.Rngs) -> Any:
        return cls(**sizes, rngs=rngs) if takes_rngs else cls(**sizes)

    return Subject(make, [row.reshape(ROWS, WIDTH) for row in rows], name=cls.__name__)


def _guessed(cls: Any) -> dict[str, int] | None:
    wanted = [name for name in _required(cls.__init__)[1:] if name != "rngs"]
    return {name: WIDTH for name in wanted} if set(wanted) <= set(SIZES) else None


def _required(function: Any) -> list[str]:
    empty, kinds = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is empty and one.kind not in kinds]


def _try_out(bench: Bench) -> None:
    """Raise `Misuse` if the subject cannot be made or called, or draws randomness that it does not declare."""
    for number in range(len(bench.pool.inputs)):
        module = _made(bench, 0)
        try:
            bench.subject.call(module, *bench.pool.held(number))
        except Exception as error:
            if number >= bench.pool.given:  # what the kit made of an input need not be one
                bench.pool = bench.pool.as_given()
                break
            raise Misuse(_refused(bench, bench.pool.text(number), error)) from error
    if not bench.subject.declares("draws_randomness") and _draws(bench):
        mend = "Declare it: `traits={'draws_randomness': True}`."
        raise Misuse(f"Expected a call that draws no randomness, as no trait declares it, but it draws some. {mend}")


def _refused(bench: Bench, given: str, error: Exception) -> str:
    """What is told of a first call that raised: inputs that do not fit, or the module's own code."""
    said = _said(bench, error)
    if bench.source.owns(_innermost(error)) and not _about_inputs(error):
        mend = "The module's own code raises that: mend the call, or let `inputs` give what it takes."
        return f"Expected a call that returns but on input {given} it raised {said}. {mend}"
    mend = "Let `inputs` give what a call takes: a tuple stands for several arguments."
    return f"Expected inputs that fit but a call on input {given} raised {said}. {mend}"


def _about_inputs(error: Exception) -> bool:
    """Whether an exception is one of those that arguments raise which do not fit."""
    return isinstance(error, TypeError) or any(word in str(error).lower() for word in ("shape", "dimension"))


def _innermost(error: Exception) -> str:
    """The file of the line that raised."""
    return [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)][-1]


def _made(bench: Bench, seed: int) -> Any:
    mend = "Let `make(rngs)` make a new module at every call."
    try:
        module = bench.subject.make(nnx.Rngs(seed))
    except Exception as error:
        raise Misuse(
            f"Expected a module from make(nnx.Rngs({seed})) but it raised {_said(bench, error)}. {mend}"
        ) from error
    if not isinstance(module, NODE):
        raise expected("an nnx.Module", f"make(nnx.Rngs({seed}))", module, mend)
    return module


def _said(bench: Bench, error: BaseException) -> str:
    raised = bench.source.raised(error)
    place = f" ({raised.line})" if raised.line else ""
    return f"{raised.type}: {raised.message}{place}"


def _draws(bench: Bench) -> bool:
    """Whether a call gives something else when nothing but the keys of random streams is changed.

    That is a second call: a first one may draw what it makes lazily, such as weights, and none after it anything.
    """
    return any(_draws_on(bench, number) for number in range(len(bench.pool.inputs)))


def _draws_on(bench: Bench, number: int) -> bool:
    module, other = _made(bench, 0), _made(bench, 1)
    try:
        for one in (module, other):
            bench.call(one, number)
        if not any(leaf.rng and leaf.array is not None for leaf in state(module)):
            return False
        transplant(module, other, keys=False)
        outputs = [tree(bench.call(one, number)) for one in (module, other)]
    except Exception:  # noqa: BLE001 - their structures differ, or a second call raises, which a law is there to tell
        return False
    return _contents(outputs[0]) != _contents(outputs[1])


def _contents(leaves: Any) -> list[bytes]:
    return [leaf.array.tobytes() for leaf in leaves if leaf.array is not None]
