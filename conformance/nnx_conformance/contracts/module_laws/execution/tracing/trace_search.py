"""Solving for the inputs and states at which the conditions of a trace come out otherwise.

In this order: inputs, by the operand's slope; running, call after call, until a condition turns; and state that is set.
Everything is tried in the same order whenever the same is compared.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.execution.tracing.conditions import TracedCondition, outcomes
from nnx_conformance.contracts.module_laws.execution.tracing.trace import Trace
from nnx_conformance.observe.flax_versions import is_key

#: A sum of float32 numbers up to 1 moves by about this much when it is rounded in another order.
ROUNDING = 4 * float(np.finfo(np.float32).eps)
#: How often a slope is followed on; so many inputs of those that met something are run with.
FOLLOWED, RUN_WITH = 4, 3
#: A run computes so many numbers at most, of which each equation counts as some hundreds: about two seconds.
WORK, LEAST = 1e9, 500
#: A condition turns so often at most in one run.
TURNS = 16
#: A condition, and the outcome that is looked for.
Goal = tuple[int, bool]
#: Gives an array that was moved so far; and the operands of all conditions there.
Way = Callable[[float], np.ndarray]
Look = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
SCALES = tuple(sign * 10.0**power for power in range(1, 8) for sign in (1, -1))


@dataclass(frozen=True, eq=False)
class Reached:
    """A state and an input at which a condition comes out as it did nowhere before.

    Attributes:
        condition, outcome: which, and how.
        state, numbers: contents by position, as those of a `Trace`.
        calls: how many calls led there; -1 where none did.
        inputs: whether the input was drawn for it.
        put: the path of the state that was set; empty for none.
    """

    condition: int
    outcome: bool
    state: tuple[Any, ...]
    numbers: tuple[Any, ...]
    calls: int = 0
    inputs: bool = False
    put: str = ""


@dataclass(eq=False)
class Known:
    """What is known of one condition: the outcomes that were met, and the operands that came nearest."""

    met: set[bool] = field(default_factory=set)
    given: set[bool] = field(default_factory=set)
    nearest: tuple[float, float] = (math.nan, math.nan)


class TraceSearch:
    """A search for the spots of one trace.

    Attributes:
        conditions: those of the trace.
        known: what is known of each.
        spots: in the order in which they were found.
    """

    def __init__(self, trace: Trace, conditions: Sequence[TracedCondition], start: Sequence[Any]) -> None:
        self.trace = trace
        self.conditions = conditions
        self.known = [Known() for _ in conditions]
        self.spots: list[Reached] = []
        self._given: list[tuple[Any, ...]] = []
        self._start = tuple(start)
        self._base = tuple(trace.arguments.numbers)
        self._outcomes = outcomes(trace, conditions)
        self._probe = jax.jit(self._outcomes)

    def run(self, given: Sequence[Sequence[Any]], step: Trace, horizon: int) -> None:
        """Look for what the given inputs do not meet.

        Args:
            given: the numbers of inputs that programs use.
            step: the trace of the call that is run again and again.
            horizon: of so many calls.
        """
        self._given = [tuple(numbers) for numbers in given]
        for numbers in self._given:
            self._look(Reached(-1, True, self._start, numbers), given=True)
        self._by_inputs(self._start, 0)
        if any(True for _ in self._goals()):
            self._by_running(step, horizon)
            for spot in [spot for spot in self.spots if spot.calls and not spot.inputs][:RUN_WITH]:
                self._by_inputs(spot.state, spot.calls)  # a condition behind another one
        self._by_setting()

    def _goals(self) -> Iterator[Goal]:
        for at, known in enumerate(self.known):
            yield from ((at, outcome) for outcome in (True, False) if outcome not in known.met)

    def _look(self, spot: Reached, given: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """How conditions come out at a spot; what is new there is kept. Gives the operands."""
        true, false, left, right = map(np.asarray, self._probe(*spot.state, *spot.numbers))
        for at, known in enumerate(self.known):
            for outcome, come in ((True, true[at]), (False, false[at])):
                if come and outcome not in known.met:
                    known.met.add(outcome)
                    if given:
                        known.given.add(outcome)
                    else:
                        self.spots.append(self._elsewhere(replace(spot, condition=at, outcome=outcome)))
            if spot.calls >= 0 and not abs(known.nearest[0] - known.nearest[1]) <= abs(left[at] - right[at]):
                known.nearest = float(left[at]), float(right[at])
        return left, right

    def _elsewhere(self, spot: Reached) -> Reached:
        """The same on another input of programs: given one and the same again and again, state comes to stand still."""
        for numbers in self._given[1:] if spot.calls > 0 and not spot.inputs else ():
            true, false, _, _ = self._probe(*spot.state, *numbers)
            if (true if spot.outcome else false)[spot.condition]:
                return replace(spot, numbers=numbers)
        return spot

    # By inputs

    def _by_inputs(self, state: tuple[Any, ...], calls: int) -> None:
        inputs = set(self.trace.numbers)
        for goal in list(self._goals()):
            for at in sorted(self.conditions[goal[0]].depends & inputs):
                position = at - len(self._start)
                if goal[1] in self.known[goal[0]].met:
                    break

                def spot(value: Any, position: int = position) -> Reached:
                    return self._spot(state, calls, position, value)

                for value in self._moves(goal, self._base[position], spot):
                    self._look(spot(value))
                    if goal[1] in self.known[goal[0]].met:
                        break

    def _spot(self, state: tuple[Any, ...], calls: int, position: int, value: Any) -> Reached:
        numbers = (*self._base[:position], value, *self._base[position + 1 :])
        return Reached(-1, True, state, numbers, calls, inputs=True)

    def _moves(self, goal: Goal, value: Any, spot: Callable[[Any], Reached]) -> Iterator[Any]:
        """Other values of an array, towards where the operands of a condition meet, and beyond."""
        if is_key(value) or not jnp.issubdtype(jnp.result_type(value), jnp.floating):
            return
        array = np.asarray(value, np.float64)
        like = jnp.asarray(value)

        def cast(moved: np.ndarray) -> Any:
            return jnp.asarray(moved, like.dtype)

        first = float(array.flat[0]) if array.size else 0.0
        ways: tuple[tuple[Way, float, float], ...] = (
            (lambda by: array * by, 1.0, 2.0),
            (lambda by: array + by, 0.0, 1.0),
            (lambda by: _first(array, by), first, first + 1.0),
        )
        for way, one, other in ways:
            yield from map(cast, self._along(goal, way, one, other, lambda moved: self._look(spot(cast(moved)))))
        left, right = self.known[goal[0]].nearest
        for target in (right, left):
            if math.isfinite(target):
                for near in (target, *_beside(target)):
                    yield cast(np.full(array.shape, near))
                    yield cast(_first(array, near))
        yield from (cast(array * scale) for scale in SCALES)
        yield from (cast(np.full(array.shape, scale)) for scale in (0.0, *SCALES))

    def _along(self, goal: Goal, way: Way, one: float, other: float, look: Look) -> Iterator[np.ndarray]:
        """Go where the slope of the operands says that they meet, and a little beyond on both sides."""

        def gap(by: float) -> float:
            left, right = look(way(by))
            return float(left[goal[0]]) - float(right[goal[0]])

        here, there = gap(one), gap(other)
        for _ in range(FOLLOWED):
            # Doubling numbers that cancel moves their sum by rounding alone; that is no slope to follow.
            noise = ROUNDING * float(np.max(np.abs(way(other)), initial=0.0))
            if not abs(there - here) > noise or not math.isfinite(there - here):
                return
            meets = other - there * (other - one) / (there - here)
            if not math.isfinite(meets) or abs(meets) > 1e30:
                return
            for by in (meets, *_beside(meets)):
                yield way(by)
            one, other, here, there = other, meets, there, gap(meets)

    def _by_running(self, step: Trace, horizon: int) -> None:
        new = step.flat.needed(step.new)
        if any(equation.effects for equation in new):
            return  # a call of the host cannot be made so often
        work = sum(max(LEAST, *equation.sizes, 0) for equation in (*new, *self.trace.flat.equations))
        most = int(max(1, min(horizon, WORK / max(work, 1))))
        run = _running(step, self)
        drawn = [spot.numbers for spot in self.spots if spot.inputs]
        for numbers in itertools.chain((self._base,), drawn[:RUN_WITH]):
            state, calls = self._start, 1
            for _ in range(TURNS):
                goals = self._open()
                if not goals.any() or calls >= most:
                    break
                state, more = run(state, numbers, goals, most - calls)
                calls += int(more)
                self._look(Reached(-1, True, tuple(state), numbers, calls, numbers is not self._base))

    def _open(self) -> np.ndarray:
        """For each condition, whether being true and being false are still to be met."""
        return np.array([[outcome not in known.met for outcome in (True, False)] for known in self.known])

    def _by_setting(self) -> None:
        for goal in list(self._goals()):
            depends = self.conditions[goal[0]].depends
            paths = self.trace.paths
            own = self.conditions[goal[0]].place is not None  # what a library compares matters for Params alone
            held = [at for at in depends if at < len(self._start) and (own or paths[at] in self.trace.params)]
            for at in sorted(held, key=lambda at: (paths[at] not in self.trace.params, at)):
                if goal[1] in self.known[goal[0]].met:
                    break
                for value in itertools.chain(
                    self._moves(goal, self._start[at], functools.partial(self._put, at)),
                    self._whole(goal, self._start[at]),
                ):
                    if goal[1] in self.known[goal[0]].met:
                        break
                    self._look(self._put(at, value))

    def _put(self, at: int, value: Any) -> Reached:
        state = (*self._start[:at], value, *self._start[at + 1 :])
        return Reached(-1, True, state, self._base, -1, put=self.trace.paths[at])

    def _whole(self, goal: Goal, value: Any) -> Iterator[Any]:
        """Other whole numbers, and the other flag."""
        kind = None if is_key(value) else jnp.result_type(value)
        if kind == jnp.bool_:
            yield jnp.logical_not(value)
        elif kind is not None and jnp.issubdtype(kind, jnp.integer):
            limits = np.iinfo(kind)
            left, right = self.known[goal[0]].nearest
            now = float(np.max(np.asarray(value), initial=0))
            for moved in (right, right + 1, right - 1, now + right - left, 0, 1, left, float(limits.max)):
                if math.isfinite(moved) and limits.min <= moved <= limits.max:
                    yield jnp.full(jnp.shape(value), int(moved), kind)


def _running(step: Trace, search: TraceSearch) -> Any:
    """Calls again and again until a condition turns that is looked for: gives the state, and how many calls it took."""
    advance, look = step.flat.function(step.new), search._outcomes
    kinds = [jnp.result_type(value) if not is_key(value) else None for value in search._start]

    def run(state: Sequence[Any], numbers: Sequence[Any], goals: Any, most: Any) -> Any:
        def turned(state: Sequence[Any]) -> Any:
            true, false, _, _ = look(*state, *numbers)
            return jnp.any((true & goals[:, 0]) | (false & goals[:, 1]))

        def onward(carried: Any) -> Any:
            state, calls, _ = carried
            new = [
                value if kind is None else jnp.asarray(value, kind)
                for value, kind in zip(advance(*state, *numbers), kinds, strict=True)
            ]
            return new, calls + 1, turned(new)

        def goes_on(carried: Any) -> Any:
            return ~carried[2] & (carried[1] < most)

        state, calls, _ = jax.lax.while_loop(goes_on, onward, (list(state), jnp.int32(0), jnp.bool_(False)))
        return state, calls

    return jax.jit(run)


def _first(array: np.ndarray, value: float) -> np.ndarray:
    moved = np.array(array)
    moved.flat[:1] = value
    return moved


def _beside(value: float) -> tuple[float, ...]:
    """Numbers around one: the next ones, and ones that are surely beyond it."""
    single = np.float32(value)
    with np.errstate(over="ignore"):
        near = [float(np.nextafter(single, np.float32(end))) for end in (np.inf, -np.inf)]
    apart = max(abs(value) / 64, 1e-3)
    return (*near, value + apart, value - apart, value + 1, value - 1, 2 * value)
