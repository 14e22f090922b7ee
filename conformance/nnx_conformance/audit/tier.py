"""The first tier of a contract: the few cases on which most of its mutants break a MUST check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nnx_conformance.core.contract import CORE
from nnx_conformance.judging.tier import DrawnAt, Tier

#: So many cases are chosen: at least, though fewer catch all that is caught; at most, though more would catch more.
LEAST, MOST = 16, 24
#: Always chosen: it is the smallest, and whatever ran before it did so while the candidate was imported.
FIRST = DrawnAt(CORE, 0)


def first_tier(caught: Sequence[frozenset[DrawnAt]], domains: Sequence[str]) -> Tier:
    """A greedy cover: each time the case that catches most of what is caught least often so far.

    Args:
        caught: for each run of a mutant, the cases on which it breaks a MUST check.
        domains: the names of the contract's domains, in its order.
    """
    every = sorted({place for places in caught for place in places}, key=lambda place: (place.position, place.domain))
    chosen = [FIRST]
    times = Counter({number: int(FIRST in places) for number, places in enumerate(caught)})
    while len(chosen) < MOST and (rest := [place for place in every if place not in chosen]):
        uncaught = {number for number, places in enumerate(caught) if not times[number] and places}
        if not uncaught and len(chosen) >= LEAST:
            break
        least = uncaught or _caught_least(caught, times, chosen)
        best = max(rest, key=lambda place: sum(place in caught[number] for number in least))
        chosen.append(best)
        times.update(number for number, places in enumerate(caught) if best in places)
    positions = {name: tuple(sorted(each.position for each in chosen if each.domain == name)) for name in domains}
    return Tier(tuple((name, found) for name, found in positions.items() if found))


def _caught_least(
    caught: Sequence[frozenset[DrawnAt]], times: Mapping[int, int], chosen: Sequence[DrawnAt]
) -> set[int]:
    """The runs that fewest of the chosen cases catch, of those that others could catch too."""
    more = [number for number, places in enumerate(caught) if places - set(chosen)]
    fewest = min((times[number] for number in more), default=0)
    return {number for number in more if times[number] == fewest}


def catches(tier: Tier, caught: Sequence[frozenset[DrawnAt]]) -> int:
    """How many of the runs of mutants break a MUST check on the first tier."""
    places = {DrawnAt(name, position) for name, positions in tier.positions for position in positions}
    return sum(bool(each & places) for each in caught)
