"""The specimens of an audit: right implementations and mutants, and which of them are judged."""

from __future__ import annotations

import difflib
import fnmatch
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from nnx_conformance.core.errors import expected
from nnx_reference.catalogue import Catalogue, Implementation

Kind = Literal["right", "mutant", "made", "rare"]
#: In the order of reports: hand-written right ones and mutants, then those that were made, by syntax and by condition.
KINDS: tuple[Kind, ...] = ("right", "mutant", "made", "rare")
#: Right implementations in a quick audit.
QUICK_RIGHTS = 2


@dataclass(frozen=True)
class Specimen:
    """One implementation to judge.

    Attributes:
        name: unique within the audit.
        kind: `right` and `mutant` are written by hand; `made` ones differ from the reference in one place, `rare` ones
            are wrong under a condition only.
        story: what it does: the first sentence of its story, or what was changed.
        source: its file.
        catches: the checks that must catch it; for one that was made, any may.
        advice: the SHOULD checks that may flag a right one.
        judged_by: the checks that judge it; all if empty.
        equivalent: why a made one is right after all, where that is recorded; empty otherwise.
    """

    name: str
    kind: Kind
    story: str
    source: bytes = field(repr=False)
    catches: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    equivalent: str = ""


def by_hand(catalogue: Catalogue, flax: str) -> Iterator[Specimen]:
    """The hand-written implementations that have a meaning on a Flax and what they need, right ones first."""
    yield from (_subject(each, "right") for each in catalogue.rights if each.applies_to(flax) and not each.missing())
    yield from (_subject(each, "mutant") for each in catalogue.mutants if each.applies_to(flax) and not each.missing())


def absent(catalogue: Catalogue, flax: str) -> dict[str, int]:
    """How many implementations are left out because of each module that is not installed."""
    here = (each for each in (*catalogue.rights, *catalogue.mutants) if each.applies_to(flax))
    return dict(Counter(name for each in here for name in each.missing()))


def _subject(subject: Implementation, kind: Kind) -> Specimen:
    story = " ".join(subject.story.split("\n\n")[0].split())
    return Specimen(subject.name, kind, story, subject.path.read_bytes(), subject.catches, subject.advice)


def one_for_each_check(specimens: Sequence[Specimen]) -> list[Specimen]:
    """The fewest mutants by which every check has one, judged by what they name alone, and right ones, by all.

    Of the right ones those that need most indulgence.
    """
    mutants = [specimen for specimen in specimens if specimen.kind == "mutant"]
    uncaught = {check for specimen in mutants for check in specimen.catches}
    chosen: list[Specimen] = []
    while uncaught:
        chosen.append(max(mutants, key=lambda specimen: len(uncaught & set(specimen.catches))))
        uncaught -= set(chosen[-1].catches)
    rights = sorted((each for each in specimens if each.kind == "right"), key=lambda each: -len(each.advice))
    return [*rights[:QUICK_RIGHTS], *(replace(each, judged_by=each.catches) for each in chosen)]


def named(specimens: Sequence[Specimen], patterns: Sequence[str]) -> list[Specimen]:
    """The specimens whose names match one of some globs.

    Raises:
        Misuse: if one of these matches none.
    """
    names = [specimen.name for specimen in specimens]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            near = difflib.get_close_matches(pattern, names, n=1)
            fix = f"Did you mean {near[0]!r}?" if near else "Leave --only out, and the report names them all."
            raise expected("the name of an implementation, or a glob of names", "--only", pattern, fix)
    return [one for one in specimens if any(fnmatch.fnmatchcase(one.name, each) for each in patterns)]
