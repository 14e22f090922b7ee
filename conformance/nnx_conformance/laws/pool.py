"""The inputs of a subject: a few call arguments, drawn once, simplest first; a program names them by number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from nnx_conformance.case import array_text
from nnx_conformance.errors import expected
from nnx_conformance.laws.language import AS_NUMPY, input_text

#: How many inputs, and how many different shapes among them: each shape costs a compilation for each operation.
SIZE, SHAPES = 4, 2
DRAWS = 40
#: A script holds an input as a literal of at most so many characters.
LONGEST_SOURCE = 4000

Arguments = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Pool:
    """Call arguments, with NumPy arrays in them; the first ones as they were given, the others made of them."""

    inputs: tuple[Arguments, ...]
    given: int

    def as_given(self) -> Pool:
        """Without what was made of the inputs besides."""
        return Pool(self.inputs[: self.given], self.given)

    def held(self, number: int) -> Arguments:
        """The arguments of a number, their arrays held as that number says: by JAX or by NumPy. New copies."""
        arguments = self.inputs[number % AS_NUMPY % len(self.inputs)]
        return jax.tree.map(_as_numpy if number >= AS_NUMPY else _as_jax, arguments)  # type: ignore[no-any-return]

    def several(self, number: int, count: int) -> list[int]:
        """The numbers of so many inputs of the same shapes, from this one on, over and over."""
        at, base = number % AS_NUMPY % len(self.inputs), number - number % AS_NUMPY
        wanted = _signature(self.inputs[at])
        alike = [other for other, found in enumerate(self.inputs) if _signature(found) == wanted]
        first = alike.index(at)
        return [base + alike[(first + step) % len(alike)] for step in range(count)]

    def shapes(self, number: int) -> str:
        """A word for the shapes of an input: the first that has them."""
        return str(min(at - AS_NUMPY if at >= AS_NUMPY else at for at in self.several(number, SIZE)))

    def text(self, number: int) -> str:
        """What an input is, in one line."""
        arguments = self.inputs[number % AS_NUMPY % len(self.inputs)]
        return f"[{input_text(number)}] = {', '.join(map(_text, jax.tree.leaves(arguments)))}"

    def source(self, number: int) -> str:
        """An input as a Python expression of NumPy; empty where that is too long, or there is none."""
        found = _source(self.inputs[number % AS_NUMPY % len(self.inputs)])
        return found if len(found) <= LONGEST_SOURCE else ""


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
    mend = "Pass a Hypothesis strategy of call arguments, or a list of examples."
    if isinstance(inputs, (list, tuple)):
        drawn = list(inputs)
    elif hasattr(inputs, "example") and hasattr(inputs, "map"):
        drawn = _drawn(inputs)
    else:
        raise expected("a strategy or a list", "inputs", inputs, mend)
    chosen = _chosen(_arguments(value) for value in drawn)
    if not chosen:
        raise expected("one input at least", "inputs", inputs, mend)
    return Pool(tuple(chosen + halved(chosen))[:SIZE], len(chosen))


def halved(inputs: list[Arguments]) -> list[Arguments]:
    """For each shape that only one input has, that one with its floating numbers halved: lanes must differ."""
    signatures = [_signature(arguments) for arguments in inputs]
    alone = [arguments for arguments in inputs if signatures.count(_signature(arguments)) == 1]
    made = [jax.tree.map(_half, arguments) for arguments in alone]
    return [half for half, whole in zip(made, alone, strict=True) if not _same(half, whole)]


def _half(leaf: Any) -> Any:
    floating = _is_array(leaf) and not _is_key(leaf) and jax.numpy.issubdtype(leaf.dtype, np.inexact)
    return (leaf * np.asarray(0.5, leaf.dtype)).astype(leaf.dtype) if floating else leaf


def _drawn(strategy: Any) -> list[Any]:
    """The simplest value of a strategy, and others, the same each time."""
    from nnx_conformance.engine import values

    return values(strategy, DRAWS)


def _arguments(value: Any) -> Arguments:
    arguments = value if isinstance(value, tuple) else (value,)
    return jax.tree.map(lambda leaf: _as_numpy(leaf) if _is_array(leaf) else leaf, arguments)  # type: ignore[no-any-return]


def _chosen(drawn: Iterable[Arguments]) -> list[Arguments]:
    """The first, and then the first ones of at most so many shapes that differ from those before."""
    found: list[Arguments] = []
    shapes: list[Any] = []
    for arguments in drawn:
        signature = _signature(arguments)
        if len(found) == SIZE or (signature not in shapes and len(shapes) == SHAPES):
            continue
        if any(_signature(other) == signature and _same(other, arguments) for other in found):
            continue
        found.append(arguments)
        if signature not in shapes:
            shapes.append(signature)
    return found


def _signature(arguments: Arguments) -> Any:
    leaves, structure = jax.tree.flatten(arguments)
    return structure, [(leaf.shape, str(leaf.dtype)) if _is_array(leaf) else type(leaf) for leaf in leaves]


def _same(one: Arguments, other: Arguments) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(_bytes(a) == _bytes(b) for a, b in pairs)


def _bytes(leaf: Any) -> Any:
    return np.asarray(leaf).tobytes() if _is_array(leaf) and not _is_key(leaf) else repr(leaf)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _as_numpy(leaf: Any) -> Any:
    return np.array(leaf) if _is_array(leaf) and not _is_key(leaf) else leaf


def _as_jax(leaf: Any) -> Any:
    return jax.numpy.array(leaf) if _is_array(leaf) and not _is_key(leaf) else leaf


def _text(leaf: Any) -> str:
    return array_text(np.asarray(leaf)) if _is_array(leaf) and not _is_key(leaf) else repr(leaf)[:80]
