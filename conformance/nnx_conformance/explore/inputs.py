"""The search of `explore` over a function's inputs, for a given time: solves for unmet conditions, and draws more."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnx_conformance.core.case import Case, case_data, case_from
from nnx_conformance.core.report import Settings
from nnx_conformance.core.search.conditions import Conditions
from nnx_conformance.core.search.domain import Domain
from nnx_conformance.process.session import Progress

if TYPE_CHECKING:
    from nnx_conformance.judging.judge import Judging

FILE = "cases.json"
#: The most cases to keep for later searches.
KEPT = 64
#: In each round, the number of drawn cases, and of runs to solve for unmet conditions.
DRAWN, RUNS = 100, 300


class Inputs:
    """One search. Called with a judging, it judges until the time is up.

    It starts with the cases that earlier searches kept. Each round judges cases that meet new conditions, and draws
    more cases, from which the next round starts.
    """

    def __init__(self, seconds: float, folder: Path, progress: Progress) -> None:
        self.cases = 0
        self.conditions = Conditions()
        self._seconds = seconds
        self._folder = folder
        self._progress = progress

    def __call__(self, judging: Judging) -> None:
        """Search until the time is up; the judge shrinks the findings afterwards."""
        self._judging = judging
        self._end = time.monotonic() + self._seconds
        judging.search(self._rounds)
        self.cases, self.conditions = judging.cases, judging.conditions
        if judging.leading:
            keep(self._folder, judging.leading.kept())

    def lines(self) -> list[str]:
        """The numbers of cases and of met conditions, as text."""
        met = self.conditions.total - len(self.conditions.unmet)
        led = f"; {self.conditions.runs} runs for {met} of {self.conditions.total} conditions met both ways"
        return [f"{self.cases} cases{led if self.conditions.total else ''}"]

    def data(self) -> dict[str, Any]:
        """The numbers of cases and runs, and the unmet conditions, as JSON data."""
        unmet = [{"line": str(each.line), "text": each.text, "never": each.never} for each in self.conditions.unmet]
        met = {"conditions": self.conditions.total, "unmet": unmet, "runs": self.conditions.runs}
        return {"cases": self.cases, **met}

    def _rounds(self, core: Domain) -> None:
        from nnx_conformance.judging.drawn import drawn
        from nnx_conformance.judging.engine import TimeUp

        drawn_cases: list[Case] = []
        starts = kept(self._folder)

        def visit(case: Case) -> None:
            self._visit(case)
            drawn_cases.append(case)

        with contextlib.suppress(TimeUp):
            self._led(starts)
            leading = self._judging.lead(core.components) if self._judging.leads and core.components else None
            for number in itertools.count(self._judging.settings.seed):
                if leading:
                    first = () if drawn_cases else starts
                    self._led(leading.cases(drawn_cases, RUNS, self._is_late, first, late=""))
                drawn_cases.clear()
                drawn(core, Settings(DRAWN, number), visit)

    def _led(self, cases: Sequence[Case]) -> None:
        """Judge cases that solve for conditions."""
        self._judging.led.update(case.key for case in cases)
        for case in cases:
            self._visit(case)

    def _is_late(self) -> bool:
        return time.monotonic() > self._end

    def _visit(self, case: Case) -> None:
        from nnx_conformance.judging.engine import TimeUp

        rest = self._end - time.monotonic()
        if rest <= 0:
            raise TimeUp
        self._progress(f"{self._judging.cases} cases", int(self._seconds - rest), int(self._seconds))
        self._judging.visit(case, whole=case.key in self._judging.led)


def kept(folder: Path) -> tuple[Case, ...]:
    """The cases that earlier searches kept; none if the file is missing or damaged."""
    try:
        return tuple(map(case_from, json.loads((folder / FILE).read_text())))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def keep(folder: Path, cases: Sequence[Case]) -> None:
    """Keep cases for later searches, each once."""
    distinct = list({case.key: case for case in cases}.values())
    with contextlib.suppress(OSError):  # a folder that we cannot write to is no reason to fail
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(list(map(case_data, distinct[-KEPT:]))) + "\n")
