"""What a check needs of a reading is resolved in one place, in the order in which the check declares it."""

from __future__ import annotations

import dataclasses
from typing import Any

from nnx_conformance.contract import CORE, MUST, Blocked, Case, Check, NotApplicable, Violation
from nnx_conformance.contracts.reading import unless
from nnx_conformance.core.contract import judgement
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.judging.tally import judge
from nnx_conformance.project import replay

CASE = Case(CORE, ())


def first(reading: dict[str, Any]) -> Blocked | None:
    return None if "first" in reading else Blocked("first")


def second(reading: dict[str, Any]) -> NotApplicable | None:
    return None if "second" in reading else NotApplicable("no second")


def violated(_: Case, reading: Any) -> Violation:
    return Violation("it is wrong", because=("its own",))


def made(*needs: Any, **more: Any) -> Check:
    return Check("a-check", MUST, "It is right.", "Fix it.", violated, "1", "2", needs=needs, **more)


def test_the_first_unmet_need_says_why_a_check_is_not_judged() -> None:
    check = made(first, second)

    assert judgement(check, CASE, {}) == Blocked("first")
    assert judgement(check, CASE, {"first": 1}) == NotApplicable("no second")
    assert judgement(check, CASE, {"first": 1, "second": 2}) == violated(CASE, None)


def test_a_check_without_its_needs_is_not_called() -> None:
    def never(_: Case, reading: Any) -> None:
        raise AssertionError(reading)

    assert judgement(dataclasses.replace(made(first), judge=never), CASE, {}) == Blocked("first")


def test_evidence_of_a_violation_needs_nothing_else() -> None:
    check = made(unless(lambda reading: "evidence" in reading, first, second))

    assert isinstance(judgement(check, CASE, {"evidence": 1}), Violation)
    assert judgement(check, CASE, {"first": 1}) == NotApplicable("no second")


def test_a_reworded_check_adds_causes_after_those_of_the_violation() -> None:
    check = made().reworded(remedy="Fix that.", wrong="3", right="4", because=("another",))
    violation = judgement(check, CASE, None)

    assert (check.requirement, check.remedy, check.wrong, check.right) == ("It is right.", "Fix that.", "3", "4")
    assert isinstance(violation, Violation)
    assert violation.because == ("its own", "another")


def test_the_facts_of_a_case_are_read_once_for_all_checks() -> None:
    from nnx_conformance.core import contracts

    read: list[Any] = []

    def reading(case: Case, facts: Any) -> Any:
        read.append(facts)
        return {"first": facts}

    checks = (made(first), dataclasses.replace(made(second), id="another"))
    contract = dataclasses.replace(contracts.get("running-mean"), checks=checks, read=reading)

    judged = judge(contract, Request(CASE, RunPlan(), 1), "facts")

    assert read == ["facts"]
    assert isinstance(judged["a-check"].judgement, Violation)
    assert judged["another"].judgement == NotApplicable("no second")
    assert list(judge(contract, Request(CASE, RunPlan(), 1), "facts", checks[1:])) == ["another"]


def test_a_replay_resolves_needs_too() -> None:
    from nnx_conformance.core import contracts

    class Answers:
        contract = dataclasses.replace(contracts.get("running-mean"), read=lambda case, facts: {})

        def submit(self, request: Request) -> None: ...

        def collect(self) -> str:
            return "facts"

    replayed = replay._tried(Answers(), made(first), Request(CASE, RunPlan(), 1), 1)  # type: ignore[arg-type]

    assert (replayed.outcome, replayed.why) == ("cannot be replayed", "the case now breaks first first")
