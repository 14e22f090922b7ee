"""Unmet conditions of earlier searches, kept in a file: those that this search meets, and those still unmet."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.search.conditions import Conditions, Unmet

FILE = "conditions.json"


@dataclass(frozen=True)
class SearchProgress:
    """A search compared with earlier ones. A condition is met if it was true on some case and false on another.

    Attributes:
        newly_met: the conditions that earlier searches did not meet, and this one does.
        unmet: the conditions that this search does not meet.
    """

    newly_met: tuple[str, ...]
    unmet: tuple[str, ...]


def since_earlier(folder: Path, conditions: Conditions) -> SearchProgress:
    """The progress since earlier searches; writes the unmet conditions for the next one.

    Args:
        folder: where searches of this candidate keep their cases.
        conditions: those of this search.
    """
    before = _read(folder / FILE)
    unmet = tuple(map(_named, conditions.unmet))
    if conditions.total:
        with contextlib.suppress(OSError):  # a folder that we cannot write to is no reason to fail
            folder.mkdir(parents=True, exist_ok=True)
            (folder / FILE).write_text(json.dumps(unmet) + "\n")
    return SearchProgress(tuple(name for name in before if conditions.total and name not in unmet), unmet)


def _named(unmet: Unmet) -> str:
    return f"{unmet.line}  {unmet.text}"


def _read(path: Path) -> list[str]:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return [name for name in kept if isinstance(name, str)] if isinstance(kept, list) else []
