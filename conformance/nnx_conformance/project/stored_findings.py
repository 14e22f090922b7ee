"""Stores cases and findings as JSON, exact to the last bit, for `replay`."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.case import Case, case_data, case_from
from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.project.folder import NAME, made

FOLDER = NAME
KIND = "nnx-conformance finding"
VERSION = 1


def with_replays(report: Report, folder: Path = Path(FOLDER)) -> Report:
    """The report with all findings stored, each with the command that replays it."""
    findings = tuple(_with_replay(report, finding, folder) for finding in report.findings)
    return dataclasses.replace(with_waived(report, folder), findings=findings)


def with_waived(report: Report, folder: Path = Path(FOLDER)) -> Report:
    """The report with a case of each waived finding stored, to show later that its waiver is still needed."""
    for use in report.waivers:
        if use.finding and not cases(report.candidate, report.contract, use.check, folder):
            _with_replay(report, use.finding, folder)
    return report


def cases(target: str, contract: str, check: str, folder: Path = Path(FOLDER)) -> tuple[Case, ...]:
    """The stored cases on which a candidate broke a check, smallest first; damaged files are passed over."""
    stored = []
    for path in sorted(folder.glob(f"{check}-*.json")):
        with contextlib.suppress(Misuse):
            finding = read(str(path))
            if (_identity(finding.target), finding.contract, finding.check) == (_identity(target), contract, check):
                stored.append(finding.case)
    return tuple(sorted(stored, key=lambda case: sum(argument.data.size for argument in case.arguments)))


def _identity(target: str) -> tuple[str, str]:
    path, _, name = target.partition("::")
    return os.path.abspath(path), name


def _with_replay(report: Report, finding: Finding, folder: Path) -> Finding:
    if finding.case is None:
        return finding
    try:
        path = store(report, finding, folder)
    except OSError as error:
        return dataclasses.replace(finding, replay=f"(not stored: {error.strerror})")
    run = f"python {path.with_suffix('.py')}" if finding.script else ""
    return dataclasses.replace(finding, replay=f"nnx-conformance replay {path}", run=run)


def store(report: Report, finding: Finding, folder: Path = Path(FOLDER)) -> Path:
    """Write a finding for `replay`; the file's name is a hash of its content."""
    data = {
        "kind": KIND,
        "version": VERSION,
        "target": report.candidate,
        "contract": report.contract,
        "contract_version": report.contract_version,
        "check": finding.check,
        "what": finding.what,
        "case": case_data(finding.case),
    }
    text = json.dumps(data, indent=2) + "\n"
    path = folder / f"{finding.check}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
    if folder.name == NAME:
        made(folder.parent)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if finding.script:
        path.with_suffix(".py").write_text(finding.script)
    return path


@dataclass(frozen=True, eq=False)
class StoredFinding:
    """A finding read back."""

    target: str
    contract: str
    check: str
    what: str
    case: Case


def read(path: str) -> StoredFinding:
    """A stored finding.

    Raises:
        Misuse: if the file is none.
    """
    fix = "Give a file that `nnx-conformance check` stored, see `replay` in its report."
    try:
        data = json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise expected("a file that exists", "FILE", path, fix) from None
    except (OSError, ValueError) as error:
        raise expected("a stored finding", "FILE", path, f"{error}. {fix}") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise expected("a stored finding", "FILE", path, fix)
    if data.get("version") != VERSION:
        raise Misuse(f"{path} was stored by another version of the kit (format {data.get('version')!r}). Check again.")
    try:
        case = case_from(data["case"])
        return StoredFinding(str(data["target"]), str(data["contract"]), str(data["check"]), str(data["what"]), case)
    except (ValueError, KeyError, TypeError) as error:
        raise expected("a stored finding", "FILE", path, f"It is damaged: {error}. {fix}") from error
