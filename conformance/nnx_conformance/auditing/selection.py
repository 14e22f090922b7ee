"""What an audit judges: the whole catalogue, a part of it by name, or one mutant for each check."""

from __future__ import annotations

import difflib
import fnmatch
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnx_conformance.auditing.subject import Kind, Subject
from nnx_conformance.errors import expected
from nnx_reference.catalogue import Catalogue, Implementation

#: Right implementations in a quick audit.
QUICK_RIGHTS = 2


def by_hand(found: Catalogue, flax: str) -> Iterator[Subject]:
    """The hand-written implementations that have a meaning on a Flax and what they need, right ones first."""
    yield from (_subject(one, "right") for one in found.rights if one.applies_to(flax) and not one.missing())
    yield from (_subject(one, "mutant") for one in found.mutants if one.applies_to(flax) and not one.missing())


def absent(found: Catalogue, flax: str) -> dict[str, int]:
    """How many implementations are left out because of each module that is not installed."""
    here = (one for one in (*found.rights, *found.mutants) if one.applies_to(flax))
    return dict(Counter(name for one in here for name in one.missing()))


def _subject(one: Implementation, kind: Kind) -> Subject:
    told = " ".join(one.story.split("\n\n")[0].split())
    return Subject(one.name, kind, told, one.path.read_bytes(), one.catches, one.advice)


def one_for_each_check(subjects: Sequence[Subject]) -> list[Subject]:
    """The fewest mutants by which every check has one, judged by what they name alone, and right ones, by all.

    Of the right ones those that need most indulgence.
    """
    mutants = [subject for subject in subjects if subject.kind == "mutant"]
    left = {check for subject in mutants for check in subject.catches}
    chosen: list[Subject] = []
    while left:
        chosen.append(max(mutants, key=lambda subject: len(left & set(subject.catches))))
        left -= set(chosen[-1].catches)
    rights = sorted((one for one in subjects if one.kind == "right"), key=lambda one: -len(one.advice))
    return [*rights[:QUICK_RIGHTS], *(replace(one, judged_by=one.catches) for one in chosen)]


def named(subjects: Sequence[Subject], patterns: Sequence[str]) -> list[Subject]:
    """The subjects whose names match one of some globs.

    Raises:
        Misuse: if one of these matches none.
    """
    names = [subject.name for subject in subjects]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            near = difflib.get_close_matches(pattern, names, n=1)
            mend = f"Did you mean {near[0]!r}?" if near else "Leave --only out, and the report names them all."
            raise expected("the name of an implementation, or a glob of names", "--only", pattern, mend)
    return [one for one in subjects if any(fnmatch.fnmatchcase(one.name, each) for each in patterns)]
