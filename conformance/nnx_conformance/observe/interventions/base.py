"""The runs of a case as it is, and what came of a run that differs from them in one change."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnx_conformance.core.facts import Call, Intervention, Rerun, Run
from nnx_conformance.core.plan import Changed, Moment, Request
from nnx_conformance.core.timeline import clearer, main_calls, moved, numbers
from nnx_conformance.observe.run import LoadedCandidate, forget_compiled, outcome, run, run_reporting, run_untraced


@dataclass(frozen=True, eq=False)
class Base:
    """The runs of a case as it is, from which its interventions differ in one change."""

    candidate: LoadedCandidate
    request: Request
    first: Run
    untraced: Run | None
    reported: Run | None = None

    @functools.cached_property
    def run(self) -> Run:
        """The run that shows more of the calls."""
        return clearer(self.first, self.untraced, self.reported)

    @functools.cached_property
    def paths(self) -> tuple[str, ...]:
        """The Variables whose number the calls change; none where the state is arrays."""
        return () if self.candidate.arrays else tuple(moved(self.run, main_calls(self.run)))

    @property
    def showing(self) -> Run:
        """The run that shows every call: the one whose traces report, or that without compilation."""
        others = (self.reported, self.untraced)
        return next((run for run in others if run and not run.raised), self.first)

    def ends(self, of: Run) -> tuple[float | None, ...]:
        """What these Variables hold after the last call of a run."""
        calls = main_calls(of)
        after = numbers(of, calls[-1].after) if calls and calls[-1].after else {}
        return tuple(after.get(path) for path in self.paths)

    def again(self, like: Run, **hooks: Any) -> Run:
        """The case once more, as in one of the runs, with what intervenes."""
        runner = run_untraced if like is self.untraced else run_reporting if like is self.reported else run
        return runner(self.candidate, self.request.case, self.request.calls, **hooks)

    @property
    def hides(self) -> bool:
        """Whether only a run without compilation shows the calls: there a candidate may behave otherwise."""
        return self.run is self.untraced

    def intervention(
        self, which: Changed, moment: Moment, amount: int, applied: list[bool], changed: Run, **more: Any
    ) -> Intervention:
        """What came of a run with an intervention that was `applied` at these calls."""
        calls = more.pop("calls", len(changed.calls))
        raised = changed.raised
        # JAX takes no callback there that gives something back, which only we asked for: no state or output was read.
        refused = (
            self.reported and raised and raised.type == "NotImplementedError" and "effect" in raised.message.lower()
        )
        made = any(applied) and not refused
        return Intervention(which, moment, amount, made, outcome(changed), self.ends(changed), calls, **more)


def ordinals_of(of: Run, calls: Sequence[Sequence[Call]], which: int) -> frozenset[int]:
    """The number, among the concrete calls, of the first or last call of each module."""
    chosen = {id(group[which]) for group in calls if group}
    concrete = [call for call in of.calls if not call.traced]
    return frozenset(position for position, call in enumerate(concrete, start=1) if id(call) in chosen)


def differs(some: Rerun, other: Rerun) -> bool:
    """Whether two runs came to something else."""
    a, b = some.result, other.result
    return a is None or b is None or a.array is None or b.array is None or not np.array_equal(a.array, b.array)


@contextmanager
def forgotten() -> Iterator[None]:
    """Compile anew in this block, and after it: what was compiled before or within is forgotten."""
    forget_compiled()
    try:
        yield
    finally:
        forget_compiled()
