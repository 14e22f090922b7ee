"""Drifts: numbers in the state that every call changes by the same amount, tested near the end of the horizon."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import Drift
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.snapshots import contents_of, is_param, is_random, variables
from nnx_conformance.contracts.module_laws.execution.tracing.precision import NARROW, lost_additions
from nnx_conformance.contracts.module_laws.execution.tracing.trace import traced
from nnx_conformance.observe.flax_versions import contents, set_contents

#: The number of equal changes in a row that make a drift.
STEADY = 6
#: A call may move a number by this many small additions, so rounding stops it that much earlier.
PARTS = 16


@dataclass(frozen=True, eq=False)
class _Drifting:
    """A number in an array of the state, at `index`, that each call changes by `amount`; `value` is the array."""

    path: str
    value: np.ndarray
    index: tuple[Any, ...]
    amount: float


def _first(path: str, value: np.ndarray, steady: np.ndarray, moves: np.ndarray) -> _Drifting:
    """The first drifting number of an array, see `_moves`."""
    index = np.unravel_index(int(np.argmax(steady)), steady.shape)
    return _Drifting(path, value, index, float(moves[index]))


def drifts(harness: Harness, module: Any, number: int) -> tuple[Drift, ...]:
    """The drifts of a module's calls on an input."""
    seldom = tuple(_seldom(harness, module, number))
    found = (*_stalled(harness, module, number), *_steady(harness, module, number))
    known = {drift.path for drift in found}
    return (*found, *(drift for drift in seldom if drift.path not in known))


def _seldom(harness: Harness, module: Any, number: int) -> Iterator[Drift]:
    """What only some calls change, by the trace of one: a few plain calls may show nothing of it."""
    if not any(value.dtype.name in NARROW for value in _numbers(module).values()):
        return
    try:
        lost = list(lost_additions(traced(harness, module, harness.pool.arguments(number)), harness.subject.horizon))
    except Exception:  # noqa: BLE001 - other laws report what a trace forbids
        return
    for each in lost:
        path, place = each.addition.path, each.addition.place
        dtype = str(contents_of(module)[path].dtype)
        line = harness.source.line(place.file, place.line) if place else None
        yield Drift(path, dtype, each.amount, each.near, each.after, float(each.calls), True, line)


def _stalled(harness: Harness, module: Any, number: int) -> Iterator[Drift]:
    """The numbers that no call changes in half precision, and that change once the same state is float32."""
    numbers = _numbers(module)
    half = [path for path, value in numbers.items() if value.dtype.name in ("bfloat16", "float16")]
    if not half:
        return
    before = {path: numbers[path].astype(np.float32) for path in half}
    wide = nnx.clone(module)
    for path in half:
        set_contents(variables(wide)[path], jax.numpy.asarray(before[path]))
    narrow = nnx.clone(module)
    with contextlib.suppress(Exception):
        for _ in range(STEADY):
            harness.call(narrow, number)
            harness.call(wide, number)
    narrow_numbers, wide_numbers = _numbers(narrow), _numbers(wide)
    for path in half:
        if path in narrow_numbers and path in wide_numbers:
            yield from _stalled_number(path, before[path], narrow_numbers[path], wide_numbers[path])


def _stalled_number(path: str, old: np.ndarray, narrow: np.ndarray, wide: np.ndarray) -> Iterator[Drift]:
    if wide.shape != old.shape or wide.dtype != np.float32:
        return
    moved = (wide - old).astype(np.float64) / STEADY
    still = (narrow.astype(np.float32) == old) & (moved != 0) & np.isfinite(moved)
    if np.all(still | (moved == 0)) and np.any(still):
        index = np.unravel_index(int(np.argmax(np.abs(moved) * still)), still.shape)
        value = float(old[index])
        yield Drift(path, narrow.dtype.name, float(moved[index]), value, value, float(STEADY))


def _numbers(module: Any) -> dict[str, np.ndarray]:
    """The arrays in Variables that are neither Params nor random streams, by path."""
    content = {
        path: contents(variable)
        for path, variable in variables(module).items()
        if not is_param(variable) and not is_random(variable)
    }
    return {path: np.asarray(value) for path, value in content.items() if isinstance(value, (jax.Array, np.ndarray))}


def _steady(harness: Harness, module: Any, number: int) -> Iterator[Drift]:
    for path, value, steady, moves in _moves(harness, module, number):
        drifting = _first(path, value, steady, moves)
        now, amount, last = float(value[drifting.index]), drifting.amount, float(harness.subject.horizon)
        if value.dtype.kind in "iu":
            last = min(last, (float(_limit(value.dtype, amount)) - now) // amount)
        stop, reach = _stop(value.dtype, now, amount), (float(_limit(value.dtype, amount)) - now) / amount
        # No drift: a position in a ring turns back earlier, and a count of warm-up calls stops on purpose.
        if _moved(harness, module, number, drifting, min(last, reach, stop) // 2) <= 0:
            continue
        drift = _jumped(harness, module, number, drifting, last)
        # Report where rounding first stops the float. To stop there is no fault in itself: the module may hold a count
        # at a limit on purpose. So the float must have stopped at the horizon first.
        if drift and drift.after == drift.near and stop < PARTS * last:
            earlier = _jumped(harness, module, number, drifting, min(stop, last))
            yield earlier if earlier and earlier.after == earlier.near else drift
        elif drift and drift.after != drift.near:
            yield drift


def _moved(harness: Harness, module: Any, number: int, drifting: _Drifting, calls: float) -> float:
    """The change by one call after `calls` calls, in multiples of `amount`; -1 if the number turns back or jumps."""
    drift = _jumped(harness, nnx.clone(module), number, drifting, calls)
    moved = (drift.after - drift.near) / drifting.amount if drift else 1.0
    return moved if 0 <= moved <= 2 else -1.0


def _limit(dtype: np.dtype[Any], amount: float) -> Any:
    """The last number of a dtype in the direction of an amount."""
    limits = np.iinfo(dtype) if dtype.kind in "iu" else jax.numpy.finfo(dtype)  # type: ignore[no-untyped-call]
    return limits.max if amount > 0 else limits.min


def _stop(dtype: np.dtype[Any], now: float, amount: float) -> float:
    """The number of calls after which rounding stops a float: at the power of two that `amount` no longer changes."""
    if dtype.kind in "iu":
        return math.inf
    power = math.copysign(2.0 ** math.ceil(math.log2(max(abs(now), abs(amount)))), amount)
    with np.errstate(all="ignore"):
        while math.isfinite(power) and dtype.type(dtype.type(power) + dtype.type(amount)) != dtype.type(power):
            power *= 2
    return (power - now) / amount if math.isfinite(power) else math.inf


def forward(harness: Harness, module: Any, number: int) -> None:
    """Set each drifting number to its value at the end of the horizon, or near the end of its dtype's range."""
    for path, value, steady, moves in list(_moves(harness, module, number)):
        calls = float(harness.subject.horizon)
        if value.dtype.kind in "iu":
            calls = min(
                calls, float(np.iinfo(value.dtype).max - np.max(value)) // np.max(np.abs(moves[steady])) - STEADY
            )
        drifting = _first(path, value, steady, moves)
        # Only as far as calls lead: a position in a ring never lies beyond its end.
        while calls >= 1 and _moved(harness, module, number, drifting, calls) < 0:
            calls //= 2
        near = np.where(steady, value.astype(np.float64) + max(calls, 0.0) * moves, value).astype(value.dtype)
        variable = variables(module)[path]
        set_contents(variable, jax.numpy.asarray(near) if isinstance(contents(variable), jax.Array) else near)


def _moves(harness: Harness, module: Any, number: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """For each array with drifts: its path, its value after some calls, a mask of the drifts, and the amounts."""
    states = [_numbers(module)]
    for _ in range(STEADY):
        harness.call(module, number)
        states.append(_numbers(module))
    for path in states[0]:
        values = [state[path] for state in states if path in state]
        kinds = {(value.shape, value.dtype) for value in values}
        if len(values) != len(states) or len(kinds) != 1 or not values[0].size or values[0].dtype.kind in "bc":
            continue
        moves = np.diff(np.stack([value.astype(np.float64) for value in values]), axis=0)
        steady = (
            np.all(np.isfinite(moves), axis=0) & (np.ptp(moves, axis=0) <= 1e-3 * np.abs(moves[0])) & (moves[0] != 0)
        )
        if np.any(steady):
            yield path, values[-1], steady, moves[0]


def _jumped(harness: Harness, module: Any, number: int, drifting: _Drifting, calls: float) -> Drift | None:
    """The drift of a number that is set to its value after `calls` calls and then called once; None if that raises."""
    path, value, index, amount = drifting.path, drifting.value, drifting.index, drifting.amount
    with np.errstate(all="ignore"):
        near = np.array(value)
        near[index] = np.float64(float(value[index]) + calls * amount).astype(value.dtype)
    variable = variables(module)[path]
    set_contents(variable, jax.numpy.asarray(near) if isinstance(contents(variable), jax.Array) else near)
    with contextlib.suppress(Exception):
        harness.call(module, number)
        after = np.asarray(contents(variables(module)[path]))
        return Drift(path, value.dtype.name, amount, float(near[index]), float(after[index]), calls)
    return None
