"""Checks of one contract in another: the same meaning and the same judge, in the words of the other exercise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnx_conformance.case import Case
from nnx_conformance.contract import Check, Judgement, Violation


@dataclass(frozen=True)
class Words:
    """What a contract says of a check that it shares: the remedy, a wrong line and a right one.

    Attributes:
        requirement: empty for that of the check.
        follows: other checks of the contract; violated too, they are told as the cause of this one.
    """

    remedy: str
    wrong: str
    right: str
    requirement: str = ""
    follows: tuple[str, ...] = ()


def reworded(check: Check, words: Words) -> Check:
    """The check in other words."""
    return dataclasses.replace(
        _following(check, words.follows),
        requirement=words.requirement or check.requirement,
        remedy=words.remedy,
        wrong=words.wrong,
        right=words.right,
    )


def _following(check: Check, ids: tuple[str, ...]) -> Check:
    def judge(case: Case, seen: Any) -> Judgement:
        found = check.judge(case, seen)
        if not isinstance(found, Violation):
            return found
        return dataclasses.replace(found, follows=(*found.follows, *ids))

    return dataclasses.replace(check, judge=judge) if ids else check


def ordered(order: str, *groups: tuple[Check, ...], words: Mapping[str, Words]) -> tuple[Check, ...]:
    """The checks of these ids, one after the other; those that `words` speaks of in its words."""
    by_id = {check.id: check for group in groups for check in group}
    chosen = (by_id[check_id] for check_id in order.split())
    return tuple(reworded(check, words[check.id]) if check.id in words else check for check in chosen)
