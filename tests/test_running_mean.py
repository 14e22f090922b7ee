"""The contract `running-mean`: one promise, kept and broken in Flax NNX, Flax Linen and PyTorch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import nnx_reference
from catalogue import core, judged, mutants, rights, violated
from nnx_conformance import check
from nnx_conformance.contracts.running_mean.likeness import like
from nnx_conformance.contracts.running_mean.oracle import running
from nnx_conformance.core import contracts
from nnx_reference import Implementation

CONTRACT = "running-mean"
#: A few cases show what there is to show: each draws other shapes.
FEW, MORE = 6, 40
TORCH = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
#: Of each framework the plain one, and mutants of what tells the frameworks apart.
QUICK = {
    *("nnx_batch_stat", "linen_batch_stats", "linen_train_state", "torch_buffer"),
    *("linen_without_mutable", "linen_train_state_with_the_mean_beside", "nnx_param", "no_framework"),
    *("torch_keeps_the_graph", "torch_plain_attribute"),
}
DOES_NOT_APPLY = {"nnx": {"no-autograd-history"}, "linen": {"no-autograd-history", "wrapper-kept"}}


def parameters(found: list[Implementation]) -> list[Any]:
    """The implementations; those that need PyTorch are skipped where it is missing, and most are slow."""
    return [pytest.param(one, id=one.name, marks=marks(one)) for one in found]


def marks(one: Implementation) -> list[pytest.MarkDecorator]:
    """The marks of an implementation."""
    return [
        *([TORCH] if one.name.startswith("torch") else []),
        *([] if one.name in QUICK else [pytest.mark.slow]),
    ]


@pytest.mark.medium
@pytest.mark.parametrize("right", parameters(rights(CONTRACT)))
def test_a_right_implementation_conforms(right: Implementation) -> None:
    report = judged(right, FEW, core(CONTRACT))

    assert report.verdict == "conforms"
    assert violated(report) <= set(right.advice)
    excused = DOES_NOT_APPLY.get(right.name.partition("_")[0], {"wrapper-kept"})
    other = {result.id for result in report.checks if result.level == "MUST" and result.status != "held"}
    assert other == excused


@pytest.mark.medium
@pytest.mark.parametrize("mutant", parameters(mutants(CONTRACT)))
def test_a_mutant_is_caught_by_the_checks_that_it_names(mutant: Implementation) -> None:
    report = judged(mutant, FEW)
    if not set(mutant.catches) <= violated(report):
        report = judged(mutant, MORE)

    assert set(mutant.catches) <= violated(report)


def test_every_check_has_a_mutant_that_it_catches() -> None:
    caught = {check for mutant in nnx_reference.mutants(CONTRACT) for check in mutant.catches}

    assert {check.id for check in contracts.get(CONTRACT).checks} <= caught


def finding(name: str) -> Any:
    """The one finding of a mutant, judged by the checks that it names."""
    (mutant,) = (found for found in nnx_reference.mutants(CONTRACT) if found.name == name)
    (found,) = judged(mutant, FEW).findings
    return found


@pytest.mark.medium
def test_a_forgotten_mutable_is_told_as_the_cause() -> None:
    found = finding("linen_without_mutable")

    assert found.cause == "`apply` was called without `mutable=`, so what the module writes is dropped"
    assert "model.apply(variables, jnp.asarray(batch" in found.line.source


@pytest.mark.medium
def test_a_call_that_only_returns_the_new_mean_is_no_step_that_starts_from_an_old_state() -> None:
    (mutant,) = (
        found for found in nnx_reference.mutants(CONTRACT) if found.name == "nnx_returns_the_new_mean_from_the_call"
    )
    report = judged(mutant, FEW, ("state-threaded", "one-update-per-step"))
    (found,) = report.findings

    assert found.check == "one-update-per-step"
    assert found.cause.startswith("the call does not change the state")
    assert {result.id: result.status for result in report.checks}["state-threaded"] == "blocked"


@pytest.mark.parametrize(
    ("got", "cause"),
    [
        (0.125 * 8 / 7, "it is the sum over the batch divided by one less than its size"),
        (0.125 + 2**-12, "accumulated in half precision, or with a rounded momentum"),
        (0.125 + 2**-5, "further off than float32 arithmetic in any order can be"),
    ],
    ids=["n-1", "rounded", "neither"],
)
def test_what_a_wrong_mean_is_like_is_told(got: float, cause: str) -> None:
    batch = np.array([[[1.0], *[[0.0]] * 7]], np.float32)

    assert like(batch, 0.0, np.array([got]), running(batch, 0.0).bounds[-1]).endswith(cause)


@pytest.mark.medium
def test_a_missing_guard_is_told_as_the_cause() -> None:
    cause = "`init` updated it: its update is not guarded by `if not self.is_initializing()`"
    assert finding("linen_without_the_guard").cause == cause


@pytest.mark.medium
def test_momentum_the_wrong_way_round_is_told_as_the_cause() -> None:
    cause = "momentum is the wrong way round: PyTorch's `momentum` is one minus this one"
    assert finding("nnx_momentum_the_wrong_way_round").cause == cause


@TORCH
def test_a_tensor_that_is_no_buffer_is_told_as_missing_from_the_state_dict() -> None:
    found = finding("torch_plain_attribute")

    assert found.what == "`mean` holds the mean, and is a plain attribute of type torch.Tensor"
    assert found.cause == "it is not in `state_dict`: what is saved and loaded has no mean"


REFERENCES = ("nnx_batch_stat", "linen_batch_stats", "torch_buffer")
NORMS = ("nnx_batch_norm", "linen_batch_norm", "torch_batch_norm")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[TORCH] if "torch" in name else []) for name in (*REFERENCES, *NORMS)]
)
def test_the_references_and_batch_norm_of_each_framework_agree_with_the_oracle(name: str) -> None:
    (right,) = (found for found in nnx_reference.rights(CONTRACT) if found.name == name)
    function = right.load()
    generator = np.random.default_rng(0)
    for shape, momentum in (((1, 1, 1), 0.0), ((5, 4, 3), 0.9), ((9, 3, 3), 0.25), ((7, 2, 4), 0.99)):
        batches = (generator.standard_normal(shape) * 1000).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # `.value`, the one form of every Flax
            mean = np.asarray(function(3.0, batches, momentum))
        means = running(batches, momentum)
        assert np.all(np.abs(mean - means.values[-1]) <= means.bounds[-1])


def test_the_bound_holds_for_float32_in_either_form_of_the_update() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        steps, rows, features = generator.integers(1, 12, 3)
        batches = (generator.standard_normal((steps, rows, features)) * 10.0 ** generator.integers(-3, 6)).astype("f4")
        momentum = float(generator.choice([0.0, 0.1, 0.5, 0.9, 0.99, 0.999]))
        means = running(batches, momentum)
        m, c = np.float32(momentum), np.float32(1) - np.float32(momentum)
        product = moved = np.zeros(features, np.float32)
        for batch in batches:
            mean = batch.sum(0, dtype=np.float32) / np.float32(rows)
            product, moved = m * product + c * mean, moved + c * (mean - moved)
        for result in (product, moved):
            assert np.all(np.abs(result - means.values[-1]) <= means.bounds[-1])


def test_half_precision_is_outside_of_the_bound() -> None:
    batches = np.linspace(0.1, 9.7, 5 * 4 * 3, dtype=np.float32).reshape(5, 4, 3)
    means, half = running(batches, 0.9), np.zeros(3, np.float16)
    for batch in batches:
        half = (np.float32(0.9) * half + np.float32(0.1) * batch.mean(0)).astype(np.float16)

    assert np.all(np.abs(half - means.values[-1]) > 10 * means.bounds[-1])


@pytest.mark.medium
def test_a_candidate_that_needs_pytorch_is_told_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    def imports_it(seed: Any, batches: Any, momentum: Any) -> Any:
        raise ModuleNotFoundError("No module named 'torch'")

    report = check(imports_it, contract=CONTRACT, max_examples=1, shrink=False)

    cause = "PyTorch is not installed here: pip install 'nnx-conformance[torch]'"
    assert cause in {found.cause for found in report.findings}


@pytest.mark.slow
def test_what_imports_no_pytorch_is_judged_without_importing_it() -> None:
    code = (
        "import sys, nnx_reference, nnx_conformance\n"
        "right = next(one for one in nnx_reference.rights('running-mean') if one.name == 'linen_batch_stats')\n"
        "report = nnx_conformance.check(right.load(), contract='running-mean', max_examples=1, shrink=False)\n"
        "assert report.verdict == 'conforms', report.findings\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.medium
def test_a_wrong_mean_of_no_steps_is_told_as_a_wrong_start() -> None:
    (right,) = (found for found in nnx_reference.rights(CONTRACT) if found.name == "nnx_batch_stat")
    function = right.load()

    def running_mean(seed: float, batches: np.ndarray, momentum: float) -> Any:
        return function(seed, batches, momentum) if len(batches) else np.ones(batches.shape[2], np.float32)

    (found,) = check(running_mean, contract=CONTRACT, max_examples=FEW, checks=("no-steps",)).findings

    assert found.what == "mean-follows-formula: the result is [1, 1, 1], the mean is [0, 0, 0]"
    assert found.cause == "no step was made, so it should be the start: zeros"


@pytest.mark.medium
@pytest.mark.parametrize(("start", "told"), [(0.0, []), (1.0, ["one-update-per-step"])])
def test_a_start_of_another_size_is_right_if_it_is_zeros(start: float, told: list[str]) -> None:
    class Mean(nnx.Module):
        def __init__(self) -> None:
            self.mean = nnx.BatchStat(jnp.full(7, start))

        def __call__(self, batch: jax.Array, momentum: float) -> None:
            mean = self.mean.value
            kept = mean if mean.shape == batch.shape[1:] else jnp.zeros(batch.shape[1:])
            self.mean.value = momentum * kept + (1 - momentum) * batch.mean(0)

    def running_mean(seed: float, batches: np.ndarray, momentum: float) -> jax.Array:
        model = Mean()
        for batch in batches:
            model(jnp.asarray(batch, jnp.float32), momentum)
        return model.mean.value

    report = check(running_mean, contract=CONTRACT, max_examples=FEW, checks=("one-update-per-step",))

    assert [found.check for found in report.findings] == told
    assert all(
        found.cause == "the state comes from something else, such as an earlier run" for found in report.findings
    )


@pytest.mark.medium
def test_a_collection_that_is_not_named_in_mutable_is_told_as_the_cause() -> None:
    found = finding("linen_names_another_collection")

    assert found.cause == "`apply` was called without the collection that the module writes to in `mutable=`"
    assert found.remedy.startswith("Name the collection: ")


@pytest.mark.medium
def test_steps_on_clones_of_the_first_model_are_told_in_the_words_of_nnx() -> None:
    found = finding("nnx_each_step_on_a_clone_of_the_first")

    assert found.cause == "the step starts from an older state, and not from what the last step returned"
    assert found.remedy.startswith("Go on with the model that the step before it left")


@pytest.mark.medium
@pytest.mark.parametrize("resets", [False, True])
def test_a_mean_that_a_method_of_its_own_updates_is_judged_as_one_that_calls_update(resets: bool) -> None:
    class Mean(nnx.Module):
        def __init__(self, features: int) -> None:
            self.mean = nnx.BatchStat(jnp.zeros(features))

        def reset(self) -> None:
            self.mean.value = jnp.zeros_like(self.mean.value)

        def update(self, batch: jax.Array, momentum: float) -> None:
            self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)

    def running_mean(seed: float, batches: np.ndarray, momentum: float) -> jax.Array:
        model = Mean(batches.shape[2])
        if resets:
            model.reset()
        for batch in batches:
            model.update(jnp.asarray(batch, jnp.float32), momentum)
        return model.mean.value

    report = check(running_mean, contract=CONTRACT, max_examples=FEW, checks=core(CONTRACT))

    assert report.verdict == "conforms"
    for check_id in ("result-reads-state", "one-update-per-step", "state-threaded", "starts-from-zeros"):
        assert report.result(check_id).status == "held"


@pytest.mark.medium
def test_an_exception_of_the_candidates_own_code_is_to_be_fixed() -> None:
    def running_mean(seed: float, batches: np.ndarray, momentum: float) -> None:
        raise ValueError("no such thing")

    found = check(running_mean, contract=CONTRACT, max_examples=FEW).findings[0]

    assert found.what == "the candidate raised ValueError: no such thing"
    assert found.remedy.startswith("Fix what raises")
