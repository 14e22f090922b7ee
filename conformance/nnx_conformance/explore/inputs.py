"""Searching the inputs of a function for a given time: from conditions that were not met, and by drawing further."""

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
#: So many cases are kept for a later search.
KEPT = 64
#: Of each round: so many cases are drawn, and so many runs made for the conditions that are not met.
DRAWN, RUNS = 100, 300


class Inputs:
    """One search; called with a judging, it judges until the time is up.

    It starts from the cases that earlier searches kept. Each round looks for cases that meet what no case met, judges
    them, and draws others, which the next round starts from.
    """

    def __init__(self, seconds: float, folder: Path, progress: Progress) -> None:
        self.cases = 0
        self.conditions = Conditions()
        self._seconds = seconds
        self._folder = folder
        self._progress = progress

    def __call__(self, judging: Judging) -> None:
        """Search until the time is up; the smallest cases are still to be looked for."""
        self._judging = judging
        self._end = time.monotonic() + self._seconds
        judging.search(self._rounds)
        self.cases, self.conditions = judging.cases, judging.conditions
        if judging.leading:
            keep(self._folder, judging.leading.kept())

    def lines(self) -> list[str]:
        """How far it came."""
        met = self.conditions.total - len(self.conditions.unmet)
        led = f"; {self.conditions.runs} runs for {met} of {self.conditions.total} conditions met both ways"
        return [f"{self.cases} cases{led if self.conditions.total else ''}"]

    def data(self) -> dict[str, Any]:
        """How far it came, as JSON data."""
        unmet = [{"line": str(each.line), "text": each.text, "never": each.never} for each in self.conditions.unmet]
        met = {"conditions": self.conditions.total, "unmet": unmet, "runs": self.conditions.runs}
        return {"cases": self.cases, **met}

    def _rounds(self, core: Domain) -> None:
        from nnx_conformance.judging.drawn import drawn
        from nnx_conformance.judging.engine import TimeUp

        given: list[Case] = []
        starts = kept(self._folder)

        def visit(case: Case) -> None:
            self._visit(case)
            given.append(case)

        with contextlib.suppress(TimeUp):
            self._led(starts)
            leading = self._judging.lead(core.components) if self._judging.leads and core.components else None
            for number in itertools.count(self._judging.settings.seed):
                if leading:
                    rest = self._end - time.monotonic()
                    self._led(leading.cases(given, RUNS, rest, () if given else starts, late=""))
                given.clear()
                drawn(core, Settings(DRAWN, number), visit)

    def _led(self, cases: Sequence[Case]) -> None:
        """Judge cases to which conditions lead."""
        self._judging.led.update(case.key for case in cases)
        for case in cases:
            self._visit(case)

    def _visit(self, case: Case) -> None:
        from nnx_conformance.judging.engine import TimeUp

        rest = self._end - time.monotonic()
        if rest <= 0:
            raise TimeUp
        self._progress(f"{self._judging.cases} cases", int(self._seconds - rest), int(self._seconds))
        self._judging.visit(case, whole=case.key in self._judging.led)


def kept(folder: Path) -> tuple[Case, ...]:
    """The cases that earlier searches kept; none where what is there is no such file."""
    try:
        return tuple(map(case_from, json.loads((folder / FILE).read_text())))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def keep(folder: Path, cases: Sequence[Case]) -> None:
    """Keep cases for later searches, each once."""
    distinct = list({case.key: case for case in cases}.values())
    with contextlib.suppress(OSError):  # a search keeps nothing where nothing can be kept
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(list(map(case_data, distinct[-KEPT:]))) + "\n")
