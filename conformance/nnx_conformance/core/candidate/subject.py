"""Subjects of the module laws: how to make and call a stateful module, as data. Importing this imports no JAX."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from nnx_conformance.core.errors import Misuse, expected, suggestion

#: The boolean traits, and what each declares.
CAPABILITIES = {
    "draws_randomness": "a call draws from a random stream or key",
    "has_eval_mode": "`module.eval()` makes calls deterministic and stops updates",
    "grows": "calls add state on purpose",
    "rewrites_param": "a call rewrites a Param on purpose",
    "discards_updates": "a call drops what it writes into copies of the module on purpose, as for a look-ahead",
    "mixes_rows": "a row of the output depends on other rows of the batch on purpose, in eval mode too",
    "stops_gradient": "the gradient of a Param differs from the derivative on purpose",
    "per_shard_state": "under `nnx.shard_map` each shard of the batch has a state of its own on purpose",
    "per_lane_state": "state may be split over the lanes of `nnx.vmap` (the default); False where it may not",
}
#: The numeric traits: how far results may differ between plain Python and a transform. They apply to integers, too;
#: random streams must stay exact.
TOLERANCES = ("rtol", "atol")
#: The trait that is a dict of dtypes by name, and what each of its keys applies to.
DTYPES = "dtypes"
PARTS = {
    "params": "every floating Param",
    "compute": "every matrix product and convolution",
    "output": "every floating output",
}
TRAITS = (*CAPABILITIES, *TOLERANCES, DTYPES)
#: The number of devices of a mesh.
DEVICES = 2
#: The floating dtypes that JAX computes with.
FLOATS = ("float64", "float32", "bfloat16", "float16")


def plainly(module: Any, *arguments: Any, **named: Any) -> Any:
    """The call of a module, unless its subject has a `call` of its own."""
    return module(*arguments, **named)


@dataclass(frozen=True, eq=False)
class Subject:
    """A stateful module to judge by the module laws.

    A dict with these keys works, too, so that a package can describe its modules without importing the kit:
    `{"make": ..., "inputs": ..., "traits": ...}`.

    Attributes:
        make: makes a module from an `nnx.Rngs` of its own, `lambda rngs: nnx.BatchNorm(4, rngs=rngs)`.
        inputs: the inputs of a call: a Hypothesis strategy, or a list of examples. A tuple holds several arguments,
            anything else is one argument; arrays may be NumPy's or JAX's. We draw a few inputs, once.
        traits: the traits that the module declares, by the names in `TRAITS`. Traits left out count as not declared.
        call: calls the module, `call(module, *arguments)`; `module(*arguments)` by default.
        keywords: the names of the last arguments of each input, which a call passes by keyword.
        calls: in place of `inputs`, the methods to call in turn, by name: each a dict with `inputs`, optionally
            `keywords`, and `method` if the method has another name.
        horizon: how many calls its state must count or sum without stalling or overflowing in its dtype.
        reference: gives the right outputs: a function of a call's arguments that holds no state, or another subject,
            whose `make` may make any Python object; None for none.
        reference_state: maps paths of the module's Variables to attribute paths of the reference. Both start with the
            Variable's value and must stay equal.
        mesh: the axes of the mesh that it needs, with their sizes on two devices, `{"data": 2, "model": 1}`. The first
            axis splits the batch. On one device each axis has size 1.
        context: makes a context manager around making and calling the module, such as
            `lambda: jax.default_matmul_precision("float32")`; None for none.
        variables: how many Variables of each type the module has after a call, `{"Param": 2, "BatchStat": 2}`; types
            left out are not counted.
        trainable: a type of Variable, or a tuple of types, that an optimiser trains besides `nnx.Param`.
        name: its name in reports.
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
        """Call a module on the arguments of an input; with several `calls`, the first argument names the call."""
        if not self.calls:
            positional, named = _by_keyword(self.keywords, arguments)
            return self.call(module, *positional, **named)
        name, *rest = arguments
        call = self.calls[name]
        positional, named = _by_keyword(call.get("keywords", ()), tuple(rest))
        return getattr(module, call.get("method", name))(*positional, **named)

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
        """The names of the dtypes that it declares, by part."""
        return {part: dtype_name(dtype) for part, dtype in self.traits.get(DTYPES, {}).items()}

    def declares(self, trait: str) -> bool:
        """Whether a capability is declared."""
        return bool(self.traits.get(trait, trait == "per_lane_state"))


#: The inputs that a program can name, see `module_laws.program.language`.
MOST_CALLS = 4
CALL_FIELDS = ("inputs", "keywords", "method")


def _by_keyword(keywords: Sequence[str], arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional arguments, and the last ones by keyword."""
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
            if key not in CALL_FIELDS:
                raise expected("a field of a call", f"calls[{name!r}]", key, suggestion(str(key), CALL_FIELDS))
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
    """The name of a dtype of NumPy or JAX; a name stays as it is."""
    dtype = dtype if isinstance(dtype, type) else getattr(dtype, "dtype", dtype)
    return dtype if isinstance(dtype, str) else str(getattr(dtype, "name", getattr(dtype, "__name__", dtype)))


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
    """A subject from a `Subject` or a mapping with its fields.

    Raises:
        Misuse: if the value is neither, or a field is wrong.
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
    """Whether a Python object may be a candidate of some contract: a function, a class, or a subject."""
    return callable(value) or isinstance(value, (Subject, Mapping))


def written(value: Any) -> Any:
    """The function of a candidate, which has a name and a file: for a subject, its `make`."""
    if isinstance(value, Mapping):
        return value.get("make", value)
    return value.make if isinstance(value, Subject) else value


def object_name(value: Any) -> str:
    """The name of a Python object in reports: a subject's own name, or that of its function."""
    name = ""
    if isinstance(value, (Mapping, Subject)):
        name = value.get("name", "") if isinstance(value, Mapping) else value.name
    function = written(value)
    return str(name or getattr(function, "__qualname__", type(function).__name__))
