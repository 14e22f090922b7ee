"""Conditions that a search did not meet both ways, kept for the next one: what that one met anew, and still did not."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.search.conditions import Conditions, Unmet

FILE = "conditions.json"


@dataclass(frozen=True)
class Met:
    """What became of the conditions that earlier searches did not meet both ways.

    Attributes:
        anew: those that this one met.
        still: those that it did not meet either, and those that only now were come to.
    """

    anew: tuple[str, ...]
    still: tuple[str, ...]


def since_earlier(folder: Path, conditions: Conditions) -> Met:
    """What this search met of what earlier ones did not; kept for the next one.

    Args:
        folder: where searches of this candidate keep their cases.
        conditions: what this one met.
    """
    before = _read(folder / FILE)
    still = tuple(map(_named, conditions.unmet))
    if conditions.total:
        with contextlib.suppress(OSError):  # a search keeps nothing where nothing can be kept
            folder.mkdir(parents=True, exist_ok=True)
            (folder / FILE).write_text(json.dumps(still) + "\n")
    return Met(tuple(name for name in before if conditions.total and name not in still), still)


def _named(unmet: Unmet) -> str:
    return f"{unmet.line}  {unmet.text}"


def _read(path: Path) -> list[str]:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return [name for name in kept if isinstance(name, str)] if isinstance(kept, list) else []
