"""Searches for inputs and states at which the conditions of a trace have outcomes that programs' inputs do not give.

It first solves for inputs by the slope of the operands, then runs call after call until a condition changes, and then
sets state. The order is deterministic.
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

#: A sum of float32 numbers up to 1 moves by about this much if it is rounded in another order.
ROUNDING = 4 * float(np.finfo(np.float32).eps)
#: The most steps along a slope; the most inputs with new outcomes that we run with.
FOLLOWED, RUN_WITH = 4, 3
#: The most numbers that a run computes, and the least that an equation counts for: about two seconds.
WORK, LEAST = 1e9, 500
#: The most changes of conditions in one run.
TURNS = 16
#: The index of a condition, and the outcome to reach.
Goal = tuple[int, bool]
#: From an amount to an array that is moved by it; from an array to the operands of all conditions.
Direction = Callable[[float], np.ndarray]
Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
SCALES = tuple(sign * 10.0**power for power in range(1, 8) for sign in (1, -1))


@dataclass(frozen=True, eq=False)
class SearchPoint:
    """A state and an input that give a condition a new outcome.

    Attributes:
        condition, outcome: the index of the condition, and its outcome.
        state, numbers: the contents of state and input, in the order of a `Trace`.
        calls: how many calls lead there; -1 if we set the state.
        inputs: whether the search made the input.
        set_path: the path of the state that we set; empty for none.
    """

    condition: int
    outcome: bool
    state: tuple[Any, ...]
    numbers: tuple[Any, ...]
    calls: int = 0
    inputs: bool = False
    set_path: str = ""


@dataclass(eq=False)
class ConditionRecord:
    """One condition's outcomes, those on programs' inputs, and the two operands that came nearest to each other."""

    reached: set[bool] = field(default_factory=set)
    by_programs: set[bool] = field(default_factory=set)
    nearest: tuple[float, float] = (math.nan, math.nan)


class TraceSearch:
    """The search in one trace.

    Attributes:
        conditions: those of the trace.
        records: what it knows of each condition.
        points: those with a new outcome, in the order of the search.
    """

    def __init__(self, trace: Trace, conditions: Sequence[TracedCondition], start: Sequence[Any]) -> None:
        self.trace = trace
        self.conditions = conditions
        self.records = [ConditionRecord() for _ in conditions]
        self.points: list[SearchPoint] = []
        self._program_inputs: list[tuple[Any, ...]] = []
        self._start = tuple(start)
        self._base = tuple(trace.arguments.numbers)
        self._outcomes = outcomes(trace, conditions)
        self._probe = jax.jit(self._outcomes)

    def run(self, program_inputs: Sequence[Sequence[Any]], step: Trace, horizon: int) -> None:
        """Search for outcomes that programs' inputs do not give. `step` is the call to repeat up to `horizon` times."""
        self._program_inputs = [tuple(numbers) for numbers in program_inputs]
        for numbers in self._program_inputs:
            self._evaluate(SearchPoint(-1, True, self._start, numbers), of_program=True)
        self._by_inputs(self._start, 0)
        if any(True for _ in self._goals()):
            self._by_running(step, horizon)
            for point in [point for point in self.points if point.calls and not point.inputs][:RUN_WITH]:
                self._by_inputs(point.state, point.calls)  # a condition behind another one
        self._by_setting()

    def _goals(self) -> Iterator[Goal]:
        for index, record in enumerate(self.records):
            yield from ((index, outcome) for outcome in (True, False) if outcome not in record.reached)

    def _evaluate(self, point: SearchPoint, of_program: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The operands of all conditions at a point; records its new outcomes."""
        true, false, left, right = map(np.asarray, self._probe(*point.state, *point.numbers))
        for index, record in enumerate(self.records):
            for outcome, occurs in ((True, true[index]), (False, false[index])):
                if occurs and outcome not in record.reached:
                    record.reached.add(outcome)
                    if of_program:
                        record.by_programs.add(outcome)
                    else:
                        self.points.append(self._on_another_input(replace(point, condition=index, outcome=outcome)))
            if point.calls >= 0 and not abs(record.nearest[0] - record.nearest[1]) <= abs(left[index] - right[index]):
                record.nearest = float(left[index]), float(right[index])
        return left, right

    def _on_another_input(self, point: SearchPoint) -> SearchPoint:
        """The point on another input, if the outcome is the same: after a run on one input, state stops changing."""
        for numbers in self._program_inputs[1:] if point.calls > 0 and not point.inputs else ():
            true, false, _, _ = self._probe(*point.state, *numbers)
            if (true if point.outcome else false)[point.condition]:
                return replace(point, numbers=numbers)
        return point

    # By inputs

    def _by_inputs(self, state: tuple[Any, ...], calls: int) -> None:
        inputs = set(self.trace.numbers)
        for goal in list(self._goals()):
            for number in sorted(self.conditions[goal[0]].depends & inputs):
                position = number - len(self._start)
                if goal[1] in self.records[goal[0]].reached:
                    break

                def point(value: Any, position: int = position) -> SearchPoint:
                    return self._with_input(state, calls, position, value)

                for value in self._moves(goal, self._base[position], point):
                    self._evaluate(point(value))
                    if goal[1] in self.records[goal[0]].reached:
                        break

    def _with_input(self, state: tuple[Any, ...], calls: int, position: int, value: Any) -> SearchPoint:
        numbers = (*self._base[:position], value, *self._base[position + 1 :])
        return SearchPoint(-1, True, state, numbers, calls, inputs=True)

    def _moves(self, goal: Goal, value: Any, point: Callable[[Any], SearchPoint]) -> Iterator[Any]:
        """Other values of a floating array: where the operands of a condition meet, and beyond."""
        if is_key(value) or not jnp.issubdtype(jnp.result_type(value), jnp.floating):
            return
        array = np.asarray(value, np.float64)
        like = jnp.asarray(value)

        def cast(moved: np.ndarray) -> Any:
            return jnp.asarray(moved, like.dtype)

        first = float(array.flat[0]) if array.size else 0.0
        directions: tuple[tuple[Direction, float, float], ...] = (
            (lambda by: array * by, 1.0, 2.0),
            (lambda by: array + by, 0.0, 1.0),
            (lambda by: _first(array, by), first, first + 1.0),
        )

        def evaluate(moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self._evaluate(point(cast(moved)))

        for direction, start, second in directions:
            yield from map(cast, self._along(goal, direction, start, second, evaluate))
        left, right = self.records[goal[0]].nearest
        for target in (right, left):
            if math.isfinite(target):
                for near in (target, *_beside(target)):
                    yield cast(np.full(array.shape, near))
                    yield cast(_first(array, near))
        yield from (cast(array * scale) for scale in SCALES)
        yield from (cast(np.full(array.shape, scale)) for scale in (0.0, *SCALES))

    def _along(
        self, goal: Goal, direction: Direction, start: float, second: float, evaluate: Evaluate
    ) -> Iterator[np.ndarray]:
        """Arrays along a direction, where the secant says that the operands meet, and slightly to both sides."""

        def gap(by: float) -> float:
            left, right = evaluate(direction(by))
            return float(left[goal[0]]) - float(right[goal[0]])

        previous, current, previous_gap, current_gap = start, second, gap(start), gap(second)
        for _ in range(FOLLOWED):
            # Doubling numbers that cancel changes their sum by rounding only; that is no slope to follow.
            noise = ROUNDING * float(np.max(np.abs(direction(current)), initial=0.0))
            if not abs(current_gap - previous_gap) > noise or not math.isfinite(current_gap - previous_gap):
                return
            meeting = current - current_gap * (current - previous) / (current_gap - previous_gap)
            if not math.isfinite(meeting) or abs(meeting) > 1e30:
                return
            for by in (meeting, *_beside(meeting)):
                yield direction(by)
            previous, current, previous_gap, current_gap = current, meeting, current_gap, gap(meeting)

    def _by_running(self, step: Trace, horizon: int) -> None:
        new = step.flat.needed(step.new)
        if any(equation.effects for equation in new):
            return  # calls of the host are too slow, and may not be repeated
        work = sum(max(LEAST, *equation.sizes, 0) for equation in (*new, *self.trace.flat.equations))
        most = int(max(1, min(horizon, WORK / max(work, 1))))
        run = _compiled_run(step, self)
        inputs = [point.numbers for point in self.points if point.inputs]
        for numbers in itertools.chain((self._base,), inputs[:RUN_WITH]):
            state, calls = self._start, 1
            for _ in range(TURNS):
                goals = self._missing()
                if not goals.any() or calls >= most:
                    break
                state, more = run(state, numbers, goals, most - calls)
                calls += int(more)
                self._evaluate(SearchPoint(-1, True, tuple(state), numbers, calls, numbers is not self._base))

    def _missing(self) -> np.ndarray:
        """For each condition, whether the outcomes true and false are still missing."""
        return np.array([[outcome not in record.reached for outcome in (True, False)] for record in self.records])

    def _by_setting(self) -> None:
        for goal in list(self._goals()):
            depends = self.conditions[goal[0]].depends
            paths = self.trace.paths
            own = self.conditions[goal[0]].span is not None  # of a library's conditions, only those on Params matter
            state = [part for part in depends if part < len(self._start) and (own or paths[part] in self.trace.params)]
            for position in sorted(state, key=lambda part: (paths[part] not in self.trace.params, part)):
                if goal[1] in self.records[goal[0]].reached:
                    break
                for value in itertools.chain(
                    self._moves(goal, self._start[position], functools.partial(self._with_state, position)),
                    self._integers(goal, self._start[position]),
                ):
                    if goal[1] in self.records[goal[0]].reached:
                        break
                    self._evaluate(self._with_state(position, value))

    def _with_state(self, position: int, value: Any) -> SearchPoint:
        state = (*self._start[:position], value, *self._start[position + 1 :])
        return SearchPoint(-1, True, state, self._base, -1, set_path=self.trace.paths[position])

    def _integers(self, goal: Goal, value: Any) -> Iterator[Any]:
        """Other values of an integer or boolean array."""
        kind = None if is_key(value) else jnp.result_type(value)
        if kind == jnp.bool_:
            yield jnp.logical_not(value)
        elif kind is not None and jnp.issubdtype(kind, jnp.integer):
            limits = np.iinfo(kind)
            left, right = self.records[goal[0]].nearest
            now = float(np.max(np.asarray(value), initial=0))
            for moved in (right, right + 1, right - 1, now + right - left, 0, 1, left, float(limits.max)):
                if math.isfinite(moved) and limits.min <= moved <= limits.max:
                    yield jnp.full(jnp.shape(value), int(moved), kind)


def _compiled_run(step: Trace, search: TraceSearch) -> Any:
    """A compiled loop of calls until a condition has a missing outcome; it returns state and number of calls."""
    advance, evaluate = step.flat.function(step.new), search._outcomes
    kinds = [jnp.result_type(value) if not is_key(value) else None for value in search._start]

    def run(state: Sequence[Any], numbers: Sequence[Any], goals: Any, most: Any) -> Any:
        def reaches_goal(state: Sequence[Any]) -> Any:
            true, false, _, _ = evaluate(*state, *numbers)
            return jnp.any((true & goals[:, 0]) | (false & goals[:, 1]))

        def call(carried: Any) -> Any:
            state, calls, _ = carried
            new = [
                value if kind is None else jnp.asarray(value, kind)
                for value, kind in zip(advance(*state, *numbers), kinds, strict=True)
            ]
            return new, calls + 1, reaches_goal(new)

        def goes_on(carried: Any) -> Any:
            return ~carried[2] & (carried[1] < most)

        state, calls, _ = jax.lax.while_loop(goes_on, call, (list(state), jnp.int32(0), jnp.bool_(False)))
        return state, calls

    return jax.jit(run)


def _first(array: np.ndarray, value: float) -> np.ndarray:
    moved = np.array(array)
    moved.flat[:1] = value
    return moved


def _beside(value: float) -> tuple[float, ...]:
    """Numbers around a value: its neighbours in float32, and some that are well beyond it."""
    single = np.float32(value)
    with np.errstate(over="ignore"):
        near = [float(np.nextafter(single, np.float32(end))) for end in (np.inf, -np.inf)]
    margin = max(abs(value) / 64, 1e-3)
    return (*near, value + margin, value - margin, value + 1, value - 1, 2 * value)
