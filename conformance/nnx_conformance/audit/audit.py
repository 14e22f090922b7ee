"""The result of an audit: a row for each implementation, the problems, and the smallest set of checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nnx_conformance.audit.kill_matrix import KillRow
from nnx_conformance.audit.reach import ConditionReach
from nnx_conformance.core.contract import Level
from nnx_conformance.judging.tier import Tier

#: The most steps of the exact search for the smallest set of checks; beyond them, we use the greedy set.
STEPS = 50_000


@dataclass(frozen=True)
class Cover:
    """A set of checks that together catch every caught mutant.

    Attributes:
        checks: their ids; the check that catches most comes first.
        exact: whether no smaller set exists; otherwise the search was greedy.
    """

    checks: tuple[str, ...]
    exact: bool


@dataclass(frozen=True)
class FirstTier:
    """The cases that `grade` judges first.

    Attributes:
        tier: the cases.
        catches: the number of runs of mutants that violate a MUST check on them.
        caught: the number that violate one on any case.
    """

    tier: Tier
    catches: int
    caught: int


@dataclass(frozen=True)
class AuditedCheck:
    """One check of the contract.

    Attributes:
        id, level: the check's.
        catches: the names of the mutants that it caught in any run.
        alone: those that no other check caught.
        silent: whether none of its mutants applies to the installed Flax.
    """

    id: str
    level: Level
    catches: tuple[str, ...]
    alone: tuple[str, ...]
    silent: bool = False


@dataclass(frozen=True)
class Audit:
    """How surely a contract catches wrong implementations.

    Attributes:
        contract, version: the contract's.
        flax, jax, python: the installed versions.
        seeds: each implementation runs once per seed.
        max_examples: the number of cases of the core domain in each run.
        checks: in the order of the contract.
        rows: all implementations; hand-written ones come first.
        reaches: how often the drawn cases meet each rare condition.
        refused: the rules that the contract breaks; if there are any, nothing was run.
        narrow: whether each mutant was judged only by the checks that it names.
        partial: what was left out, as text; empty for nothing.
        absent: for each module that is not installed, the number of implementations that need it.
        seconds: the duration.
        smallest: the smallest set of checks that catches all caught mutants.
        first_tier: the cases that catch most; None if not requested.
    """

    contract: str
    version: str
    flax: str
    jax: str
    python: str
    seeds: tuple[int, ...]
    max_examples: int
    checks: tuple[AuditedCheck, ...] = ()
    rows: tuple[KillRow, ...] = ()
    reaches: tuple[ConditionReach, ...] = ()
    refused: tuple[str, ...] = ()
    narrow: bool = False
    partial: str = ""
    absent: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    smallest: Cover = field(default=Cover((), True))
    first_tier: FirstTier | None = None

    @property
    def mutants(self) -> tuple[KillRow, ...]:
        """The rows of mutants, without those recorded as equivalent and those that are no programs."""
        return tuple(row for row in self.rows if row.wrong and not row.dead)

    @property
    def survivors(self) -> tuple[KillRow, ...]:
        """The mutants that no run caught."""
        return tuple(row for row in self.mutants if not row.caught)

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons why the contract is not sound, one sentence each; empty if it is."""
        return (*self.refused, *_problems(self))

    @property
    def exit_status(self) -> int:
        """0 if the contract is sound, otherwise 1."""
        return int(bool(self.problems))


def audited_checks(
    levels: dict[str, Level], rows: tuple[KillRow, ...], silent: tuple[str, ...]
) -> tuple[AuditedCheck, ...]:
    """Each check with the mutants that it caught."""
    wrong = [row for row in rows if row.wrong and not row.dead]
    return tuple(
        AuditedCheck(
            check,
            level,
            tuple(row.name for row in wrong if check in row.by),
            tuple(row.name for row in wrong if set(row.by) == {check}),
            check in silent,
        )
        for check, level in levels.items()
    )


def smallest(rows: tuple[KillRow, ...]) -> Cover:
    """The smallest set of checks that catches every caught mutant."""
    return cover({row.name: frozenset(row.by) for row in rows if row.wrong and not row.dead})


def _problems(audit: Audit) -> Iterator[str]:
    for row in audit.rows:
        if row.failed:
            yield f"{row.name}: the kit failed at it: {row.failed.strip().splitlines()[-1]}"
        if row.unloaded and row.kind in ("right", "mutant"):
            yield f"{row.name} shows nothing: {row.unloaded}"
        slow = f" ({row.slow} of {row.runs} runs ran out of time: is the machine busy?)" if row.slow else ""
        if row.accused:
            yield f"{row.name} is right, and is accused by {_listed(row.accused)}{slow}"
        if row.lost:
            also = f"; it was caught by {_listed(tuple(row.by))}" if row.by else ""
            yield f"{row.name} is caught no more by {_listed(row.lost)}, which it names{also}{slow}"
        if row.equivalent and row.caught:
            by = _listed(tuple(row.by))
            yield f"{row.name} is recorded as right after all ({row.equivalent}), and was caught by {by}"
    for row in audit.survivors:
        if not row.lost:
            yield f"{row.name} survived: {row.told}"
    for check in audit.checks:
        if not check.catches and not check.silent and not audit.partial.startswith("only"):
            yield f"check {check.id} caught no mutant: nobody knows that it can fail"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def cover(caught: Mapping[str, frozenset[str]]) -> Cover:
    """The smallest set of checks that catches every caught mutant.

    Args:
        caught: for each mutant, the checks that catch it; mutants that no check catches do not count.
    """
    needs = {frozenset(by) for by in caught.values() if by}
    needs = {by for by in needs if not any(other < by for other in needs)}  # a set with a subset in `needs` is implied
    greedy = _greedy(needs)
    search = _Search(len(greedy))
    search.run(needs, ())
    chosen = search.best or greedy
    reach = {check: sum(check in by for by in caught.values()) for check in chosen}
    return Cover(tuple(sorted(chosen, key=lambda check: (-reach[check], check))), search.steps < STEPS)


def _greedy(needs: set[frozenset[str]]) -> tuple[str, ...]:
    chosen: list[str] = []
    uncaught = set(needs)
    while uncaught:
        every = sorted({check for by in uncaught for check in by})
        best = max(every, key=lambda check: sum(check in by for by in uncaught))
        chosen.append(best)
        uncaught = {by for by in uncaught if best not in by}
    return tuple(chosen)


class _Search:
    """Branches on the mutant that the fewest checks catch, and abandons branches that cannot beat the best set."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.best: tuple[str, ...] | None = None
        self.steps = 0

    def run(self, needs: set[frozenset[str]], chosen: tuple[str, ...]) -> None:
        self.steps += 1
        if self.steps >= STEPS:
            return
        if not needs:
            self.best, self._limit = chosen, len(chosen)
            return
        if len(chosen) + 1 >= self._limit:
            return
        hardest = min(needs, key=lambda by: (len(by), sorted(by)))
        for check in sorted(hardest, key=lambda check: -sum(check in by for by in needs)):
            self.run({by for by in needs if check not in by}, (*chosen, check))
