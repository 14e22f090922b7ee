"""The conditions in a trace: their operands, and their outcomes on a state and an input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, Constant, Equation, Guard
from nnx_conformance.contracts.module_laws.execution.tracing.proofs import unchanged
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import LONGEST, SourceSpan
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.core.plain_text import short

#: The operator of each primitive that compares.
COMPARED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
JOINED = frozenset(("and", "or"))
#: Operations in the subject's source that are conditions. Comparisons inside a library's functions are not.
WRITTEN = frozenset(
    (
        *("compare", "and", "logical_and", "logical_or", "isclose", "clip", "clamp", "minimum", "maximum"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "eq", "ne", "lt", "le", "gt", "ge"),
    )
)
MOST = 64
Compare = Callable[[Any, Any], Any]
COMPARE: dict[str, Compare] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "truth": lambda a, _: a != 0,
}


@dataclass(frozen=True, eq=False)
class TracedCondition:
    """A comparison in a trace.

    Attributes:
        span: its source; None if a library compares.
        operator: `==`, `<`, ..., or `truth`.
        left, right: the operands.
        guards: the branches that it is in.
        depends: the inputs of the trace on which it depends.
        bound: which limit of a `clip` it is, `lower` or `upper`; empty for others.
    """

    span: SourceSpan | None
    operator: str
    left: Atom
    right: Atom
    guards: tuple[Guard, ...]
    depends: frozenset[int]
    bound: str = ""

    @property
    def text(self) -> str:
        """The source of the condition; empty if a library compares."""
        text = short(self.span.text, LONGEST) if self.span else ""
        return f"{text} at its {self.bound} limit" if self.bound else text


def conditions_of(trace: Trace) -> list[TracedCondition]:
    """The conditions in the subject's source; if none decides a change of a Param, a library's conditions that do."""
    flat = trace.flat
    streams = {number for number, path in enumerate(trace.paths) if path in trace.random}
    changing = trace.params - unchanged(trace)
    new_params = [new for path, new in zip(trace.paths, trace.new, strict=True) if path in changing]
    needed = {result for equation in flat.needed(new_params) for result in equation.results}
    written = [equation for equation in flat.equations if _is_written(trace, equation)]
    decided = any(needed.intersection(equation.results) for equation in written)
    others = [] if decided else [equation for equation in flat.equations if needed.intersection(equation.results)]
    chosen = {id(equation) for equation in (*written, *others)}
    conditions: list[TracedCondition] = []
    for equation in flat.equations:
        if id(equation) in chosen:
            for operator, left, right, bound in _compared(trace, equation):
                read = (atom for atom in (left, right, *(atom for atom, _ in equation.guards)) if isinstance(atom, int))
                depends = frozenset().union(*(flat.depends[atom] for atom in read))
                if depends - streams:
                    span = equation.span if equation in written else None
                    conditions.append(TracedCondition(span, operator, left, right, equation.guards, depends, bound))
    return conditions[:MOST]


def _is_written(trace: Trace, equation: Equation) -> bool:
    """Whether an equation is a condition in the subject's source: a comparison, or a choice by a flag of its state."""
    if equation.span is None:
        return False
    return equation.span.operation in WRITTEN or (equation.name in ("select_n", "cond") and _is_flag(trace, equation))


def _is_flag(trace: Trace, equation: Equation) -> bool:
    return isinstance(equation.reads[0], int) and equation.reads[0] < trace.flat.inputs


def _compared(trace: Trace, equation: Equation) -> list[tuple[str, Atom, Atom, str]]:
    """The comparisons of an equation: operator, operands, and the limit of a clip."""
    name, reads = equation.name, equation.reads
    kinds = [_dtype(trace, atom) for atom in reads]
    if any(kind is None or not (jnp.issubdtype(kind, jnp.number) or kind == jnp.bool_) for kind in kinds):
        return []
    if any(jnp.issubdtype(kind, jnp.complexfloating) for kind in kinds):
        return []
    if name == "clamp":
        return [("<", reads[1], reads[0], "lower"), (">", reads[1], reads[2], "upper")]
    if name in ("max", "min") and len(reads) == 2:
        bound = ("lower" if name == "max" else "upper") if equation.span and equation.span.operation == "clip" else ""
        low, high = reads if not isinstance(reads[1], Constant) else reads[::-1]  # a constant is the limit
        return [(">" if name == "min" else "<", high, low, bound)]
    if name in COMPARED and len(reads) == 2:
        return [(COMPARED[name], *reads, "")]
    if name in JOINED and all(kind == jnp.bool_ for kind in kinds):
        return [("truth", equation.results[0], Constant(1), "")]
    if name in ("select_n", "cond") and _is_flag(trace, equation):
        return [("truth", reads[0], Constant(1), "")]
    return []


def _dtype(trace: Trace, atom: Atom) -> Any:
    kind = trace.flat.types[atom] if isinstance(atom, int) else jnp.asarray(atom.value)
    dtype = getattr(kind, "dtype", None)
    return None if dtype is None or jnp.issubdtype(dtype, jax.dtypes.extended) else dtype


#: For each condition: whether any element is true, whether any is false, and the two operands nearest to each other.
Outcomes = tuple[Any, Any, Any, Any]


def outcomes(trace: Trace, several: Sequence[TracedCondition]) -> Callable[..., Outcomes]:
    """A function from the inputs of a trace to the outcomes of conditions."""
    wanted = [atom for each in several for atom in (each.left, each.right, *(atom for atom, _ in each.guards))]
    compute = trace.flat.function(wanted)

    def run(*inputs: Any) -> Outcomes:
        values = iter(compute(*inputs))
        rows = []
        for each in several:
            left, right = jnp.asarray(next(values)), jnp.asarray(next(values))
            here = jnp.bool_(True)
            for _, branch in each.guards:
                here &= jnp.asarray(next(values)).astype(jnp.int32) == branch
            rows.append((*_outcome(each.operator, left, right, here), *_nearest(left, right)))
        true, false, left, right = (jnp.stack(column) for column in zip(*rows, strict=True))
        return true, false, left, right

    return run


def _outcome(operator: str, left: Any, right: Any, here: Any) -> tuple[Any, Any]:
    holds = jnp.asarray(COMPARE[operator](left, right))
    return here & jnp.any(holds), here & jnp.any(~holds)


def _nearest(left: Any, right: Any) -> tuple[Any, Any]:
    lefts, rights = jnp.broadcast_arrays(left.astype(jnp.float32), right.astype(jnp.float32))
    if not lefts.size:
        return jnp.float32(jnp.nan), jnp.float32(jnp.nan)
    index = jnp.argmin(jnp.abs(lefts - rights))
    return lefts.reshape(-1)[index], rights.reshape(-1)[index]
