"""The tests that `parametrize_with_checks` asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from nnx_conformance import candidates as known_candidates
from nnx_conformance import contract as contracts
from nnx_conformance.errors import Misuse, expected
from nnx_conformance.parametrize import Candidate, module_name, short_name
from nnx_conformance.pytest_runs import Runs, runs
from nnx_conformance.pytest_settle import settle

NEEDED = ("candidate", "check")


@dataclass(frozen=True)
class BoundCheck:
    """One check of one candidate; calling it with the candidate judges, or takes the report that is there.

    Attributes:
        id, level, requirement: of the check.
    """

    id: str
    level: str
    requirement: str
    _candidate: Candidate = field(repr=False)
    _runs: Runs = field(repr=False)
    _contract: str = field(repr=False)
    _key: str = field(repr=False)

    def __call__(self, candidate: Candidate) -> None:
        """End the running test as the check's result says."""
        __tracebackhide__ = True
        if candidate is not self._candidate:
            error = expected("the test's own candidate", "candidate", candidate, "Call `check(candidate)`.")
            pytest.fail(f"nnx-conformance: {error}", pytrace=False)
        settle(self._runs.report(candidate, self._contract, self._key), self.id)


def parametrize(metafunc: pytest.Metafunc, contract_name: str, candidates: tuple[Candidate, ...]) -> None:
    """One test for each candidate and check."""
    test = metafunc.definition.name
    if not set(NEEDED) <= set(metafunc.fixturenames):
        mend = f"Write `def {test}(candidate, check): check(candidate)`."
        given = tuple(metafunc.fixturenames)
        pytest.fail(f"nnx-conformance: {expected('a test of candidate and check', test, given, mend)}", pytrace=False)
    try:
        made, contract = runs(metafunc.config), contracts.get(contract_name)
        names = [one if isinstance(one, str) else module_name(one) for one in candidates]
        known_candidates.known(made.submission.project, names)
        known_candidates.known_checks(made.submission.project)
    except Misuse as error:
        pytest.fail(f"nnx-conformance: {error}", pytrace=False)
    short = [short_name(candidate) for candidate in candidates]
    ids = short if len(set(short)) == len(short) else names
    tests: list[Any] = []
    for position, (candidate, name) in enumerate(zip(candidates, ids, strict=True)):
        tests += _tests(metafunc, made, contract, candidate, name, f"{metafunc.definition.nodeid} {position}")
    metafunc.parametrize(NEEDED, tests)


def _tests(
    metafunc: pytest.Metafunc, made: Runs, contract: contracts.Contract, candidate: Candidate, name: str, key: str
) -> list[Any]:
    marks = [pytest.mark.xdist_group(key)] if metafunc.config.pluginmanager.hasplugin("xdist") else []
    return [
        pytest.param(
            candidate,
            BoundCheck(check.id, check.level, check.requirement, candidate, made, contract.name, key),
            id=f"{name}-{check.id}",
            marks=marks,
        )
        for check in contract.checks
    ]
