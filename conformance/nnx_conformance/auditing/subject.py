"""What is judged in an audit: right implementations, mutants, and mutants that were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["right", "mutant", "made", "rare"]
#: In the order of reports: hand-written right ones and mutants, then those that were made, by syntax and by condition.
KINDS: tuple[Kind, ...] = ("right", "mutant", "made", "rare")


@dataclass(frozen=True)
class Subject:
    """One implementation to judge.

    Attributes:
        name: unique within the audit.
        kind: `right` and `mutant` are written by hand; `made` ones differ from the reference in one place, `rare` ones
            are wrong under a condition only.
        told: what it does: the first sentence of its story, or what was changed.
        source: its file.
        catches: the checks that must catch it; for one that was made, any may.
        advice: the SHOULD checks that may flag a right one.
        judged_by: the checks that judge it; all if empty.
        equivalent: why a made one is right after all, where that is recorded; empty otherwise.
    """

    name: str
    kind: Kind
    told: str
    source: bytes = field(repr=False)
    catches: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    equivalent: str = ""
