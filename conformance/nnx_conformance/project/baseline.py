"""The baseline: waivers for all that is broken today, written by a command, so that a gate can start.

New findings fail. What has been fixed leaves the file when it is written again, and each entry ends on a day.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.core.report import BASELINE, Report, Status
from nnx_conformance.project.waivers import Waiver

NAME = "nnx-baseline.toml"
HEAD = "# `nnx-conformance check --write-baseline` writes here what was broken then. Fix an entry, and run it again.\n"


@dataclass(frozen=True)
class BaselineChange:
    """What writing a baseline changed: how many entries there are now, how many are new, and which have left."""

    entries: int
    new: int
    gone: tuple[Waiver, ...]


def read(root: Path) -> tuple[Waiver, ...]:
    """The entries of a project's baseline; none where it has no such file.

    Raises:
        Misuse: if the file is damaged.
    """
    path = root / NAME
    if not path.is_file():
        return ()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("waivers", [])
        return tuple(_entry(table) for table in tables)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "Remove it, and run `nnx-conformance check --write-baseline` again."
        raise Misuse(f"{path} cannot be read as a baseline: {error!r}. {fix}") from error


def _entry(table: dict[str, object]) -> Waiver:
    words = [table[name] for name in ("check", "candidate", "reason", "contract")]
    expires = table["expires"]
    if not all(isinstance(word, str) and word for word in words) or type(expires) is not datetime.date:
        raise ValueError(f"the entry {table}")
    check, candidate, reason, contract = map(str, words)
    return Waiver(check, candidate, reason, expires, contract)


def day(option: str, text: str, today: datetime.date) -> datetime.date:
    """The day on which a baseline ends.

    Raises:
        Misuse: if it is none, or has come.
    """
    fix = f"Write the last day on which it excuses: `{option} {today + datetime.timedelta(days=90)}`."
    try:
        ends = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise expected("a day", option, text, fix) from error
    if ends <= today:
        raise expected("a day to come", option, text, fix)
    return ends


def write(
    root: Path, judged: Sequence[tuple[str, Report]], ends: datetime.date, today: datetime.date
) -> BaselineChange:
    """Write what is broken today, for the candidates that were judged; entries of others stay.

    Args:
        root: the project's folder.
        judged: candidates as waivers name them, each with a report that no baseline excused.
        ends: the last day on which new entries excuse; those that are known keep theirs, unless it is over.
        today: the date of new entries.
    """
    old = read(root)
    mine = {(name, report.contract) for name, report in judged}
    known = {(waiver.candidate, waiver.contract, waiver.check): waiver for waiver in old}
    entries = [waiver for waiver in old if (waiver.candidate, waiver.contract) not in mine]
    for name, report in judged:
        for check in broken(report):
            before = known.get((name, report.contract, check))
            if before is None or before.expired(today):
                before = Waiver(check, name, f"{BASELINE}{today}", ends, report.contract)
            entries.append(before)
    entries.sort(key=lambda waiver: (waiver.contract, waiver.candidate, waiver.check))
    (root / NAME).write_text(HEAD + "".join(map(_text, entries)), encoding="utf-8")
    there = {(waiver.candidate, waiver.contract, waiver.check) for waiver in entries}
    gone = tuple(waiver for key, waiver in known.items() if key not in there)
    return BaselineChange(len(entries), len(there - known.keys()), gone)


def broken(report: Report) -> list[str]:
    """The checks that decide against a candidate: those that are violated, and what they block."""
    bad = (Status.VIOLATED, Status.BLOCKED)
    return [result.id for result in report.checks if result.status in bad and report.decides(result.level)]


def _text(waiver: Waiver) -> str:
    words = {"check": waiver.check, "candidate": waiver.candidate, "contract": waiver.contract, "reason": waiver.reason}
    lines = [f"{name} = {json.dumps(word, ensure_ascii=False)}" for name, word in words.items()]
    return "\n".join(["", "[[waivers]]", *lines, f"expires = {waiver.expires}", ""])
