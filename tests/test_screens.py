"""A check whose screen is broken is caught by what chex asserts: for each check that compares anything.

What a right candidate did is observed once. Then one thing of it is altered at a time, until the check's claims no
longer hold; its screen lets that pass, and its own judgement too.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnx_conformance
import nnx_reference
from altering import alterations
from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import Check, Contract, Violation, check
from nnx_conformance.core.plan import Request
from nnx_conformance.judging import engine
from nnx_conformance.judging.assertions import asserted
from nnx_conformance.judging.client import Client
from nnx_conformance.judging.drawn import parts
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.reference import Control
from nnx_conformance.sandbox.jail import ANY_JAIL

BROKEN = "chex: [Chex] Assertion"
#: Right candidates that do, together, what all checks compare.
RIGHT = {
    "mutability": ("adds_at_an_index",),
    "split-merge": ("batch_stat_and_reduce",),
    "lifted": ("all_of_it_is_compiled",),
    "running-mean": ("linen_batch_norm",),
    "module-laws": (
        "agrees_with_its_reference_in_numpy",
        "computes_in_half_and_says_so",
        "dropout_with_its_own_stream",
        "writes_all_that_empty_gives",
        "pins_what_it_writes",
        "averages_over_shards_where_there_are_any",
    ),
}
DRAWN, OBSERVED = 20, 2
#: A check whose claims none of so many alterations of one case breaks is tried on the next case.
MOST = 3000


class Blind(Claim):
    """A claim whose screen is broken: NumPy lets everything through."""

    def holds(self) -> bool:
        return True


def without_screen(check: Check) -> Check:
    """The same check, which finds nothing wrong."""
    claims = check.claims
    if claims is None:
        return check

    def unscreened(case: Case, reading: object) -> list[Claim]:
        return [Blind(claim.actual, claim.desired, claim.bound) for claim in claims(case, reading)]

    return dataclasses.replace(check, judge=lambda *_: None, claims=unscreened)


def observed(contract: Contract, name: str, domains: set[str]) -> Iterator[tuple[Request, Any]]:
    """What a right candidate did, on a few cases of these domains, with all that any check may need."""
    path = next(right.path for right in nnx_reference.rights(contract.name) if right.name == name)
    target, clock = parse(f"{path}::{contract.entry}"), Clock(Limits(), Control(contract.name, Limits()))
    with ForkServer(ANY_JAIL) as server:

        def opened() -> Process:
            return Process(target, clock, server)

        session = opened()
        session.load(contract.entry, contract.parameters, contract.observer)
        client = Client(contract, session, opened)
        try:
            for domain in (domain for domain in contract.domains if domain.name in domains):
                cases: list[Case] = []
                for part in parts(domain, 0):
                    engine.draw(part.cases, min(DRAWN, part.count(DRAWN)), 0, cases.append)
                for case in sorted(cases, key=lambda case: _tells_much(contract, case))[-OBSERVED:]:
                    request = Request(case, contract.observer.everything, contract.calls(case))
                    client.submit(request)
                    yield request, client.collect()
        finally:
            client.close()


def _tells_much(contract: Contract, case: Case) -> tuple[bool, bool, int]:
    """Few calls, as each is altered, but several; and several lanes or numbers."""
    calls = contract.calls(case)
    return calls <= 4, all(len(argument.data) > 1 for argument in case.arguments if argument.data.ndim), calls


def test_a_check_without_its_screen_is_violated_in_the_words_of_chex() -> None:
    made = check(id="x", level="MUST", requirement="", remedy="", wrong="", right="", claims=lambda *_: [Blind(*OFF)])

    judgement = asserted(made(lambda *_: None), Case("core", ()), None)

    assert isinstance(judgement, Violation)
    assert judgement.what.startswith(BROKEN)


OFF = (np.zeros(1), np.ones(1))


@pytest.mark.medium
def test_a_run_without_any_screen_reports_what_chex_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = contracts.get("mutability")
    blind = dataclasses.replace(whole, checks=tuple(map(without_screen, whole.checks)))
    monkeypatch.setattr(contracts, "get", lambda _: blind)
    mutant = next(mutant for mutant in nnx_reference.mutants() if mutant.name == "loops_one_time_too_many")

    report = nnx_conformance.check(mutant.load(), max_examples=6, shrink=False)

    assert BROKEN in next(finding.what for finding in report.findings if finding.check == "count-equals-calls")


@pytest.mark.medium
@pytest.mark.parametrize("name", contracts.names())
def test_what_a_screen_lets_through_chex_finds(name: str) -> None:
    contract = contracts.get(name)
    left = {each.id: without_screen(each) for each in contract.checks if each.claims}
    for right in RIGHT[name]:
        domains = {domain for each in left.values() for domain in each.domains}
        for request, facts in observed(contract, right, domains):
            for check_id in _refuted(contract, request, facts, list(left.values())):
                del left[check_id]

    assert sorted(left) == []


def _refuted(contract: Contract, request: Request, facts: Any, checks: list[Check]) -> set[str]:
    """The checks that chex refutes on some alteration of the facts of a case, though none of their screens works."""
    waiting = [each for each in checks if each.applies(request)]
    refuted: set[str] = set()
    for altered in itertools.islice(alterations(facts, type(facts)), MOST):
        if not waiting:
            break
        try:
            reading = contract.read(request.case, altered)
        except (LookupError, ValueError):  # facts that contradict themselves, which `consistent` refuses
            continue
        refuted |= {each.id for each in waiting if _is_refuted(each, request.case, reading)}
        waiting = [each for each in waiting if each.id not in refuted]
    return refuted


def _is_refuted(check: Check, case: Case, reading: Any) -> bool:
    try:
        judgement = asserted(check, case, reading)
    except (LookupError, ValueError, RuntimeError, TypeError, AttributeError):
        return False
    return isinstance(judgement, Violation) and judgement.what.startswith(BROKEN)
