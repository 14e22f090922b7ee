"""The picture of the state's timeline: what is counted call by call, and how it is laid out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnx_reference
from nnx_conformance import check
from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.contracts.module_laws.facts import ProgramFacts, StepFacts
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.contracts.module_laws.laws.timeline import timeline as steps_of
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Raised
from nnx_conformance.core.timeline import SHOWN, Point, StateChange, Timeline, TimelineStep, thinned
from nnx_conformance.reports.picture import picture

PROGRAM = Case("core", ())

MUTANTS = Path(nnx_reference.__file__).parent / "mutability" / "mutants"


def counted(name: str, check_id: str, **options: object) -> Timeline:
    """The timeline of a finding about a mutant."""
    report = check(str(MUTANTS / f"{name}.py"), max_examples=60, checks=(check_id,), **options)  # type: ignore[arg-type]
    (found,) = report.findings
    assert found.timeline is not None
    return found.timeline


@pytest.mark.slow
def test_a_lost_wrapper_is_held_by_something_else() -> None:
    timeline = counted("assigns_array_to_attribute", "wrapper-kept")
    assert timeline == Timeline(
        "Counter.count", (Point(0, 0.0, 0.0, "nnx.Variable", True), Point(1, 1.0, 1.0, "jax.Array", False))
    )
    assert timeline.departs == timeline.points[1]


@pytest.mark.slow
def test_a_wrong_count_departs_where_it_is_first_wrong() -> None:
    timeline = counted("counts_two_per_call_for_half_the_calls", "one-increment-per-call")
    assert timeline.departs == Point(1, 1.0, 2.0, "nnx.Variable", True)


@pytest.mark.slow
def test_a_call_that_is_not_made_is_missing() -> None:
    timeline = counted("gives_up_after_forty_nine_calls", "one-increment-per-call")
    assert timeline.departs == Point(50, 50.0, None, "", False)
    assert len(timeline.points) <= SHOWN


def test_a_violation_before_any_case_has_none(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    (found,) = check(str(tmp_path / "broken.py"), max_examples=2).findings
    assert found.timeline is None


def test_a_python_object_has_its_code_and_its_timeline(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text((MUTANTS / "assigns_array_to_attribute.py").read_text())
    names: dict[str, object] = {"__name__": "mine"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    report = check(names["mutability_increment_count"], max_examples=2, checks=("wrapper-kept",))  # type: ignore[arg-type]
    (found,) = report.findings
    assert found.timeline is not None and found.timeline.name == "Counter.count"
    assert found.excerpt is not None and found.line is not None
    assert found.excerpt.lines[found.line.number - found.excerpt.first].strip() == found.line.source


def points(*observed: float | None) -> tuple[Point, ...]:
    return tuple(Point(call, float(call), number, "nnx.Variable", True) for call, number in enumerate(observed))


def test_many_points_are_thinned_but_not_where_it_departs() -> None:
    many = points(*map(float, range(600)), *map(float, range(601, 1001)))
    kept = thinned(many)
    assert len(kept) <= SHOWN + 2
    assert {0, 599, 600, 601, 999} <= {point.call for point in kept}
    assert thinned(many[:SHOWN]) == many[:SHOWN]


def test_a_picture_holds_every_point_and_says_it_in_words() -> None:
    drawn = picture(Timeline("Counter.count", (*points(0.0, 1.0, 1.0), Point(3, 3.0, None, "", False))))
    assert [dot.wrong for dot in drawn.dots] == [False, False, True]
    assert len(drawn.missing) == 1
    assert len(drawn.expected.split()) == 4
    assert len(drawn.observed.split()) == 3
    assert drawn.text == (
        "before the first call: 0 expected, 0 observed; after call 1: 1 expected, 1 observed; "
        "after call 2: 2 expected, 1 observed; after call 3: 3 expected, nothing observed"
    )
    assert [tick.text for tick in drawn.columns] == [tick.text for tick in drawn.rows] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("extreme", [0.0, -7.0, 1e-9, 64.0, 1000.0, 1e30, -1e300, 1.7e308])
def test_any_number_has_a_place_and_a_few_ticks(extreme: float) -> None:
    drawn = picture(Timeline("Counter.count", points(0.0, extreme)))
    assert 1 <= len(drawn.rows) <= 5
    assert all(0 <= dot.y <= drawn.height and 0 <= dot.x <= drawn.width for dot in drawn.dots)
    assert all(0 <= tick.at <= drawn.height for tick in drawn.rows)


def test_what_is_held_by_another_thing_is_said() -> None:
    text = picture(Timeline("Counter.count", (Point(0, 0.0, 0.0, "int", False),))).text
    assert text == "before the first call: 0 expected, 0 observed, held by int"


def leaf(number: float, path: str = "mean") -> LeafFacts:
    array = np.full((), number, np.float32)
    return LeafFacts(path, "nnx.BatchStat", True, False, False, True, False, "float32", False, array, "")


def ran(operation: str, subject: float, twin: float) -> StepFacts:
    return StepFacts(operation, "", Side(state=(leaf(subject), leaf(7, "scale"))), Side(state=(leaf(twin),)))


def test_the_steps_of_a_program_say_what_they_changed_in_subject_and_twin() -> None:
    raised = Side(raised=Raised("TypeError", "no", None, (), False))
    facts = ProgramFacts(
        start=(leaf(0), leaf(7, "scale")),
        twin_start=(leaf(0),),
        steps=(
            ran("call", 1, 1),
            StepFacts("vmap", "no axis"),
            ran("jit", 1, 2),
            StepFacts("cond", "", raised, ran("", 0, 3).twin),
        ),
        traits=(),
        inputs=(),
        mode="graph",
        skipped="",
        where="",
        warnings=(),
    )
    shown = steps_of(PROGRAM, ProgramReading(facts))
    assert shown is not None
    only_here = StateChange("scale", "unchanged", "unchanged", False)
    assert shown.steps == (
        TimelineStep(1, "call", (only_here, StateChange("mean", "0.0 → 1.0", "0.0 → 1.0", True))),
        TimelineStep(3, "jit", (StateChange("mean", "unchanged", "1.0 → 2.0", False), only_here)),
        TimelineStep(
            4,
            "cond",
            (
                StateChange("raised", "TypeError: no", "nothing", False),
                StateChange("mean", "unchanged", "2.0 → 3.0", False),
                only_here,
            ),
        ),
    )


def test_a_program_that_changes_nothing_has_no_steps_to_show() -> None:
    facts = ProgramFacts((leaf(0),), (), (), (), "graph", "", "", (), twin_start=(leaf(0),))
    assert steps_of(PROGRAM, ProgramReading(facts)) is None
