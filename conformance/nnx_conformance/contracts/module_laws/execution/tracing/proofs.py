"""What a trace proves for every value of its inputs, and constants in which two traces of one module differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, Constant, Equation, FlatJaxpr
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpan
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.observe.flax_versions import is_key

#: Of larger arrays, messages show only the first number that differs.
FEW = 4


def unchanged(trace: Trace) -> frozenset[str]:
    """The paths whose contents a call never changes, for any state and input."""
    pairs = enumerate(zip(trace.paths, trace.new, strict=True))
    return frozenset(path for number, (path, new) in pairs if new == number)


def same_types(trace: Trace) -> bool:
    """Whether a call keeps the type of all state."""
    return all(isinstance(new, int) and _type(trace, old) == _type(trace, new) for old, new in enumerate(trace.new))


def _type(trace: Trace, number: int) -> tuple[Any, ...]:
    aval = trace.flat.types[number]
    return getattr(aval, "shape", ()), getattr(aval, "dtype", None), getattr(aval, "weak_type", False)


def certain(trace: Trace) -> bool:
    """Whether outputs and state, random streams aside, do not depend on random streams."""
    streams = {number for number, path in enumerate(trace.paths) if path in trace.random}
    kept = [new for path, new in zip(trace.paths, trace.new, strict=True) if path not in trace.random]
    return not any(trace.flat.depends[atom] & streams for atom in (*trace.returned, *kept) if isinstance(atom, int))


def writer(trace: Trace, path: str) -> Equation | None:
    """The equation that computes the new contents of a path; None if they are an input or a constant."""
    new = trace.new[trace.paths.index(path)]
    return trace.flat.producers.get(new) if isinstance(new, int) else None


@dataclass(frozen=True, eq=False)
class DifferingConstant:
    """A constant of a trace that has another value in a later trace of the same call.

    Attributes:
        span: the source that uses it.
        before, after: both values as text.
    """

    span: SourceSpan | None
    before: str
    after: str


def differing_constant(first: Trace, second: Trace) -> DifferingConstant | None:
    """A constant with different values in two traces of one call, if that changes the results.

    None if the traces are equal, or differ in more than constants: comparing calls shows the effect of that. The
    results are computed on the state and input of the second trace.
    """
    inputs = [[_type(trace, number) for number in range(trace.flat.inputs)] for trace in (first, second)]
    if first.paths != second.paths or inputs[0] != inputs[1]:
        return None  # such as state that grows
    constants = _differing_constants(first.flat, second.flat)
    if not constants or not _results_differ(first, second):
        return None
    equation, before, after = constants[0]
    return DifferingConstant(equation.span if equation else None, *_texts(before, after))


Pair = tuple[Equation | None, Any, Any]


def _differing_constants(first: FlatJaxpr, second: FlatJaxpr) -> list[Pair]:
    """The constants in which two jaxprs differ; none if they differ in anything else."""
    used = first.needed(first.outputs), second.needed(second.outputs)
    if len(used[0]) != len(used[1]) or len(first.outputs) != len(second.outputs):
        return []
    numbers = dict(enumerate(range(first.inputs)))
    differing: list[Pair] = []

    def correspond(equation: Equation | None, mine: Atom, other: Atom) -> bool:
        if isinstance(mine, Constant) and isinstance(other, Constant):
            if _shape(mine.value) != _shape(other.value):
                return False
            if not _same(mine.value, other.value):
                differing.append((equation, mine.value, other.value))
            return True
        return isinstance(mine, int) and isinstance(other, int) and numbers.get(mine) == other

    for mine, other in zip(*used, strict=True):
        if mine.name != other.name or mine.kept != other.kept or len(mine.reads) != len(other.reads):
            return []
        if not all(correspond(mine, *reads) for reads in zip(mine.reads, other.reads, strict=True)):
            return []
        numbers.update(zip(mine.results, other.results, strict=True))
    same = all(correspond(None, *outputs) for outputs in zip(first.outputs, second.outputs, strict=True))
    return differing if same else []


def _results_differ(first: Trace, second: Trace) -> bool:
    """Whether two traces give different results on the same state and input."""
    inputs = (*second.values, *second.arguments.numbers)
    results = (trace.flat.function(trace.flat.outputs)(*inputs) for trace in (first, second))
    return any(not _same(*pair) for pair in zip(*results, strict=True))


def _shape(value: Any) -> tuple[Any, ...]:
    return np.shape(value), str(getattr(value, "dtype", type(value)))


def _same(value: Any, other: Any) -> bool:
    if is_key(value) or is_key(other):
        return bool(jnp.all(value == other))
    return np.asarray(value).tobytes() == np.asarray(other).tobytes()


def _texts(before: Any, after: Any) -> tuple[str, str]:
    if is_key(before):
        return "a key", "another key"
    old, new = np.asarray(before), np.asarray(after)
    if old.size <= FEW:
        return str(old.tolist()), str(new.tolist())
    index = np.unravel_index(int(np.argmax(old != new)), old.shape)
    where = f" at [{', '.join(map(str, index))}]"
    return f"{old[index]!s}{where}", f"{new[index]!s}{where}"
