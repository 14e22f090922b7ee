"""What a trace proves for every value of its inputs, and constants on which two traces of one module do not agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, Constant, Equation, Flat
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpan
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.observe.flax_versions import is_key

#: Values of more numbers are told by their first one that differs.
FEW = 4


def unchanged(trace: Trace) -> frozenset[str]:
    """The paths that hold after a call what they held before it, whatever that and the input are."""
    return frozenset(path for at, (path, new) in enumerate(zip(trace.paths, trace.new, strict=True)) if new == at)


def same_types(trace: Trace) -> bool:
    """Whether all of the state has the type after a call that it had before it."""
    return all(
        _type(trace, at) == _type(trace, new) for at, new in enumerate(trace.new) if isinstance(new, int)
    ) and all(isinstance(new, int) for new in trace.new)


def _type(trace: Trace, number: int) -> tuple[Any, ...]:
    aval = trace.flat.types[number]
    return getattr(aval, "shape", ()), getattr(aval, "dtype", None), getattr(aval, "weak_type", False)


def certain(trace: Trace) -> bool:
    """Whether neither outputs nor state apart from streams depend on random streams."""
    streams = {at for at, path in enumerate(trace.paths) if path in trace.random}
    kept = [new for path, new in zip(trace.paths, trace.new, strict=True) if path not in trace.random]
    return not any(trace.flat.depends[atom] & streams for atom in (*trace.returned, *kept) if isinstance(atom, int))


def writer(trace: Trace, path: str) -> Equation | None:
    """The equation that gives what a path holds after a call; None if that is its input, or a constant."""
    new = trace.new[trace.paths.index(path)]
    return trace.flat.producers.get(new) if isinstance(new, int) else None


@dataclass(frozen=True, eq=False)
class Moved:
    """A constant of a trace that is another one in a later trace of the same call.

    Attributes:
        place: where it is used.
        before, after: both values, as text.
    """

    place: SourceSpan | None
    before: str
    after: str


def moved(first: Trace, second: Trace) -> Moved | None:
    """A constant that is another in the second trace, where the two give something else because of it.

    None if they are the same program, or differ in anything but constants: what that comes to, comparing calls shows.
    Both are computed on the state and the input of the second one.
    """
    inputs = [[_type(trace, at) for at in range(trace.flat.inputs)] for trace in (first, second)]
    if first.paths != second.paths or inputs[0] != inputs[1]:
        return None  # such as state that grows
    constants = _differing(first.flat, second.flat)
    if not constants or not _disagree(first, second):
        return None
    equation, one, other = constants[0]
    return Moved(equation.place if equation else None, *_texts(one, other))


Pair = tuple[Equation | None, Any, Any]


def _differing(first: Flat, second: Flat) -> list[Pair]:
    """The constants in which two programs differ; none if they differ in anything else."""
    used = first.needed(first.outputs), second.needed(second.outputs)
    if len(used[0]) != len(used[1]) or len(first.outputs) != len(second.outputs):
        return []
    numbers = dict(enumerate(range(first.inputs)))
    found: list[Pair] = []

    def alike(equation: Equation | None, one: Atom, other: Atom) -> bool:
        if isinstance(one, Constant) and isinstance(other, Constant):
            if _shape(one.value) != _shape(other.value):
                return False
            if not _same(one.value, other.value):
                found.append((equation, one.value, other.value))
            return True
        return isinstance(one, int) and isinstance(other, int) and numbers.get(one) == other

    for mine, its in zip(*used, strict=True):
        if mine.name != its.name or mine.kept != its.kept or len(mine.reads) != len(its.reads):
            return []
        if not all(alike(mine, one, other) for one, other in zip(mine.reads, its.reads, strict=True)):
            return []
        numbers.update(zip(mine.results, its.results, strict=True))
    same = all(alike(None, one, other) for one, other in zip(first.outputs, second.outputs, strict=True))
    return found if same else []


def _disagree(first: Trace, second: Trace) -> bool:
    """Whether two programs give something else on the same state and input."""
    inputs = (*second.values, *second.arguments.numbers)
    results = (trace.flat.function(trace.flat.outputs)(*inputs) for trace in (first, second))
    return any(not _same(one, other) for one, other in zip(*results, strict=True))


def _shape(value: Any) -> tuple[Any, ...]:
    return np.shape(value), str(getattr(value, "dtype", type(value)))


def _same(one: Any, other: Any) -> bool:
    if is_key(one) or is_key(other):
        return bool(jnp.all(one == other))
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()


def _texts(one: Any, other: Any) -> tuple[str, str]:
    if is_key(one):
        return "a key", "another key"
    mine, its = np.asarray(one), np.asarray(other)
    if mine.size <= FEW:
        return str(mine.tolist()), str(its.tolist())
    at = np.unravel_index(int(np.argmax(mine != its)), mine.shape)
    place = f" at [{', '.join(map(str, at))}]"
    return f"{mine[at]!s}{place}", f"{its[at]!s}{place}"
