"""The audit as data: one row for each implementation, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nnx_conformance.auditing.cover import Cover, cover
from nnx_conformance.auditing.power import Reach
from nnx_conformance.auditing.row import Row
from nnx_conformance.contract import Level


@dataclass(frozen=True)
class AuditedCheck:
    """One check of the contract.

    Attributes:
        id, level: which.
        catches: the names of the mutants that it caught in any run.
        alone: those of them that no other check caught.
        silent: it has no mutant with a meaning on the installed Flax.
    """

    id: str
    level: Level
    catches: tuple[str, ...]
    alone: tuple[str, ...]
    silent: bool = False


@dataclass(frozen=True)
class Audit:
    """The power of a contract, as it was seen.

    Attributes:
        contract, version: which.
        flax, jax, python: the versions it ran on.
        seeds: of the runs; one run of every implementation for each.
        max_examples: cases of the core domain in each run.
        checks: in the order of the contract.
        rows: every implementation, hand-written ones first.
        reaches: how surely the drawn cases meet each rare condition.
        refused: the rules that the contract breaks; nothing was run if there are any.
        narrow: whether a mutant was judged by those checks alone that it names: what others catch is not known then.
        partial: what of the contract was left out, in words; empty for nothing.
        absent: how many implementations were left out for each module that is not installed.
        seconds: how long it took.
    """

    contract: str
    version: str
    flax: str
    jax: str
    python: str
    seeds: tuple[int, ...]
    max_examples: int
    checks: tuple[AuditedCheck, ...] = ()
    rows: tuple[Row, ...] = ()
    reaches: tuple[Reach, ...] = ()
    refused: tuple[str, ...] = ()
    narrow: bool = False
    partial: str = ""
    absent: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    smallest: Cover = field(default=Cover((), True))

    @property
    def mutants(self) -> tuple[Row, ...]:
        """The rows of what is wrong, those recorded as right after all left out."""
        return tuple(row for row in self.rows if row.wrong and not row.dead)

    @property
    def survivors(self) -> tuple[Row, ...]:
        """The mutants that nothing caught in any run."""
        return tuple(row for row in self.mutants if not row.caught)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the contract is not sound, one sentence each; empty if it is."""
        return (*self.refused, *_problems(self))

    @property
    def exit_status(self) -> int:
        """0 sound; 1 not."""
        return int(bool(self.problems))


def audited_checks(
    levels: dict[str, Level], rows: tuple[Row, ...], silent: tuple[str, ...]
) -> tuple[AuditedCheck, ...]:
    """What each check caught."""
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


def smallest(rows: tuple[Row, ...]) -> Cover:
    """The smallest set of checks that catches every mutant which is caught."""
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
