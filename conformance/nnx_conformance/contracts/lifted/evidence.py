"""Reading an observation for this contract: the lanes of the count, call by call, and through what the calls ran."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import Blocked, NotApplicable
from nnx_conformance.contracts.mutability.evidence import losses
from nnx_conformance.contracts.mutability.oracle import Sum, expected_sum
from nnx_conformance.contracts.running_mean.evidence import in_series, state
from nnx_conformance.contracts.sight import out_of_sight
from nnx_conformance.observation import Call, Observation, Run, Slot
from nnx_conformance.timeline import went_on

RETURNS = "returns-lanes"
COUNT = "count-equals-calls"
SUM = "sum-preserved"
IN_VARIABLE = "counts-in-variable"
LIFTED = "runs-lifted"
PER_LANE = "one-count-per-lane"
INCREMENT = "one-increment-per-call"
WRAPPER = "wrapper-kept"
TRACED = "no-traced-mutation"
FRESH = "fresh-state-per-run"

HIDDEN = "the calls ran inside a trace that cannot be switched off, and their state cannot be seen"


def calls_asked(case: Case) -> int:
    """`int(n_calls)`."""
    return int(case["n_calls"])


def lanes_asked(case: Case) -> int:
    """How many lanes a case has."""
    return int(case["xs"].shape[0])


def sums(case: Case) -> list[Sum]:
    """The sum of each lane, with its bound."""
    return [expected_sum(lane) for lane in case["xs"]]


def culprit(seen: Observation) -> str:
    """The check that a run breaks that raised; empty if it did not."""
    if seen.run.raised is None:
        return ""
    if seen.run.raised.about_trace:
        return TRACED
    return WRAPPER if next(losses(seen.run), None) else RETURNS


def result(case: Case, seen: Observation) -> np.ndarray | None:
    """The result in float64, shape `[lanes, 2]`; None if it is no array of that shape."""
    return result_of(case, seen.run)


def result_of(case: Case, run: Run) -> np.ndarray | None:
    """The same of one run."""
    thing = run.result
    if thing is None or thing.array is None or thing.array.dtype.kind == "c":
        return None
    return thing.array.astype(np.float64) if thing.array.shape == (lanes_asked(case), 2) else None


def looked(seen: Observation) -> Run | None:
    """The run in which the state of the calls can be seen: without compilation, or as it is if no call is traced."""
    if seen.untraced is not None and seen.untraced.raised is None and not went_on(seen.run):
        return seen.untraced
    return seen.run if seen.run.calls and not any(call.traced for call in seen.run.calls) else None


@dataclass(frozen=True, eq=False)
class Counted:
    """The Variable that counts.

    Attributes:
        slot: where it sits.
        calls: the calls in whose state it was seen.
        moments: what it held before and after each of them, all lanes that the call had.
    """

    slot: Slot
    calls: tuple[Call, ...]
    moments: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def lane_calls(self) -> int:
        """How many increments there were, if each call made one in each lane that it had."""
        return sum(after.size for _, after in self.moments)

    def lane_by_lane(self, lanes: int, asked: int) -> bool:
        """Whether each count of a model that holds all of them was raised as often as asked, some at a time or all.

        It may hold more of them: lanes that fill up a block.
        """
        if len({held.shape for moment in self.moments for held in moment}) > 1 or self.moments[0][0].size < lanes:
            return False
        rises = np.array([(after - before).ravel() for before, after in self.moments])
        by_one = np.all((rises == 0) | (rises == 1)) and np.all(rises.any(axis=1))
        return bool(by_one and np.all(rises.sum(axis=0) == asked))


def mappings(run: Run, one: Counted) -> int:
    """In how many uses of `vmap` models are called that were made in the same one; 0 if any was not.

    There each lane makes a model of its own, and a count that is the same in all lanes is one number in the trace. A
    transform within hands over a copy, of which it is not known where it was made: then no model may come from outside.
    """
    called = {call.mapping for call in one.calls}
    made = {module.mapping for module in run.modules if module.constructed}
    modules = [run.modules[call.module] for call in one.calls]
    its_own = all(
        module.constructed and module.mapping == call.mapping for module, call in zip(modules, one.calls, strict=True)
    )
    return len(called) if -1 not in called and (its_own or made == called) else 0


def in_plain(run: Run, call: Call, name: str) -> str:
    """What a plain transform does to a module."""
    made = run.modules[call.module]
    if made.constructed and made.mapping == call.mapping >= 0:
        return "the module is made and called inside it, and no transform of Flax is used"
    return f"`{name}` works on a copy of the module: what it writes to the copy is dropped, or refused"


def counted(run: Run) -> Counted | None:
    """The Variable that moves, or else the first; None if no call has any."""
    by_path: dict[str, list[tuple[Slot, Call, np.ndarray, np.ndarray]]] = {}
    for call in run.calls:
        before, after = (found | in_series(found) for found in (state(run, call.before), state(run, call.after)))
        for path, (slot, held) in after.items():
            if slot.variable and path in before and held.size and before[path][1].size:
                by_path.setdefault(path, []).append((slot, call, before[path][1], held))
    found = [
        Counted(entries[0][0], tuple(entry[1] for entry in entries), tuple((entry[2], entry[3]) for entry in entries))
        for entries in by_path.values()
    ]
    return max(found, key=lambda one: (_moves(one), _by_one(one), not one.slot.param, one.lane_calls), default=None)


def abstract(run: Run) -> bool:
    """Whether Variables of a call hold nothing but tracers that stand for no numbers, as in `nnx.remat`."""
    return any(
        run.layouts[call.before.layout][at].counts and call.before.held[at] < 0
        for call in run.calls
        for at in call.before.traced
    )


def starts(run: Run, one: Counted) -> list[np.ndarray]:
    """What the counting Variable holds in each model that the run made, and before the first call."""
    made = [state(run, module.start) for module in run.modules if module.constructed]
    return [*(found[one.slot.path][1] for found in made if one.slot.path in found), one.moments[0][0]]


def _by_one(one: Counted) -> bool:
    return all(np.all(after - before == 1) for before, after in one.moments if before.shape == after.shape)


def _moves(one: Counted) -> bool:
    return any(before.shape != after.shape or np.any(after != before) for before, after in one.moments)


def excuse(case: Case, seen: Observation) -> Blocked | NotApplicable | None:
    """Why a check of the module cannot be judged on this case."""
    if by := culprit(seen):
        return Blocked(by)
    if looked(seen) is None and (seen.run.modules or seen.untraced is None):
        return out_of_sight(seen, HIDDEN)
    return None


def made_none(seen: Observation) -> bool:
    """Whether no model was made, as far as that was looked into: what is compiled already makes none once more."""
    runs = (seen.run, *((seen.untraced,) if seen.untraced else ()))
    return not any(module.created for run in runs for module in run.modules)


def shown(values: np.ndarray) -> str:
    """Numbers in a message, short."""
    numbers = [f"{number:.7g}" for number in values.astype(np.float64).ravel()[:6]]
    return f"[{', '.join(numbers)}{', ...' if values.size > len(numbers) else ''}]"
