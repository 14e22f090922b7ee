"""Caches the verdicts of unchanged candidates from run to run; safe to delete.

Whoever may write into the folder may write verdicts: it is for the people who own the candidates, not for graders.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from nnx_conformance.core import wire
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.report import Finding, Report, Settings
from nnx_conformance.project.content import fingerprint
from nnx_conformance.project.folder import made
from nnx_conformance.project.settings import Project

FOLDER = ".nnx-conformance/cache"
#: The oldest beyond these are removed.
KEPT = 500


def key(target: str, contract: str, settings: Settings, project: Project, others: Any) -> str:
    """The file name of a cached verdict, made of all that it depends on.

    Args:
        others: what else it depends on, as data.

    Raises:
        TooMuch: if that is too much to look through.
    """
    waivers = [repr(waiver) for waiver in project.waivers] + sorted(map(repr, project.pins.items()))
    words = [target, contract, dataclasses.asdict(settings), project.isolation, project.packages, waivers, others]
    text = json.dumps([*words, fingerprint(parse(target), contract)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read(root: Path, key: str) -> Report | None:
    """The report kept under a key; None if there is none, or none that can be read."""
    try:
        path = root / FOLDER / f"{key}.report"
        report = wire.whole(Report, path.read_bytes())
        os.utime(path)
        return report
    except (OSError, ValueError):
        return None


def keep(root: Path, key: str, report: Report) -> None:
    """Store a report, unless another run could differ; ignores a folder that cannot be written."""
    if report.verdict == "could not be judged" or any(_by_chance(finding) for finding in report.findings):
        return
    with contextlib.suppress(OSError):
        _write(made(root, "cache"), f"{key}.report", wire.dumps(report))


def _by_chance(finding: Finding) -> bool:
    """Whether another run may differ: the candidate never ran, or its process ended."""
    return finding.case is None or finding.end is not None


def _write(folder: Path, name: str, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    os.replace(file.name, folder / name)
    for old in sorted(folder.glob("*.report"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
