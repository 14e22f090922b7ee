"""A subject of the module laws: how a stateful module is made and called, as data. Importing this imports no JAX."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from nnx_conformance.core.errors import Misuse, expected, suggestion

#: Traits that are declared True (or False), and what each says.
CAPABILITIES = {
    "draws_randomness": "a call draws from a random stream or key",
    "has_eval_mode": "`module.eval()` makes calls deterministic and stops updates",
    "grows": "calls add state on purpose",
    "rewrites_param": "a call rewrites a Param on purpose",
    "discards_updates": "a call drops what it writes into copies of the module on purpose, as for a look-ahead",
    "mixes_rows": "a row of the output depends on other rows of the batch on purpose, in eval mode too",
    "stops_gradient": "the gradient of a Param is another than the derivative on purpose",
    "per_shard_state": "under `nnx.shard_map` each shard of the batch has a state of its own on purpose",
    "per_lane_state": "state may be split over the lanes of `nnx.vmap` (the default); False where it may not",
}
#: Traits that are numbers: how far arithmetic may differ between plain Python and a transform.
#: They go for integers, too; random streams stay exact.
TOLERANCES = ("rtol", "atol")
#: A trait that is a dict, with the names of dtypes, and what each of its words is about.
DTYPES = "dtypes"
PARTS = {
    "params": "every floating Param",
    "compute": "every matrix product and convolution",
    "output": "every floating output",
}
TRAITS = (*CAPABILITIES, *TOLERANCES, DTYPES)
#: A mesh has so many devices.
DEVICES = 2
#: The floating dtypes that JAX computes with.
FLOATS = ("float64", "float32", "bfloat16", "float16")


def plainly(module: Any, *arguments: Any, **named: Any) -> Any:
    """How a module is called unless its subject says otherwise."""
    return module(*arguments, **named)


@dataclass(frozen=True, eq=False)
class Subject:
    """A stateful module to be judged by the module laws.

    A dict with these keys is accepted in its place, so that a package can describe its modules without importing the
    kit: `{"make": ..., "inputs": ..., "traits": ...}`.

    Attributes:
        make: makes a module from an `nnx.Rngs` of its own, `lambda rngs: nnx.BatchNorm(4, rngs=rngs)`.
        inputs: what a call is given: a Hypothesis strategy, or a list of examples. A tuple stands for several
            arguments, anything else for one; arrays in it may be NumPy's or JAX's. A few are drawn, once.
        traits: what the module declares: the words of `TRAITS`. What is left out counts as not declared.
        call: how it is called, `call(module, *arguments)`; `module(*arguments)` by default.
        keywords: the names of the last arguments of each input, which a call gets by keyword.
        calls: in place of `inputs`, the methods that are called in turn, by name: each a dict with `inputs`, and if
            need be `keywords`, or the `method` where that has another name.
        horizon: how many calls its state must count or sum without stalling or overflowing in its dtype.
        reference: what gives the right outputs: a function of a call's arguments that holds no state, or another
            subject, whose `make` may make any Python object; None for none.
        reference_state: by the path of a Variable in the module, that of an attribute of the reference. Both start
            with what the module's holds, and must stay the same.
        mesh: the axes of the mesh that it needs, with their sizes on two devices, `{"data": 2, "model": 1}`; the batch
            is split over the first. Where there is one device, each axis has size 1.
        context: makes a context manager in which the module is made and called, such as
            `lambda: jax.default_matmul_precision("float32")`; None for none.
        variables: how many Variables of each type the module has once it was called, `{"Param": 2, "BatchStat": 2}`;
            a type that is left out is not counted.
        trainable: a type of Variable, or a tuple of types, that an optimiser is to train as it does `nnx.Param`.
        name: what reports call it.
    """

    make: Callable[[Any], Any]
    inputs: Any = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] = plainly
    keywords: Sequence[str] = ()
    calls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    horizon: int = 10_000
    trainable: type | tuple[type, ...] = ()
    reference: Any = None
    reference_state: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, int] = field(default_factory=dict)
    mesh: Mapping[str, int] = field(default_factory=dict)
    context: Callable[[], AbstractContextManager[Any]] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.make):
            fix = "Pass a function, such as `lambda rngs: nnx.BatchNorm(4, rngs=rngs)`."
            raise expected("a function that makes a module from an nnx.Rngs", "make", self.make, fix)
        if not callable(self.call):
            raise expected("a function", "call", self.call, "Leave it out for `module(*arguments)`.")
        _check_keywords("keywords", self.keywords)
        _check_calls(self)
        if type(self.horizon) is not int or self.horizon < 1:
            raise expected("a whole number >= 1", "horizon", self.horizon, "Leave it out for 10000.")
        if not all(isinstance(kind, type) for kind in self.trained):
            fix = "Pass the type itself, `trainable=MyParameter`."
            raise expected("a type of Variable, or a tuple of them", "trainable", self.trainable, fix)
        _check_reference(self.reference, self.reference_state)
        _check_variables(self.variables)
        _check_mesh(self.mesh)
        if self.context is not None and not callable(self.context):
            fix = "Write `context=lambda: jax.default_matmul_precision('float32')`, or leave it out."
            raise expected("a function that makes a context manager", "context", self.context, fix)
        if not isinstance(self.traits, Mapping):
            raise expected("a dict of traits", "traits", self.traits, "Write `{'has_eval_mode': True}`.")
        for trait, value in self.traits.items():
            _check_trait(trait, value)

    def invoke(self, module: Any, *arguments: Any) -> Any:
        """Call a module on the arguments of an input; where it has several `calls`, the first is the name of one."""
        if not self.calls:
            given, named = _by_keyword(self.keywords, arguments)
            return self.call(module, *given, **named)
        name, *rest = arguments
        call = self.calls[name]
        given, named = _by_keyword(call.get("keywords", ()), tuple(rest))
        return getattr(module, call.get("method", name))(*given, **named)

    @property
    def plain(self) -> bool:
        """Whether a call is `module(*arguments)`."""
        return self.call is plainly and not self.keywords and not self.calls

    @property
    def trained(self) -> tuple[type, ...]:
        """The types that count as Params besides `nnx.Param`."""
        return self.trainable if isinstance(self.trainable, tuple) else (self.trainable,)

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtypes that it declares, by name."""
        return {part: dtype_name(dtype) for part, dtype in self.traits.get(DTYPES, {}).items()}

    def declares(self, trait: str) -> bool:
        """Whether a capability is declared."""
        return bool(self.traits.get(trait, trait == "per_lane_state"))


#: A program names so many inputs, see `module_laws.program.language`.
MOST_CALLS = 4
OF_A_CALL = ("inputs", "keywords", "method")


def _by_keyword(keywords: Sequence[str], arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments by position, and the last ones by their names."""
    first = len(arguments) - len(keywords)
    return arguments[:first], dict(zip(keywords, arguments[first:], strict=True))


def _check_keywords(name: str, keywords: Any) -> None:
    fits = isinstance(keywords, (tuple, list)) and all(
        isinstance(word, str) and word.isidentifier() for word in keywords
    )
    if not fits:
        raise expected("names of arguments", name, keywords, "Write `('deterministic',)`.")


def _check_calls(subject: Subject) -> None:
    calls, shape = subject.calls, "`calls={'prefill': {'inputs': [...]}, 'decode': {'inputs': [...]}}`"
    if not isinstance(calls, Mapping) or not all(isinstance(call, Mapping) for call in calls.values()):
        raise expected("a dict of calls", "calls", calls, f"Write {shape}.")
    if len(calls) > MOST_CALLS:
        raise expected(
            f"{MOST_CALLS} calls at most", "calls", list(calls), "Write a subject for each group of methods."
        )
    if calls and (subject.inputs is not None or subject.call is not plainly or subject.keywords):
        fix = "Give each of `calls` its own `inputs` and `keywords`, and leave `inputs`, `call` and `keywords` out."
        raise expected("calls alone", "calls", list(calls), fix)
    if not calls and subject.inputs is None:
        raise Misuse(f"Expected a subject with inputs but got none. Add `inputs=[...]`, or {shape}.")
    for name, call in calls.items():
        for key in call:
            if key not in OF_A_CALL:
                raise expected("a field of a call", f"calls[{name!r}]", key, suggestion(str(key), OF_A_CALL))
        if "inputs" not in call:
            raise Misuse(f"Expected inputs of the call {name!r} but got none. Add `'inputs': [...]`.")
        _check_keywords(f"calls[{name!r}]['keywords']", call.get("keywords", ()))


def _check_reference(reference: Any, state: Any) -> None:
    if not (reference is None or callable(reference) or isinstance(reference, (Subject, Mapping))):
        fix = "Pass a function of a call's arguments, or a Subject."
        raise expected("a function or a Subject", "reference", reference, fix)
    paths = [*state, *state.values()] if isinstance(state, Mapping) else [state]
    if not all(isinstance(path, str) for path in paths):
        fix = "Write `{'path.of.a.variable': 'attribute'}`."
        raise expected("a dict from paths to paths", "reference_state", state, fix)
    if state and not isinstance(reference, (Subject, Mapping)):
        fix = "Pass a Subject as `reference`: a function holds no state."
        raise expected("no reference_state without a reference that holds state", "reference_state", state, fix)


def _check_variables(variables: Any) -> None:
    fix = "Write `{'Param': 2, 'BatchStat': 2}`."
    if not isinstance(variables, Mapping):
        raise expected("a dict from types of Variables to numbers", "variables", variables, fix)
    for kind, count in variables.items():
        if not isinstance(kind, str):
            raise expected("the name of a type of Variable", "variables", kind, fix)
        if type(count) is not int or count < 0:
            raise expected("a whole number >= 0", f"variables[{kind!r}]", count, fix)


def _check_mesh(mesh: Any) -> None:
    fix = "Write `{'data': 2}`, and 1 for the sizes of further axes."
    if not isinstance(mesh, Mapping) or not all(isinstance(axis, str) and axis.isidentifier() for axis in mesh):
        raise expected("a dict from the names of axes to their sizes", "mesh", mesh, fix)
    if not all(type(size) is int and size > 0 for size in mesh.values()):
        raise expected("a mesh whose sizes are whole numbers >= 1", "mesh", dict(mesh), fix)
    if mesh and math.prod(mesh.values()) != DEVICES:
        raise expected(f"a mesh of the {DEVICES} devices that we judge on", "mesh", dict(mesh), fix)


def _check_dtypes(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise expected("a dict", f"traits[{DTYPES!r}]", value, "Write `{'params': 'float32', 'output': 'bfloat16'}`.")
    for part, dtype in value.items():
        if part not in PARTS:
            raise expected(f"one of {', '.join(PARTS)}", f"traits[{DTYPES!r}]", part, suggestion(str(part), PARTS))
        if dtype_name(dtype) not in FLOATS:
            fix = f"It says the dtype of {PARTS[part]}: write one of {', '.join(FLOATS)}."
            raise expected("a floating dtype", f"traits[{DTYPES!r}][{part!r}]", dtype, fix)


def dtype_name(dtype: Any) -> str:
    """The name of a dtype: of NumPy's, JAX's, or a name already."""
    named = dtype if isinstance(dtype, type) else getattr(dtype, "dtype", dtype)
    return named if isinstance(named, str) else str(getattr(named, "name", getattr(named, "__name__", named)))


def _check_trait(trait: Any, value: Any) -> None:
    if trait not in TRAITS:
        raise expected("a trait of a module", "traits", trait, suggestion(str(trait), TRAITS))
    if trait == DTYPES:
        _check_dtypes(value)
    if trait in CAPABILITIES and type(value) is not bool:
        raise expected("True or False", f"traits[{trait!r}]", value, f"It says whether {CAPABILITIES[trait]}.")
    if trait in TOLERANCES and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9):
        raise expected("a number >= 0", f"traits[{trait!r}]", value, "Leave it out for what the dtypes ask for.")


def as_subject(value: Any) -> Subject:
    """The subject that a value is: itself, or a mapping with its fields.

    Raises:
        Misuse: if it is neither, or a field does not fit.
    """
    if isinstance(value, Subject):
        return value
    if not isinstance(value, Mapping):
        fix = "Write `Subject(make=lambda rngs: ..., inputs=..., traits={})`, or a dict with these keys."
        raise expected("a Subject", "subject", value, fix)
    known = [field.name for field in dataclasses.fields(Subject)]
    for key in value:
        if key not in known:
            raise expected("a field of a Subject", "subject", key, suggestion(str(key), known))
    for key in ("make", "inputs"):
        if key not in value and not (key == "inputs" and "calls" in value):
            raise Misuse(f"Expected a subject with {key!r} but got the keys {sorted(value)}. Add `{key!r}: ...`.")
    return Subject(**value)


def is_candidate(value: Any) -> bool:
    """Whether a Python object may be a candidate of some contract: a function or a class, or a subject as data."""
    return callable(value) or isinstance(value, (Subject, Mapping))


def written(value: Any) -> Any:
    """What of a Python object has a name and a file: of a subject, the function that makes its module."""
    if isinstance(value, Mapping):
        return value.get("make", value)
    return value.make if isinstance(value, Subject) else value


def object_name(value: Any) -> str:
    """What reports call a Python object: a subject's own name, or that of the function that makes its module."""
    given = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", "")
    named = given if isinstance(value, (Mapping, Subject)) else ""
    function = written(value)
    return str(named or getattr(function, "__qualname__", type(function).__name__))
