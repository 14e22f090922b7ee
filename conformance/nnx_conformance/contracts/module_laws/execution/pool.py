"""The inputs of a subject: a few call arguments, drawn once, the simplest first. A program names them by number."""

from __future__ import annotations

import dataclasses
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

#: The most different shapes among the inputs: each costs one compilation per operation.
SHAPES = 2
DRAWS = 40
#: The longest literal of an input in a script, in characters.
LONGEST_SOURCE = 4000

CallArguments = tuple[Any, ...]


class FixedInt(int):
    """A Python number that a transform closes over, such as a size."""


class FixedFloat(float):
    """As `FixedInt`."""


NUMBERS = (jax.Array, np.ndarray, np.generic, int, float, complex)


@dataclass(frozen=True, eq=False)
class Pool:
    """Call arguments with NumPy arrays: the first `declared` are the subject's, the rest we made of them.

    Arguments that are state, such as an `nnx.Rngs` or an optimiser, stay whole: a call may change them.

    Attributes:
        numpy: whether a call takes NumPy arrays; if not, it gets JAX arrays instead.
    """

    inputs: tuple[CallArguments, ...]
    declared: int
    numpy: bool = True

    def without_ours(self) -> Pool:
        """A pool of the subject's own inputs only."""
        return dataclasses.replace(self, inputs=self.inputs[: self.declared])

    def arguments(self, number: int) -> CallArguments:
        """New copies of an input's arguments, with JAX arrays or, from `AS_NUMPY` on, NumPy arrays."""
        as_given = _as_numpy if self.numpy and number >= AS_NUMPY else _as_jax
        return _mapped(as_given, _with_own_state(self._input(number)))

    def several(self, number: int, count: int) -> list[int]:
        """`count` numbers of inputs with the shapes of this one, starting with it; they repeat if there are fewer."""
        index, base = number % AS_NUMPY % len(self.inputs), number - number % AS_NUMPY
        wanted = _signature(self.inputs[index])
        alike = [other for other, arguments in enumerate(self.inputs) if _signature(arguments) == wanted]
        first = alike.index(index)
        return [base + alike[(first + step) % len(alike)] for step in range(count)]

    def shapes(self, number: int) -> str:
        """A key for the shapes of an input: the number of the first input that has them."""
        return str(min(other % AS_NUMPY for other in self.several(number, INPUTS)))

    def arrays(self, number: int) -> Any:
        """The shapes and dtypes of an input's arrays: its flags and texts left out."""
        return [_kind(leaf) for leaf in leaves(self._input(number)) if not is_static(leaf)]

    def rows(self, number: int) -> int:
        """The length of the first axis that all arrays of an input share; 0 if they share none."""
        lengths = {len(leaf) for leaf in leaves(self._input(number)) if _is_array(leaf) and np.ndim(leaf)}
        return lengths.pop() if len(lengths) == 1 else 0

    def evened(self) -> Pool:
        """A pool whose batches two devices can split: the next input's rows are appended to a batch of odd length."""
        return dataclasses.replace(self, inputs=tuple(map(self._evened, range(len(self.inputs)))))

    def _evened(self, number: int) -> CallArguments:
        own, other = (self._input(each) for each in self.several(number, 2))
        if self.rows(number) % 2 == 0:
            return own
        paired = zip(jax.tree.leaves(own, is_leaf=is_state), jax.tree.leaves(other, is_leaf=is_state), strict=True)
        below = [np.concatenate(pair) if _is_array(pair[0]) and np.ndim(pair[0]) else pair[0] for pair in paired]
        return jax.tree.unflatten(jax.tree.structure(own, is_leaf=is_state), below)  # type: ignore[no-any-return]

    def text(self, number: int) -> str:
        """An input in one line."""
        return f"[{input_text(number)}] = {', '.join(map(_text, leaves(self._input(number))))}"

    def streams(self, number: int) -> bool:
        """Whether an input has random streams or keys, from which a call may draw."""
        return any(is_key(leaf) or (is_state(leaf) and _random(leaf)) for leaf in leaves(self._input(number)))

    def holds_state(self, number: int) -> bool:
        """Whether an input has state that a call may change: a module, an Rngs, a Variable."""
        return any(map(is_state, leaves(self._input(number))))

    def has_leaves(self, number: int) -> bool:
        """Whether an input has numbers, arrays or state, which a loop can pass call by call."""
        return not all(map(is_static, leaves(self._input(number))))

    def has_numpy(self, number: int) -> bool:
        """Whether an input has NumPy arrays."""
        arrays = any(_is_array(leaf) and np.ndim(leaf) for leaf in leaves(self._input(number)))
        return self.numpy and number >= AS_NUMPY and arrays

    def source(self, number: int) -> str:
        """An input as a Python expression; empty if that is too long or impossible."""
        source = _source(self._input(number))
        return source if len(source) <= LONGEST_SOURCE else ""

    def _input(self, number: int) -> CallArguments:
        return self.inputs[number % AS_NUMPY % len(self.inputs)]


def is_state(value: Any) -> bool:
    """Whether an argument is state that a call may change: a module, an Rngs, an optimiser, a Variable."""
    return isinstance(value, (NODE, nnx.Variable))


def leaves(value: Any) -> list[Any]:
    """The leaves of arguments; each module, Rngs or Variable is one leaf."""
    return jax.tree.leaves(value, is_leaf=is_state)


def _mapped(change: Callable[[Any], Any], arguments: CallArguments) -> CallArguments:
    return jax.tree.map(change, arguments, is_leaf=is_state)  # type: ignore[no-any-return]


def _holder(values: list[Any]) -> nnx.Module:
    """A module with these values as attributes."""
    module = nnx.Module()
    for index, value in enumerate(values):
        setattr(module, f"at{index}", value)
    return module


def _with_own_state(arguments: CallArguments) -> CallArguments:
    """The arguments with copies of their state; copies share Variables where the originals do."""
    states = [leaf for leaf in leaves(arguments) if is_state(leaf)]
    if not states:
        return arguments
    with skip_reasons.mode(GRAPH):  # tree mode refuses shared Variables
        copied = operations.copy(_holder(states))
    copies = iter([getattr(copied, f"at{index}") for index in range(len(states))])
    return _mapped(lambda leaf: next(copies) if is_state(leaf) else leaf, arguments)


def _random(argument: Any) -> bool:
    return any(map(holds_keys, variables(_holder([argument])).values()))


def _source(value: Any) -> str:
    """A pytree as Python; empty if a part of it has no literal."""
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
    return repr(value) if type(value) in (int, float, FixedInt, FixedFloat) else ""


def pool(inputs: Any) -> Pool:
    """The pool of a strategy or a list of examples.

    Raises:
        Misuse: if it is neither, or empty.
    """
    remedy = "Pass a Hypothesis strategy of call arguments, or a list of examples."
    if isinstance(inputs, (list, tuple)):
        drawn = list(inputs)
    elif hasattr(inputs, "example") and hasattr(inputs, "map"):
        from nnx_conformance.contracts.profile import values

        drawn = values(inputs, DRAWS)  # the simplest value first; the same values each time
    else:
        raise expected("a strategy or a list", "inputs", inputs, remedy)
    arguments = (value if isinstance(value, tuple) else (value,) for value in drawn)
    chosen = _chosen(_mapped(_as_numpy, value) for value in arguments)
    if not chosen:
        raise expected("one input at least", "inputs", inputs, remedy)
    return Pool(tuple(chosen + halved(chosen))[:INPUTS], len(chosen))


def pool_of(subject: Subject) -> Pool:
    """The inputs of a subject. If it has several calls, theirs in turn, each with the call's name first.

    Raises:
        Misuse: if they are no inputs.
    """
    if not subject.calls:
        return pool(subject.inputs)
    pools = [[(name, *arguments) for arguments in pool(call["inputs"]).inputs] for name, call in subject.calls.items()]
    in_turn = [each for rank in itertools.zip_longest(*pools) for each in rank if each is not None]
    return Pool(tuple(in_turn[:INPUTS]), INPUTS)


def halved(inputs: list[CallArguments]) -> list[CallArguments]:
    """Inputs whose shapes no other input has, with their floating numbers halved: lanes of `vmap` must differ."""
    signatures = [_signature(arguments) for arguments in inputs]
    alone = [arguments for arguments in inputs if signatures.count(_signature(arguments)) == 1]
    halves = [_mapped(_half, arguments) for arguments in alone]
    return [half for half, whole in zip(halves, alone, strict=True) if not _same(half, whole)]


def _half(leaf: Any) -> Any:
    floating = _has_numbers(leaf) and jax.numpy.issubdtype(leaf.dtype, np.inexact)
    return (leaf * np.asarray(0.5, leaf.dtype)).astype(leaf.dtype) if floating else leaf


def _chosen(drawn: Iterable[CallArguments]) -> list[CallArguments]:
    """The first different inputs, of at most `SHAPES` shapes."""
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
        # The structure too: a transform compiles again for it, such as for an optimiser with other functions.
        return jax.tree.structure(leaf), [
            (part.path, part.dtype, None if part.array is None else part.array.shape) for part in state(_holder([leaf]))
        ]
    if _is_array(leaf):
        return leaf.shape, str(leaf.dtype)
    return (type(leaf), repr(leaf)) if is_static(leaf) else type(leaf)


def is_static(leaf: Any) -> bool:
    """Whether an argument is neither a number nor state, so that a transform closes over it."""
    return isinstance(leaf, (bool, FixedInt, FixedFloat)) or not (isinstance(leaf, NUMBERS) or is_state(leaf))


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
