"""The first tier of a contract: the few cases on which most of its mutants violate a MUST check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from nnx_conformance.core.contract import CORE
from nnx_conformance.judging.tier import DrawnAt, Tier

#: The least and the most cases of a tier, even if fewer catch everything, or more would catch more.
LEAST, MOST = 16, 24
#: In every tier: it is the smallest case, and only the import of the candidate ran before it.
FIRST = DrawnAt(CORE, 0)


def first_tier(caught: Sequence[frozenset[DrawnAt]], domains: Sequence[str]) -> Tier:
    """A greedy cover: repeatedly adds the case that catches most of the runs that are caught least often so far.

    Args:
        caught: for each run of a mutant, the cases that violate a MUST check.
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
    return Tier(tuple((name, chosen_here) for name, chosen_here in positions.items() if chosen_here))


def _caught_least(
    caught: Sequence[frozenset[DrawnAt]], times: Mapping[int, int], chosen: Sequence[DrawnAt]
) -> set[int]:
    """Of the runs that an unchosen case could catch, those that the fewest chosen cases catch."""
    catchable = [number for number, places in enumerate(caught) if places - set(chosen)]
    fewest = min((times[number] for number in catchable), default=0)
    return {number for number in catchable if times[number] == fewest}


def catches(tier: Tier, caught: Sequence[frozenset[DrawnAt]]) -> int:
    """The number of runs of mutants that violate a MUST check on the first tier."""
    places = {DrawnAt(name, position) for name, positions in tier.positions for position in positions}
    return sum(bool(each & places) for each in caught)
