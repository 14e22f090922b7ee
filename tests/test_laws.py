"""The module laws: each caught on a module that breaks it, and none on modules that are right, if odd."""

from __future__ import annotations

import collections
import gc
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import subjects as others
from nnx_conformance import Misuse, Subject, check, check_module
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as subjects
from nnx_conformance.contracts.module_laws.execution.skip_reasons import HAS_MODES
from nnx_conformance.contracts.module_laws.execution.snapshots import state
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.core.report import Report
from nnx_conformance.judging.engine import draw
from nnx_reference import Implementation, mutants

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
INPUTS = [X, 2 * X]


def write(variable: Any, value: Any) -> None:
    """On every Flax, and without a deprecation warning where there is another way."""
    if hasattr(variable, "set_value"):
        variable.set_value(value)
    else:
        variable.value = value


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def _mutant(name: str) -> Implementation:
    mutant = next(one for one in mutants("module-laws") if one.name == name)
    if not mutant.applies_to(flax.__version__):
        pytest.skip(f"{name} needs another Flax")
    return mutant


def judged(make: Any, *checks: str, inputs: Any = INPUTS, **traits: Any) -> Report:
    return check_module(Subject(make, inputs, traits), max_examples=8, shrink=False, checks=checks)


def violated(report: Report) -> list[str]:
    return [finding.check for finding in report.findings]


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1)
        return x


class LosesWrapper(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = read(self.count) + 1 if isinstance(self.count, nnx.Variable) else self.count + 1
        return x


class CountsInPython(Counter):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return super().__call__(x) * self.calls


class KeepsStatisticAsParam(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = nnx.Param(jnp.zeros(4))

    def __call__(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * jnp.mean(x, 0))
        return x - read(self.mean)


class AsksForConcreteValues(Counter):
    def __call__(self, x: Any) -> Any:
        super().__call__(x)
        return x if read(self.count) > 2 else 2 * x


class EditsItsInput(Counter):
    def __call__(self, x: Any) -> Any:
        super().__call__(x)
        if isinstance(x, np.ndarray):
            x -= 1
        return 1 * x


class EditsASharedBuffer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.buffer = nnx.Variable(np.zeros(4, np.float32))

    def __call__(self, x: Any) -> Any:
        held = read(self.buffer)
        if isinstance(held, np.ndarray):
            held += 1
        else:
            write(self.buffer, held + 1)
        return x


class DrawsItsScaleFromTheSeed(Counter):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.scale = float(jax.random.uniform(rngs.params()))

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) * self.scale


class IgnoresEval(Counter):
    deterministic = False


class UsesOneKey(Counter):
    def __call__(self, x: Any) -> Any:
        super().__call__(x)
        return x * jax.random.bernoulli(jax.random.key(0), 0.5, x.shape)


class CountsInBfloat16(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.count = nnx.Variable(jnp.zeros((), jnp.bfloat16))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + jnp.bfloat16(1))
        return x


class PromotesItsCount(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1.5)
        return x


class Grows(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.seen = nnx.Cache(jnp.zeros((0, 4)))

    def __call__(self, x: Any) -> Any:
        write(self.seen, jnp.concatenate([read(self.seen), x]))
        return x


class LosesItsCount(Counter):
    def __call__(self, x: Any) -> Any:
        return Counter.__call__(nnx.clone(self), x)


WRONG: list[tuple[Any, str, dict[str, bool]]] = [
    (LosesWrapper, "wrapper-kept", {}),
    (CountsInPython, "no-hidden-state", {}),
    (KeepsStatisticAsParam, "params-untouched", {}),
    (KeepsStatisticAsParam, "optimizer-safe", {}),
    (AsksForConcreteValues, "jit-agrees", {}),
    (AsksForConcreteValues, "cond-agrees", {}),
    (AsksForConcreteValues, "remat-agrees", {}),
    (EditsItsInput, "input-untouched", {}),
    (EditsASharedBuffer, "clone-independent", {}),
    (DrawsItsScaleFromTheSeed, "checkpoint-resumes", {}),
    (IgnoresEval, "eval-frozen", {"has_eval_mode": True}),
    (UsesOneKey, "rng-advances", {"draws_randomness": True}),
    (UsesOneKey, "rng-reproducible", {"draws_randomness": True}),
    (CountsInBfloat16, "state-precision", {}),
    (PromotesItsCount, "structure-stable", {}),
    (Grows, "no-growth", {}),
    (LosesItsCount, "updates-kept", {}),
]


@pytest.mark.parametrize(("make", "law", "traits"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_a_law_is_broken_by_what_breaks_it(make: Any, law: str, traits: dict[str, bool]) -> None:
    assert violated(judged(make, law, **traits)) == [law]


class Noisy(nnx.Module):
    """Holds a key of its own, which it splits in each call."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.key = nnx.Variable(rngs.params())

    def __call__(self, x: Any) -> Any:
        key, used = jax.random.split(read(self.key))
        write(self.key, key)
        return x + jax.random.normal(used, x.shape)


class RemembersItsInput(Counter):
    """State that has the shape of the input; where that is always the same, no call changes it."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.last = nnx.Cache(jnp.zeros((3, 4)))

    def __call__(self, x: Any) -> Any:
        write(self.last, x * 1.0)
        return x


RIGHT: list[tuple[Any, dict[str, bool]]] = [
    (Counter, {}),
    (lambda rngs: nnx.BatchNorm(4, rngs=rngs), {"has_eval_mode": True}),
    (lambda rngs: nnx.Dropout(0.5, rngs=rngs), {"has_eval_mode": True, "draws_randomness": True}),
    (Noisy, {"draws_randomness": True}),
    (RemembersItsInput, {}),
    (KeepsStatisticAsParam, {"rewrites_param": True}),
    (Grows, {"grows": True}),
]
NAMES = ["Counter", "BatchNorm", "Dropout", "Noisy", "RemembersItsInput", "rewrites_param", "grows"]


@pytest.mark.slow
@pytest.mark.parametrize(("make", "traits"), RIGHT, ids=NAMES)
def test_what_keeps_all_laws_is_not_accused(make: Any, traits: dict[str, bool]) -> None:
    inputs = INPUTS if make is RemembersItsInput else [*INPUTS, X[:2]]
    report = check_module(Subject(make, inputs, traits), max_examples=80)
    assert report.verdict == "conforms", report.findings
    assert violated(report) == []


class Loops(nnx.Module):
    """Runs for as many rounds as its state says, which JAX differentiates in no module."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.scale = nnx.Param(jnp.ones(()))
        self.rounds = nnx.Variable(jnp.int32(0))

    def __call__(self, x: Any) -> Any:
        write(self.rounds, read(self.rounds) + 1)
        carry = x, read(self.rounds)
        return jax.lax.while_loop(lambda c: c[1] > 0, lambda c: (c[0] * read(self.scale), c[1] - 1), carry)[0]


@pytest.mark.medium
def test_what_jax_cannot_differentiate_is_no_fault_of_a_module() -> None:
    report = judged(Loops, "grad-clean", "optimizer-safe", "jit-agrees")
    assert violated(report) == []
    for law in ("grad-clean", "optimizer-safe"):
        reason = report.result(law).reason
        assert reason.startswith("JAX cannot differentiate its call: Reverse-mode differentiation does not work"), (
            reason
        )
    assert report.result("jit-agrees").status == "held"


def test_what_a_trait_rules_out_is_not_applicable_and_says_why() -> None:
    report = judged(KeepsStatisticAsParam, "params-untouched", "rng-advances", rewrites_param=True)
    told = {result.id: (result.status, result.reason) for result in report.checks}
    assert told == {
        "params-untouched": ("not applicable", "it rewrites a Param on purpose"),
        "rng-advances": ("not applicable", "it declares no randomness"),
    }


@pytest.mark.medium
def test_one_mistake_is_one_finding_that_also_breaks_the_rest() -> None:
    report = judged(CountsInPython)
    heads = [finding.check for finding in report.findings if not finding.because]
    assert heads == ["no-hidden-state"]
    assert len(report.findings) > 1


def test_a_finding_names_the_step_and_shows_the_program() -> None:
    (finding,) = judged(AsksForConcreteValues, "jit-agrees").findings
    assert str(finding.case) == "make(0) jit[0]"
    assert finding.what.startswith("step 1, `jit`, raised TracerBoolConversionError: ")
    assert finding.line is not None
    assert finding.line.source == "return x if read(self.count) > 2 else 2 * x"


@pytest.mark.parametrize(
    ("make", "law", "program", "traits"),
    [
        (IgnoresEval, "eval-frozen", "make(0) eval call[0]", {"has_eval_mode": True}),
        (UsesOneKey, "rng-advances", "make(0) call[0] call[0]", {"draws_randomness": True}),
        (LosesItsCount, "updates-kept", "make(0) call[0] watch[0]", {}),
        (EditsItsInput, "input-untouched", "make(0) call[0 as numpy]", {}),
        (Grows, "no-growth", "make(0) call[0] call[0]", {}),
        (CountsInPython, "no-hidden-state", "make(0) call[0] graft[0]", {}),
    ],
)
def test_no_operation_of_a_smallest_program_can_go(make: Any, law: str, program: str, traits: dict[str, bool]) -> None:
    (finding,) = check_module(Subject(make, INPUTS, traits), max_examples=8, checks=(law,)).findings
    assert str(finding.case) == program


def test_a_dict_is_as_good_as_a_subject() -> None:
    report = check_module({"make": Grows, "inputs": INPUTS}, max_examples=8, checks=("no-growth",))
    assert violated(report) == ["no-growth"]
    assert report.candidate == "Grows"


def fails(rngs: nnx.Rngs) -> Any:
    raise ValueError("no such size")


BAD: list[tuple[Any, str]] = [
    (
        Subject(fails, INPUTS, name="mine"),
        r"Subject 'mine': Expected a module from make\(nnx.Rngs\(0\)\) but it raised ValueError: no such size "
        r"\(test_laws.py:\d+\). Let `make\(rngs\)` make a new module at every call.",
    ),
    (
        Subject(lambda rngs: 3, INPUTS, name="mine"),
        r"Subject 'mine': Expected an nnx.Module but got make\(nnx.Rngs\(0\)\)=3 \(type=int\)\.",
    ),
    (
        Subject(Counter, [(X, X)], name="mine"),
        r"Subject 'mine': Expected inputs that fit but a call on input \[0\] = .* raised TypeError: .* "
        r"Let `inputs` give what a call takes: a tuple stands for several arguments.",
    ),
    (
        Subject(Noisy, INPUTS, name="mine"),
        r"Subject 'mine': Expected a call that draws no randomness, as no trait declares it, but it draws some. "
        r"Declare it: `traits=\{'draws_randomness': True\}`.",
    ),
    (
        Subject(Counter, 3, name="mine"),
        r"Subject 'mine': Expected a strategy or a list but got inputs=3 \(type=int\)\.",
    ),
    (Subject(Counter, [], name="mine"), r"Subject 'mine': Expected one input at least but got inputs=\[\]"),
    ({"make": Counter}, r"Subject '.*': Expected a subject with 'inputs' but got the keys \['make'\]. Add `'inputs'"),
    (
        {"make": Counter, "input": X},
        r"Expected a field of a Subject but got subject='input' .* Did you mean 'inputs'\?",
    ),
    (
        nnx.Dropout,
        r"Its arguments cannot be guessed: write `subject = Subject\(make=lambda rngs: Dropout\(..., rngs=rngs\)",
    ),
]


@pytest.mark.parametrize(("subject", "message"), BAD, ids=range(len(BAD)))
def test_a_subject_that_does_not_fit_together_is_misuse(subject: Any, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        check_module(subject, max_examples=8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"make": 3}, r"Expected a function that makes a module from an nnx.Rngs but got make=3 \(type=int\)\."),
        ({"traits": {"grow": True}}, r"Expected a trait of a module but got traits='grow' .* Did you mean 'grows'\?"),
        (
            {"traits": {"grows": 1}},
            r"Expected True or False but got traits\['grows'\]=1 \(type=int\)\. It says whether",
        ),
        ({"traits": {"rtol": -1}}, r"Expected a number >= 0 but got traits\['rtol'\]=-1 \(type=int\)\."),
        ({"traits": []}, r"Expected a dict of traits but got traits=\[\] \(type=list\)\."),
        ({"horizon": 0}, r"Expected a whole number >= 1 but got horizon=0 \(type=int\)\."),
        ({"call": None}, r"Expected a function but got call=None \(type=NoneType\)\."),
    ],
)
def test_a_subject_says_what_is_wrong_with_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Misuse, match=message):
        Subject(**{"make": Counter, "inputs": INPUTS, **options})


def test_a_plain_class_is_judged_where_its_arguments_can_be_guessed() -> None:
    report = check_module(nnx.BatchNorm, max_examples=8, checks=("jit-agrees",))
    assert report.verdict == "conforms"
    assert report.result("jit-agrees").evaluated >= 3


NORM = Subject(lambda rngs: nnx.BatchNorm(4, rngs=rngs), INPUTS, {"has_eval_mode": True})
#: Each trace costs a compilation. A law's own programs trace each of its transforms in two modes of Flax, and on what a
#: first call leaves; jit in eval mode besides.
MOST_TRACES = {
    "jit-agrees": 6,
    "scan-agrees": 4,
    "vmap-agrees": 4,
    "grad-clean": 4,
    "remat-agrees": 4,
    "cond-agrees": 4,
}


@pytest.mark.slow
def test_laws_share_compilations() -> None:
    bench, _ = subjects.adopt(NORM, "norm", ())  # type: ignore[misc]
    traces: collections.Counter[str] = collections.Counter()
    for domain in CONTRACT.domains:
        if domain.name != CORE:
            for part in domain.parts(0):
                draw(part.cases, part.count(200), 0, lambda case: count(bench, case, traces))
    assert {law: traces[law] for law in traces if traces[law] > MOST_TRACES.get(law, 4)} == {}
    assert 10 <= traces.total() <= 40


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MODES, reason="this Flax has no tree mode")
def test_each_transform_is_tried_in_tree_mode() -> None:
    """A program whose every step is skipped there would hold, whatever the module does."""
    bench, _ = subjects.adopt(NORM, "norm", ())  # type: ignore[misc]
    domain = next(domain for domain in CONTRACT.domains if domain.name == "tree-mode-ready")
    done: list[str] = []

    def visit(case: Case) -> None:
        facts = subjects.observe(bench, Request(case, RunPlan(), 0))
        done.extend(step.operation for part in facts.parts for step in part.steps if step.returned)

    for part in domain.parts(0):
        draw(part.cases, part.count(200), 0, visit)
    assert {"jit", "remat", "cond", "scan", "vmap", "save", "split", "clone"} <= set(done)


class ResetsInEval(Counter):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.deterministic = False

    def __call__(self, x: Any) -> Any:
        return x if self.deterministic else super().__call__(x)

    def eval(self, **attributes: Any) -> None:
        super().eval(**attributes)
        write(self.count, jnp.zeros(()))


@pytest.mark.slow
def test_a_mode_that_changes_the_state_when_it_is_set_is_told_as_such() -> None:
    subject = Subject(ResetsInEval, INPUTS, traits={"has_eval_mode": True})
    found = {finding.check: finding.what for finding in check_module(subject, max_examples=8, shrink=False).findings}
    assert found["eval-frozen"] == "in step 2, `eval`, which only sets the mode, the state `count` changed"


def count(bench: Any, case: Case, traces: collections.Counter[str]) -> None:
    traces[case.domain] += sum(step.traces for step in subjects.observe(bench, Request(case, RunPlan(), 0)).steps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("adds_an_attribute_per_call", "structure-stable"),
        ("branches_on_its_state", "jit-agrees"),
        ("adds_in_place_to_a_numpy_buffer", "clone-independent"),
        ("toggles_a_python_flag", "no-hidden-state"),
        ("concatenates_its_history", "no-growth"),
        ("uses_up_its_schedule", "calls-return"),
        ("sorts_its_input_in_place", "input-untouched"),
        ("donates_its_input", "input-untouched"),
        ("draws_without_its_stream_under_jit", "rng-advances"),
        ("names_its_variables_after_the_run", "checkpoint-resumes"),
    ],
)
def test_a_finding_is_a_script_that_runs_as_it_stands(name: str, law: str, tmp_path: Path) -> None:
    mutant = _mutant(name)
    report = check(f"{mutant.path}::subject", "module-laws", max_examples=8, checks=(law,))
    found = next(finding for finding in report.findings if finding.check == law).script
    assert found.startswith('"""make(0) ')
    assert f"Breaks {law} in step " in found
    path = tmp_path / "finding.py"
    path.write_text(found)
    done = subprocess.run([sys.executable, "-W", "ignore", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert f"AssertionError: {law}, step " in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("name", "law", "line"),
    [
        ("unwraps_in_a_nested_module", "wrapper-kept", "setattr(self, name, momentum * contents("),
        ("concatenates_its_history", "no-growth", "self.means.value = jnp.concatenate("),
        ("toggles_a_python_flag", "no-hidden-state", "self.on = not self.on"),
        ("keeps_its_running_mean_as_a_param", "params-untouched", "self.mean.value = 0.9 * self.mean.value"),
        ("keeps_its_running_mean_as_a_param", "optimizer-safe", "self.mean.value = 0.9 * self.mean.value"),
        ("updates_its_statistics_in_eval", "eval-frozen", "self.mean[...] = 0.9 * self.mean[...]"),
        ("counts_in_bfloat16", "state-precision", "self.count.value = self.c"),
        ("adds_half_a_step_to_an_int", "updates-kept", "self.steps[...] = self.steps[...] + 0.5"),
    ],
)
def test_a_finding_names_the_line_that_writes_what_is_wrong(name: str, law: str, line: str) -> None:
    mutant = _mutant(name)
    report = check_module(mutant.load(), max_examples=8, checks=(law,))
    finding = next(found for found in report.findings if found.check == law)
    told = finding.line.source if finding.line else ""
    assert told.startswith(line) if line else told == ""
    assert not finding.line or mutant.path.read_text().splitlines()[finding.line.number - 1].strip().startswith(line)


@pytest.mark.medium
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "name", ["unwraps_in_a_nested_module", pytest.param("keeps_its_running_mean_as_a_param", marks=pytest.mark.slow)]
)
def test_what_a_subject_warns_of_raises_nothing_where_warnings_are_errors(name: str) -> None:
    report = check_module(_mutant(name).load(), max_examples=16)
    assert report.verdict == "does not conform"


class Learner(nnx.Module):
    """A model of two layers beside its optimiser with Adam, whose state is nested mappings that Flax makes anew."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.net = nnx.Sequential(nnx.Linear(4, 5, rngs=rngs), nnx.Linear(5, 2, rngs=rngs))
        self.optimizer = nnx.Optimizer(self.net, optax.adam(3e-2), wrt=nnx.Param)

    def __call__(self, x: Any) -> Any:
        error, grads = nnx.value_and_grad(lambda net: (net(x) ** 2).sum())(self.net)
        update: Any = self.optimizer.update
        update(self.net, grads) if "model" in inspect.signature(update).parameters else update(grads)
        return error


@pytest.mark.slow
def test_a_model_beside_its_optimizer_conforms() -> None:
    assert violated(judged(Learner, rewrites_param=True)) == []


@pytest.mark.parametrize(
    "case", [case for case in others.cases(flax.__version__) if not case.refused], ids=lambda case: case.name
)
def test_every_walk_finds_the_same_leaves(case: others.Case) -> None:
    module = case.subject["make"](nnx.Rngs(0))
    paths = [leaf.path for leaf in state(module)]
    for _ in range(30):
        gc.collect(0)
        assert [leaf.path for leaf in state(module)] == paths
