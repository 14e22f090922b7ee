"""Generates the tests of `parametrize_with_checks`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.project import candidates as known_candidates
from nnx_conformance.pytest_plugin.parametrize import CandidateLike, ids_of, module_name
from nnx_conformance.pytest_plugin.results import settle
from nnx_conformance.pytest_plugin.session_reports import SessionReports, session_reports

NEEDED = ("candidate", "check")


@dataclass(frozen=True)
class BoundCheck:
    """One check of one candidate. Calling it with the candidate judges that, or uses its report if there is one.

    Attributes:
        id, level, requirement: the check's.
    """

    id: str
    level: str
    requirement: str
    _candidate: CandidateLike = field(repr=False)
    _reports: SessionReports = field(repr=False)
    _contract: str = field(repr=False)
    _key: str = field(repr=False)

    def __call__(self, candidate: CandidateLike) -> None:
        """End the running test according to the check's result."""
        __tracebackhide__ = True
        if candidate is not self._candidate:
            error = expected("the test's own candidate", "candidate", candidate, "Call `check(candidate)`.")
            pytest.fail(f"nnx-conformance: {error}", pytrace=False)
        report = self._reports.report(candidate, self._contract, self._key)
        settle(report, self.id, recorded=self._reports.records(report, self.id))


def parametrize(metafunc: pytest.Metafunc, contract_name: str, candidates: tuple[CandidateLike, ...]) -> None:
    """Parametrize a test with each candidate and check."""
    test = metafunc.definition.name
    if not set(NEEDED) <= set(metafunc.fixturenames):
        fix = f"Write `def {test}(candidate, check): check(candidate)`."
        names = tuple(metafunc.fixturenames)
        pytest.fail(f"nnx-conformance: {expected('a test of candidate and check', test, names, fix)}", pytrace=False)
    try:
        session, contract = session_reports(metafunc.config), contracts.get(contract_name)
        targets = [subject if isinstance(subject, str) else module_name(subject) for subject in candidates]
        known_candidates.known(session.options.project, targets)
        known_candidates.known_checks(session.options.project)
    except Misuse as error:
        pytest.fail(f"nnx-conformance: {error}", pytrace=False)
    tests: list[Any] = []
    for position, (candidate, name) in enumerate(zip(candidates, ids_of(candidates), strict=True)):
        tests += _tests(metafunc, session, contract, candidate, name, f"{metafunc.definition.nodeid} {position}")
    metafunc.parametrize(NEEDED, tests)


def _tests(
    metafunc: pytest.Metafunc,
    session: SessionReports,
    contract: Contract,
    candidate: CandidateLike,
    name: str,
    key: str,
) -> list[Any]:
    marks = [pytest.mark.xdist_group(key)] if metafunc.config.pluginmanager.hasplugin("xdist") else []
    return [
        pytest.param(
            candidate,
            BoundCheck(check.id, check.level, check.requirement, candidate, session, contract.name, key),
            id=f"{name}-{check.id}",
            marks=marks,
        )
        for check in contract.checks
    ]
