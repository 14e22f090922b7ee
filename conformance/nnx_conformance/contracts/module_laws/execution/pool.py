"""The inputs of a subject: a few call arguments, drawn once, simplest first; a program names them by number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.execution import operations, skip_reasons
from nnx_conformance.contracts.module_laws.execution.snapshots import holds_keys, state, variables
from nnx_conformance.contracts.module_laws.program.language import AS_NUMPY, GRAPH, INPUTS, input_text
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.core.case import array_text
from nnx_conformance.core.errors import expected
from nnx_conformance.observe.flax_versions import NODE, is_key
from nnx_conformance.observe.graph import type_name

#: How many different shapes there are among the inputs: each costs a compilation for each operation.
SHAPES = 2
DRAWS = 40
#: A script holds an input as a literal of at most so many characters.
LONGEST_SOURCE = 4000

CallArguments = tuple[Any, ...]
NUMBERS = (jax.Array, np.ndarray, np.generic, int, float, complex)


@dataclass(frozen=True, eq=False)
class Pool:
    """Call arguments, with NumPy arrays in them; the first ones as they were given, the others made of them.

    Arguments that are state, such as an `nnx.Rngs` or an optimiser, stay whole: a call may change them.
    """

    inputs: tuple[CallArguments, ...]
    given: int

    def as_given(self) -> Pool:
        """Without what was made of the inputs besides."""
        return Pool(self.inputs[: self.given], self.given)

    def arguments(self, number: int) -> CallArguments:
        """The arguments of a number, their arrays as that number says: JAX's or NumPy's. New copies."""
        return _mapped(_as_numpy if number >= AS_NUMPY else _as_jax, _with_own_state(self._input(number)))

    def several(self, number: int, count: int) -> list[int]:
        """The numbers of so many inputs of the same shapes, from this one on, over and over."""
        at, base = number % AS_NUMPY % len(self.inputs), number - number % AS_NUMPY
        wanted = _signature(self.inputs[at])
        alike = [other for other, arguments in enumerate(self.inputs) if _signature(arguments) == wanted]
        first = alike.index(at)
        return [base + alike[(first + step) % len(alike)] for step in range(count)]

    def shapes(self, number: int) -> str:
        """A word for the shapes of an input: the first that has them."""
        return str(min(at - AS_NUMPY if at >= AS_NUMPY else at for at in self.several(number, INPUTS)))

    def rows(self, number: int) -> int:
        """How many rows all arrays of an input have: the length of the first axis, if it is the same; else 0."""
        lengths = {len(leaf) for leaf in leaves(self._input(number)) if _is_array(leaf) and np.ndim(leaf)}
        return lengths.pop() if len(lengths) == 1 else 0

    def evened(self) -> Pool:
        """The same, each batch of odd length with the rows of the next one below its own: two devices can share it."""
        return Pool(tuple(map(self._evened, range(len(self.inputs)))), self.given)

    def _evened(self, number: int) -> CallArguments:
        own, other = (self._input(at) for at in self.several(number, 2))
        if self.rows(number) % 2 == 0:
            return own
        paired = zip(jax.tree.leaves(own, is_leaf=is_state), jax.tree.leaves(other, is_leaf=is_state), strict=True)
        below = [np.concatenate(pair) if _is_array(pair[0]) and np.ndim(pair[0]) else pair[0] for pair in paired]
        return jax.tree.unflatten(jax.tree.structure(own, is_leaf=is_state), below)  # type: ignore[no-any-return]

    def text(self, number: int) -> str:
        """What an input is, in one line."""
        return f"[{input_text(number)}] = {', '.join(map(_text, leaves(self._input(number))))}"

    def streams(self, number: int) -> bool:
        """Whether an input holds random streams or keys, so that a call may draw from them."""
        return any(is_key(leaf) or (is_state(leaf) and _random(leaf)) for leaf in leaves(self._input(number)))

    def holds_state(self, number: int) -> bool:
        """Whether an input holds what a call may change: a module, an Rngs, a Variable."""
        return any(map(is_state, leaves(self._input(number))))

    def has_leaves(self, number: int) -> bool:
        """Whether an input holds anything that a loop can hand out call by call: numbers, arrays, state."""
        return not all(map(is_static, leaves(self._input(number))))

    def has_numpy(self, number: int) -> bool:
        """Whether an input of this number holds NumPy arrays."""
        return number >= AS_NUMPY and any(_is_array(leaf) and np.ndim(leaf) for leaf in leaves(self._input(number)))

    def source(self, number: int) -> str:
        """An input as a Python expression of NumPy; empty where that is too long, or there is none."""
        source = _source(self._input(number))
        return source if len(source) <= LONGEST_SOURCE else ""

    def _input(self, number: int) -> CallArguments:
        return self.inputs[number % AS_NUMPY % len(self.inputs)]


def is_state(value: Any) -> bool:
    """Whether an argument is there to be changed: a module, an Rngs, an optimiser, a Variable."""
    return isinstance(value, (NODE, nnx.Variable))


def leaves(value: Any) -> list[Any]:
    """The leaves of arguments; what is state is one."""
    return jax.tree.leaves(value, is_leaf=is_state)


def _mapped(change: Callable[[Any], Any], arguments: CallArguments) -> CallArguments:
    return jax.tree.map(change, arguments, is_leaf=is_state)  # type: ignore[no-any-return]


def _holder(held: list[Any]) -> nnx.Module:
    """A module on which some state hangs."""
    module = nnx.Module()
    for at, value in enumerate(held):
        setattr(module, f"at{at}", value)
    return module


def _with_own_state(arguments: CallArguments) -> CallArguments:
    """The same arguments, with copies of what is state in them; what these share, the copies share."""
    held = [leaf for leaf in leaves(arguments) if is_state(leaf)]
    if not held:
        return arguments
    with skip_reasons.mode(GRAPH):  # tree mode refuses what is shared
        copied = operations.copy(_holder(held))
    copies = iter([getattr(copied, f"at{at}") for at in range(len(held))])
    return _mapped(lambda leaf: next(copies) if is_state(leaf) else leaf, arguments)


def _random(held: Any) -> bool:
    return any(map(holds_keys, variables(_holder([held])).values()))


def _source(value: Any) -> str:
    """A pytree as Python; `...` in it, which no script could run, makes the whole empty."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return f"np.array({np.asarray(value).tolist()!r}, {value.dtype.name!r})".replace("nan", "np.nan").replace(
            "inf", "np.inf"
        )
    if isinstance(value, (tuple, list)):
        parts = [_source(part) for part in value]
        opened, closed = ("(", ",)" if len(parts) == 1 else ")") if isinstance(value, tuple) else ("[", "]")
        return f"{opened}{', '.join(parts)}{closed}" if all(parts) else ""
    if isinstance(value, dict) and all(_source(part) for part in value.values()):
        return "{" + ", ".join(f"{key!r}: {_source(part)}" for key, part in value.items()) + "}"
    return repr(value) if type(value) in (int, float) else ""


def pool(inputs: Any) -> Pool:
    """A few inputs from a strategy or a list of examples.

    Raises:
        Misuse: if it is neither, or gives nothing.
    """
    remedy = "Pass a Hypothesis strategy of call arguments, or a list of examples."
    if isinstance(inputs, (list, tuple)):
        drawn = list(inputs)
    elif hasattr(inputs, "example") and hasattr(inputs, "map"):
        from nnx_conformance.contracts.profile import values

        drawn = values(inputs, DRAWS)  # the simplest value, and others, the same each time
    else:
        raise expected("a strategy or a list", "inputs", inputs, remedy)
    arguments = (value if isinstance(value, tuple) else (value,) for value in drawn)
    chosen = _chosen(_mapped(_as_numpy, value) for value in arguments)
    if not chosen:
        raise expected("one input at least", "inputs", inputs, remedy)
    return Pool(tuple(chosen + halved(chosen))[:INPUTS], len(chosen))


def pool_of(subject: Subject) -> Pool:
    """The inputs of a subject; of one with several calls, those of each in turn, with its name before the arguments.

    Raises:
        Misuse: if they are none.
    """
    if not subject.calls:
        return pool(subject.inputs)
    pools = [[(name, *given) for given in pool(call["inputs"]).inputs] for name, call in subject.calls.items()]
    ranks = [given for rank in itertools.zip_longest(*pools) for given in rank if given is not None]
    return Pool(tuple(ranks[:INPUTS]), INPUTS)


def halved(inputs: list[CallArguments]) -> list[CallArguments]:
    """For each shape that only one input has, that one with its floating numbers halved: lanes must differ."""
    signatures = [_signature(arguments) for arguments in inputs]
    alone = [arguments for arguments in inputs if signatures.count(_signature(arguments)) == 1]
    halves = [_mapped(_half, arguments) for arguments in alone]
    return [half for half, whole in zip(halves, alone, strict=True) if not _same(half, whole)]


def _half(leaf: Any) -> Any:
    floating = _has_numbers(leaf) and jax.numpy.issubdtype(leaf.dtype, np.inexact)
    return (leaf * np.asarray(0.5, leaf.dtype)).astype(leaf.dtype) if floating else leaf


def _chosen(drawn: Iterable[CallArguments]) -> list[CallArguments]:
    """The first, and then the first ones of at most so many shapes that differ from those before."""
    chosen: list[CallArguments] = []
    shapes: list[Any] = []
    for arguments in drawn:
        signature = _signature(arguments)
        if signature not in shapes and len(shapes) < SHAPES:
            shapes.append(signature)
        known = any(_signature(other) == signature and _same(other, arguments) for other in chosen)
        if signature in shapes and not known:
            chosen.append(arguments)
    return chosen[:INPUTS]


def _signature(arguments: CallArguments) -> Any:
    leaves, structure = jax.tree.flatten(arguments, is_leaf=is_state)
    return structure, list(map(_kind, leaves))


def _kind(leaf: Any) -> Any:
    if is_state(leaf):
        held = state(_holder([leaf]))
        # A transform compiles anew for another structure, such as that of an optimiser with other functions.
        return jax.tree.structure(leaf), [
            (part.path, part.dtype, None if part.array is None else part.array.shape) for part in held
        ]
    if _is_array(leaf):
        return leaf.shape, str(leaf.dtype)
    return (type(leaf), repr(leaf)) if is_static(leaf) else type(leaf)


def is_static(leaf: Any) -> bool:
    """Whether an argument is neither numbers nor state, so that it stands still while a transform traces the call."""
    return isinstance(leaf, bool) or not (isinstance(leaf, NUMBERS) or is_state(leaf))


def _same(arguments: CallArguments, others: CallArguments) -> bool:
    return [*map(_bytes, leaves(arguments))] == [*map(_bytes, leaves(others))]


def _bytes(leaf: Any) -> Any:
    if is_state(leaf):
        return [part.text if part.array is None else part.array.tobytes() for part in state(_holder([leaf]))]
    return np.asarray(leaf).tobytes() if _has_numbers(leaf) else repr(leaf)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


def _has_numbers(leaf: Any) -> bool:
    return _is_array(leaf) and not is_key(leaf)


def _as_numpy(leaf: Any) -> Any:
    return np.array(leaf) if _has_numbers(leaf) else leaf


def _as_jax(leaf: Any) -> Any:
    return jax.numpy.array(leaf) if _has_numbers(leaf) else leaf


def _text(leaf: Any) -> str:
    if is_state(leaf):
        return f"a {type_name(type(leaf))}"
    return array_text(np.asarray(leaf)) if _has_numbers(leaf) else repr(leaf)[:80]
