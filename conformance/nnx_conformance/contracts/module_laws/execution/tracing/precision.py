"""Numbers in a narrow dtype to which a trace adds, run call after call until one is lost in rounding or wraps around.

So is found what moves now and then, as a count of epochs does; what every call moves shows in a few plain calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, Constant, Equation
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpan
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.contracts.module_laws.execution.tracing.trace_search import LEAST, WORK
from nnx_conformance.observe.flax_versions import is_key

#: Sums of these are exact in int32 and float32.
NARROW = ("int8", "uint8", "int16", "uint16", "float16", "bfloat16")
SIGNS = {"add": 1, "sub": -1}


@dataclass(frozen=True, eq=False)
class Addition:
    """What a trace adds to a number of the state.

    Attributes:
        path: of that number, `at` the input that holds it.
        added, total: what is added and what comes of it; `sign` -1 where it is subtracted.
        chosen: for each choice between it and something else, the number that decides, and what that must be.
        place: where it stands.
    """

    path: str
    at: int
    added: Atom
    total: int
    sign: int
    chosen: tuple[tuple[Atom, int], ...]
    place: SourceSpan | None


@dataclass(frozen=True, eq=False)
class LostAddition:
    """An addition that did not come to what it should: after so many `calls`, from `near`, by `amount`, to `after`."""

    addition: Addition
    calls: int
    near: float
    amount: float
    after: float


def lost_additions(trace: Trace, horizon: int) -> Iterator[LostAddition]:
    """The additions that are lost or wrap around within a horizon of calls on the input of a trace."""
    needed = trace.flat.needed(trace.new)
    if any(equation.effects for equation in needed):
        return  # a call of the host cannot be made so often
    work = sum(max(LEAST, *equation.sizes, 0) for equation in needed)
    for addition in filter(None, map(_addition, [trace] * len(trace.paths), range(len(trace.paths)))):
        if found := _run(trace, addition, int(max(1, min(horizon, WORK / max(work, 1))))):
            yield found


def _addition(trace: Trace, at: int) -> Addition | None:
    path = trace.paths[at]
    if path in trace.params | trace.random or str(getattr(trace.values[at], "dtype", "")) not in NARROW:
        return None
    return _behind(trace, at, trace.new[at], ())


def _behind(trace: Trace, at: int, atom: Atom, chosen: tuple[tuple[Atom, int], ...]) -> Addition | None:
    """The addition that a value is, or is chosen to be."""
    equation = trace.flat.producers.get(atom) if isinstance(atom, int) else None
    if equation is None:
        return None
    if equation.name in ("select_n", "cond"):
        which, *cases = equation.reads
        found = (_behind(trace, at, case, (*chosen, (which, number))) for number, case in enumerate(cases))
        return next(filter(None, found), None)
    others = [read for read in equation.reads if not (isinstance(read, int) and read == at)]
    if equation.name in SIGNS and len(others) == 1 and _tells(trace, equation, others[0]):
        sign = SIGNS[equation.name]
        return Addition(trace.paths[at], at, others[0], equation.results[0], sign, chosen, equation.span)
    return None


def _tells(trace: Trace, equation: Equation, added: Atom) -> bool:
    """Whether a sum that comes to nothing is a fault: a float that settles, as an average does, may stand still."""
    whole = jnp.issubdtype(trace.flat.types[equation.results[0]].dtype, jnp.integer)
    return (whole or isinstance(added, Constant)) and not (equation.name == "sub" and equation.reads[0] == added)


def _run(trace: Trace, addition: Addition, most: int) -> LostAddition | None:
    whichs = [which for which, _ in addition.chosen]
    compute = trace.flat.function([addition.added, addition.total, *whichs, *trace.new])
    kinds = [None if is_key(value) else jnp.result_type(value) for value in trace.values]
    numbers = trace.arguments.numbers

    def look(state: Any) -> tuple[Any, Any, Any, Any]:
        added, total, *rest = compute(*state, *numbers)
        taken = jnp.bool_(True)
        for value, (_, wanted) in zip(rest, addition.chosen, strict=False):
            taken &= jnp.asarray(value).astype(jnp.int32) == wanted
        new = [
            value if kind is None else jnp.asarray(value, kind)
            for value, kind in zip(rest[len(whichs) :], kinds, strict=True)
        ]
        return new, jnp.asarray(added), total, taken & _is_lost(state[addition.at], added, total, addition.sign)

    def goes_on(carried: Any) -> Any:
        return ~jnp.any(carried[2]) & (carried[1] < most)

    def onward(carried: Any) -> Any:
        new = look(carried[0])[0]
        return new, carried[1] + 1, look(new)[3]

    @jax.jit
    def run(state: Any) -> Any:
        state, calls, _ = jax.lax.while_loop(goes_on, onward, (state, jnp.int32(0), look(state)[3]))
        return state[addition.at], calls, *look(state)[1:]

    near, calls, added, total, lost = run(list(trace.values))
    lost = np.broadcast_to(np.asarray(lost), np.shape(near))
    if not lost.any():
        return None
    at = np.unravel_index(int(np.argmax(lost)), lost.shape)
    values = (float(np.broadcast_to(np.asarray(value), lost.shape)[at]) for value in (near, added, total))
    was, amount, after = values
    stands = jnp.issubdtype(jnp.result_type(trace.values[addition.at]), jnp.floating)
    return LostAddition(addition, int(calls) + 1, was, addition.sign * amount, was if stands else after)


def _is_lost(old: Any, added: Any, total: Any, sign: int) -> Any:
    kind = jnp.result_type(total)
    wide = jnp.int32 if jnp.issubdtype(kind, jnp.integer) else jnp.float32
    was, exact = jnp.asarray(old).astype(wide), jnp.asarray(old).astype(wide) + sign * jnp.asarray(added).astype(wide)
    if wide == jnp.int32:
        return jnp.asarray(total).astype(wide) != exact
    # XLA may carry a sum on in float32 within a loop, and round it only where it is stored.
    limits = jnp.finfo(kind)  # type: ignore[no-untyped-call]
    return (exact != was) & (jax.lax.reduce_precision(exact, limits.nexp, limits.nmant) == was)
