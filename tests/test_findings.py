"""What a person reads: the pitfall, the line, the smallest case, the cause and the remedy."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path

import flax
import numpy as np
import pytest
from rich.console import Console

from nnx_conformance import Finding, Report, check
from nnx_conformance.contracts.counter.calls import _changed
from nnx_conformance.contracts.counter.domain import COMPONENTS
from nnx_conformance.core.current import current, installed
from nnx_conformance.core.facts import Value
from nnx_conformance.core.report import STATUSES
from nnx_conformance.reports import terminal

COUNTER = """
    import jax
    import jax.numpy as jnp
    from flax import nnx


    class Counter(nnx.Module):
        def __init__(self, rngs):
            rngs.params()
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x):
            self.count.value = self.count.value + 1.0
            return x


    def mutability_increment_count(seed, x, n_calls):
        model = Counter(nnx.Rngs(int(seed)))
        last_x = x
        for _ in range(int(n_calls)):
            last_x = model(x)
        return jnp.array([model.count.value, last_x.sum()])
"""
RAISE = "self.count.value = self.count.value + 1.0"
LOOP = "last_x = model(x)"
FLAX = tuple(map(int, flax.__version__.split(".")[:2]))


def judged(old: str = "", new: str = "", *, name: str = "solution", **options: object) -> Report:
    """The report of the right solution with one text replaced."""
    source = textwrap.dedent(COUNTER).lstrip()
    assert old in source
    namespace: dict[str, object] = {"__name__": name}
    path = Path(FOLDER) / f"{name}.py"
    path.write_text(source.replace(old, new) if old else source)
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    settings = {"max_examples": 12, **options}
    return check(namespace["mutability_increment_count"], **settings)  # type: ignore[arg-type]


FOLDER = ""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import linecache

    linecache.clearcache()
    monkeypatch.setattr(f"{__name__}.FOLDER", str(tmp_path))


def finding(report: Report, check_id: str) -> Finding:
    return next(found for found in report.findings if found.check == check_id)


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    terminal.show(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_pitfall_1_a_lost_wrapper_is_reported_with_its_line() -> None:
    report = judged(RAISE, "self.count = self.count + 1.0")

    found = finding(report, "wrapper-kept")
    assert report.verdict == "does not conform"
    assert str(found.line) == "solution.py:12"
    assert found.line is not None and found.line.source == "self.count = self.count + 1.0"
    assert found.what == "in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array"
    assert found.cause.startswith("assigning to the attribute replaces the Variable")
    assert current("self.count.value = self.count.value + 1.0", installed()) in found.remedy
    assert {"count-equals-calls", "result-reads-state", "returns-pair"} <= set(found.blocks)
    assert str(found.case) == "seed=0.0  x=[0.]  n_calls=1.0"


@pytest.mark.medium
def test_pitfall_2_a_mutation_of_a_closed_over_model_in_jit_names_the_trace() -> None:
    report = judged(LOOP, "last_x = jax.jit(lambda x: model(x))(x)")

    found = finding(report, "no-traced-mutation")
    assert "TraceContextError" in found.what
    assert found.line is not None and found.line.source == "last_x = jax.jit(lambda x: model(x))(x)"
    assert found.cause == "a Variable from outside a trace was changed inside it (solution.py:12)"
    assert "returns-pair" in found.blocks


@pytest.mark.slow
def test_pitfall_2_a_model_given_to_plain_jit_is_named_whether_it_raises_or_loses_silently() -> None:
    report = judged(LOOP, "last_x = jax.jit(lambda model, x: model(x))(model, x)")

    found = finding(report, "no-traced-mutation")
    if FLAX < (0, 11):
        assert found.cause == "a module was given to a plain JAX transform, which does not know its state"
    else:
        assert found.what.startswith("result[0] is 0 after n_calls=1")
        assert found.cause.startswith("a plain JAX transform updates a copy of the module")
        assert str(found.line) == "solution.py:20"
    assert [other.check for other in report.findings if other.level == "MUST"] == ["no-traced-mutation"]


@pytest.mark.medium
def test_pitfall_3_an_in_place_add_on_the_contents_is_advice_with_its_line() -> None:
    report = judged(RAISE, "self.count.value += 1")

    found = finding(report, "no-in-place-add")
    assert report.verdict == "conforms"
    assert str(found.line) == "solution.py:12"
    assert found.cause.startswith("the exercise forbids it")
    assert found.level == "SHOULD"


def test_pitfall_3_an_in_place_add_on_the_variable_fails_where_flax_refuses_it() -> None:
    report = judged(RAISE, "self.count += 1")

    assert finding(report, "no-in-place-add").line is not None
    if FLAX in ((0, 10), (0, 11)):
        assert report.verdict == "conforms"
    else:
        found = finding(report, "returns-pair")
        assert found.cause == "this Flax has no in-place operator there; write the assignment out"
        assert str(found.line) == "solution.py:12"


@pytest.mark.medium
@pytest.mark.parametrize(
    ("loop", "times"),
    [
        ("range(int(n_calls) + 1)", "twice"),
        pytest.param("range(int(n_calls) - 1)", "0", marks=pytest.mark.slow),  # where no call shows, all is traced anew
    ],
)
def test_pitfall_4_a_loop_off_by_one_is_named(loop: str, times: str) -> None:
    report = judged("range(int(n_calls))", loop)

    assert finding(report, "count-equals-calls").expected == "1"
    found = finding(report, "one-increment-per-call")
    assert found.what.startswith("the module ran ")
    assert finding(report, "count-equals-calls").violated > 0


def test_a_count_that_is_changed_after_the_calls_has_that_line_and_cause() -> None:
    undo = "model.count.value = model.count.value - 1.0"
    report = judged("    return jnp.array", f"    {undo}\n    return jnp.array", checks=("count-equals-calls",))

    found = finding(report, "count-equals-calls")
    assert found.cause == "the calls raise the count by 1; it is also changed outside of them"
    assert found.line is not None and found.line.source == undo


def test_pitfall_5_a_param_counter_is_named_with_what_an_optimiser_does() -> None:
    report = judged("nnx.Variable(", "nnx.Param(")

    found = finding(report, "counter-not-param")
    assert found.what == "the count sits in `count`, of type nnx.Param"
    assert "weight decay" in found.cause
    assert [other.check for other in report.findings if other.level == "MUST"] == ["counter-not-param"]


@pytest.mark.medium
def test_a_hard_coded_result_fails_for_want_of_a_module() -> None:
    report = check(lambda seed, x, n_calls: hard_coded(n_calls, x), max_examples=5)

    assert finding(report, "counts-in-variable").what == "the call created no nnx.Module"
    assert report.verdict == "does not conform"


def hard_coded(n_calls: float, x: object) -> object:
    import jax.numpy as jnp

    return jnp.array([n_calls, x.sum()])  # type: ignore[attr-defined]


@pytest.mark.medium
def test_a_hard_coded_result_beside_a_decorative_model_reads_neither_state_nor_output() -> None:
    report = judged("jnp.array([model.count.value, last_x.sum()])", "jnp.array([n_calls, x.sum()])")

    must = {found.check for found in report.findings if found.level == "MUST"}
    assert must == {"result-reads-state", "result-reads-output"}
    assert "stayed the same" in finding(report, "result-reads-state").what


def test_one_bug_does_not_hide_another() -> None:
    report = judged("nnx.Variable(jnp.array(0.0))", "nnx.Param(jnp.array(1.0))")

    must = {found.check for found in report.findings if found.level == "MUST"}
    assert {"counter-not-param", "count-equals-calls", "counts-in-variable"} <= must


@pytest.mark.slow
def test_each_finding_has_a_smallest_case_of_its_own() -> None:
    report = judged(
        "return jnp.array([model.count.value, last_x.sum()])",
        "total = last_x.sum() if len(x) < 3 else 0.5\n    return jnp.array([model.count.value + (n_calls > 5), total])",
        max_examples=60,
    )

    assert finding(report, "count-equals-calls").case is not None
    assert str(finding(report, "count-equals-calls").case) == "seed=0.0  x=[0.]  n_calls=6.0"
    assert str(finding(report, "sum-preserved").case) == "seed=0.0  x=[0., 0., 0.]  n_calls=1.0"


@pytest.mark.medium
def test_the_smallest_case_of_what_comes_and_goes_is_the_smallest() -> None:
    wrong = "    if int(n_calls) % 7 == 0:\n        return jnp.array([0.0, last_x.sum()])\n    return jnp.array"
    report = judged("    return jnp.array", wrong, checks=("count-equals-calls",), max_examples=60)

    assert str(finding(report, "count-equals-calls").case) == "seed=0.0  x=[0.]  n_calls=7.0"


@pytest.mark.medium
def test_a_model_that_outlives_the_call_is_the_cause_and_its_wrong_counts_are_symptoms() -> None:
    report = judged(
        "def mutability_increment_count(seed, x, n_calls):\n    model = Counter(nnx.Rngs(int(seed)))",
        "model = Counter(nnx.Rngs(0))\n\n\ndef mutability_increment_count(seed, x, n_calls):",
    )

    found = finding(report, "fresh-state-per-run")
    assert "count-equals-calls" in found.blocks
    assert "run again" in found.what
    assert finding(report, "counts-in-variable").what == "the call used a Counter that was made before it"


@pytest.mark.medium
def test_chance_becomes_the_finding_that_it_is() -> None:
    report = judged("model.count.value, last", "model.count.value + float(random.random() < 0.3), last")
    assert report.verdict == "does not conform"  # `random` is not imported: it raises

    report = judged(
        "    return jnp.array([model.count.value, last_x.sum()])",
        "    import random\n\n    return jnp.array([model.count.value + float(random.random() < 0.3), last_x.sum()])",
        max_examples=40,
    )
    assert {found.check for found in report.findings if found.level == "MUST"} == {"fresh-state-per-run"}


def test_a_candidate_that_raises_is_reported_with_its_line_and_blocks_the_rest() -> None:
    report = judged(LOOP, "last_x = model(x[1000])  # type: ignore" if False else "last_x = model(x, 1)")

    found = finding(report, "returns-pair")
    assert found.what.startswith("the candidate raised TypeError")
    assert str(found.line) == "solution.py:20"
    assert report.result("count-equals-calls").status == "blocked"
    assert report.result("count-equals-calls").blocked_by == ("returns-pair",)


@pytest.mark.skipif(flax.__version__.startswith("0.8."), reason="this Flax takes a float for a seed")
def test_a_seed_that_is_not_converted_has_the_fix() -> None:
    found = finding(judged("nnx.Rngs(int(seed))", "nnx.Rngs(seed)"), "returns-pair")
    assert found.cause == "`seed` comes as a float, and `nnx.Rngs` takes an integer or a key"
    assert found.remedy == "Convert first, `nnx.Rngs(int(seed))`."


@pytest.mark.medium
def test_the_accounting_adds_up_and_zero_evaluated_is_never_held() -> None:
    for report in (judged(), judged(RAISE, "self.count = self.count + 1.0"), judged(LOOP, "raise ValueError")):
        assert sum(map(report.count, STATUSES)) == len(report.checks) == 27
        assert all(result.evaluated > 0 for result in report.checks if result.status == "held")


def test_a_report_reads_as_the_design_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = shown(judged(RAISE, "self.count = self.count + 1.0"))

    assert text.splitlines()[0] == "wrapper-kept  MUST  violated on 12 of 12 cases"
    assert "  solution.py:12   self.count = self.count + 1.0" in text
    assert "  smallest case  seed=0.0  x=[0.]  n_calls=1.0" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.medium
def test_strict_lets_advice_decide() -> None:
    assert judged(RAISE, "self.count.value += 1").verdict == "conforms"
    assert judged(RAISE, "self.count.value += 1", strict=True).verdict == "does not conform"


def test_an_output_that_differs_where_arrays_are_not_written_out_is_named_by_the_element() -> None:
    x = np.arange(30, dtype=np.float32)
    clipped = np.where(x == 15, np.float32(14.5), x)
    case = COMPONENTS.put(COMPONENTS.base, "x", x)
    assert case is not None

    violation = _changed(case, Value("jax.Array", clipped, ""), "call 1 of 7", None)

    assert violation.what == "call 1 of 7 returned 14.5 for x[15]=15"
    assert (violation.expected, violation.observed) == ("15 at [15]", "14.5 at [15]")
