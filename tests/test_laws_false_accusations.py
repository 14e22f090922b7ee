"""Right modules that the laws once accused: state among the arguments, streams in eval mode, what needs graph mode."""

from __future__ import annotations

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

from lawful import judged as judged_program
from nnx_conformance import Report, Subject, check_module
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.execution.skip_reasons import HAS_MODES
from nnx_conformance.contracts.module_laws.observer import consistent
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import CORE, NotApplicable, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan
from nnx_reference import mutants

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
READY = "tree-mode-ready"
DRAWING = ("rng-advances", "rng-reproducible")
TREE = pytest.mark.skipif(not HAS_MODES, reason="this Flax has no tree mode")
#: Arguments are pytrees or leaves, modules and Variables alike, from Flax 0.11 on.
PYTREES = pytest.mark.skipif(VERSION < (0, 11), reason="modules are no pytrees on this Flax")


def judged(make: Any, inputs: list[Any], *checks: str, examples: int = 8, **traits: bool) -> Report:
    return check_module(Subject(make, inputs, traits), max_examples=examples, shrink=False, checks=checks)


def accused(report: Report) -> list[tuple[str, str]]:
    return [(found.check, found.what) for found in report.findings if found.level == "MUST"]


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


class HandedItsRngs(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 4, rngs=rngs)

    def __call__(self, x: Any, rngs: nnx.Rngs) -> Any:
        y = self.linear(x)
        return y + 0.1 * jax.random.normal(rngs.noise(), y.shape)


class FillsTheCache(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x: Any, handed: dict[str, Any]) -> Any:
        write(handed["cache"], read(handed["cache"]) + x.mean(0))
        return self.linear(x) + read(handed["cache"])


class TrainsWhatItIsHanded(nnx.Module):
    """Takes a step of an optimiser on a model that both are handed to it."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.steps = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any, model: Any, optimizer: Any) -> Any:
        loss, grads = nnx.value_and_grad(lambda model: (model(x) ** 2).mean())(model)
        optimizer.update(model, grads)
        write(self.steps, read(self.steps) + 1.0)
        return loss


def model_and_optimizer(seed: int) -> tuple[Any, Any]:
    model = nnx.Linear(3, 2, rngs=nnx.Rngs(seed))
    return model, nnx.Optimizer(model, optax.adam(0.1), wrt=nnx.Param)


@pytest.mark.medium
@PYTREES
@pytest.mark.parametrize(
    ("make", "handed", "traits"),
    [
        (HandedItsRngs, lambda seed: (nnx.Rngs(seed),), {}),
        (HandedItsRngs, lambda seed: (nnx.Rngs(seed),), {"draws_randomness": True}),
        (FillsTheCache, lambda seed: ({"cache": nnx.Cache(jnp.full(3, float(seed)))},), {}),
        (TrainsWhatItIsHanded, model_and_optimizer, {}),
    ],
    ids=["Rngs", "Rngs, declared", "a Variable in a dict", "a model and its optimiser"],
)
def test_state_among_the_arguments_may_be_changed(make: Any, handed: Any, traits: dict[str, bool]) -> None:
    inputs = [(X, *handed(0)), (np.cos(X), *handed(1))]
    checks = ("input-untouched", "jit-agrees", "scan-agrees", "no-hidden-state", *(DRAWING if traits else ()))
    report = judged(make, inputs, *checks, **traits)
    assert accused(report) == []
    assert report.result("input-untouched").status == "held"


def test_lanes_may_be_handed_their_rngs() -> None:
    """Flax 0.8 makes the keys of lanes anew, and then from an array of them."""
    report = judged(HandedItsRngs, [(X, nnx.Rngs(0)), (np.cos(X), nnx.Rngs(1))], "vmap-agrees")
    assert accused(report) == []


class DrawsFromTheKey(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x: Any, key: Any) -> Any:
        return self.linear(x) + jax.random.normal(key, x.shape)


def test_a_module_that_is_handed_its_key_is_not_accused_of_using_one_key() -> None:
    inputs = [(X, jax.random.key(0)), (np.cos(X), jax.random.key(1))]
    report = judged(DrawsFromTheKey, inputs, "rng-advances", "rng-reproducible", draws_randomness=True)
    assert accused(report) == []


class EditsAnArrayBesideTheRngs(HandedItsRngs):
    def __call__(self, x: Any, rngs: nnx.Rngs) -> Any:
        if isinstance(x, np.ndarray):
            x -= x.mean()
        return super().__call__(x, rngs)


@PYTREES
def test_an_array_beside_state_may_not_be_changed() -> None:
    report = judged(EditsAnArrayBesideTheRngs, [(X, nnx.Rngs(0))], "input-untouched")
    (found,) = report.findings
    assert (found.check, found.what) == ("input-untouched", "in step 1, `call`, argument [0] was changed in place")


class Forks(nnx.Module):
    """Hands a new stream to its dropout in each call, in eval mode too, where nothing is dropped."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.rngs = rngs
        self.drop = nnx.Dropout(0.5)

    def __call__(self, x: Any) -> Any:
        return self.drop(x, rngs=nnx.Rngs(dropout=self.rngs.dropout()))


class SplitsItsKey(nnx.Module):
    """Splits its key before it looks at the mode."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.deterministic = False
        self.key = nnx.Variable(jax.random.split(rngs.params())[0])

    def __call__(self, x: Any) -> Any:
        key, used = jax.random.split(read(self.key))
        write(self.key, key)
        return x if self.deterministic else x + jax.random.normal(used, x.shape)


class SplitsItsOldKey(SplitsItsKey):
    """The same with a key as JAX had them before typed ones."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.key = nnx.Variable(jax.random.key_data(rngs.params()))


class DrawsInEval(Forks):
    """Its output follows from the stream in eval mode."""

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) + jax.random.normal(self.rngs.noise(), x.shape)


class KeepsTheNoise(SplitsItsKey):
    """Other state follows from the stream in eval mode."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.last = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write(self.last, jax.random.normal(jax.random.fold_in(read(self.key), 1)))
        return super().__call__(x)


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (Forks, "held"),
        (SplitsItsKey, "held"),
        (SplitsItsOldKey, "held"),
        (DrawsInEval, "violated"),
        (KeepsTheNoise, "violated"),
    ],
)
def test_a_stream_may_move_in_eval_mode_if_nothing_follows_from_it(make: Any, status: str) -> None:
    report = judged(make, [X, np.cos(X)], "eval-frozen", draws_randomness=True, has_eval_mode=True)
    assert report.result("eval-frozen").status == status


class Layer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return jnp.sin(self.linear(x))


class Tower(nnx.Module):
    """Stacked layers, made and scanned with `nnx.StateAxes`: its factory needs graph mode."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.axes = nnx.StateAxes({nnx.Param: 0, ...: None})  # type: ignore[arg-type]
        self.layers = nnx.split_rngs(splits=3)(nnx.vmap(Layer, in_axes=0, out_axes=self.axes))(rngs)

    def __call__(self, x: Any) -> Any:
        scanned = nnx.scan(lambda layer, h: layer(h), in_axes=(self.axes, nnx.Carry), out_axes=nnx.Carry)
        return scanned(self.layers, x)


class LearnsItsNorm(nnx.Module):
    """Differentiates a BatchNorm in its call: in tree mode, its statistics too."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.seen = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        grads = nnx.grad(lambda model: (model.norm(x) ** 2).sum(), argnums=nnx.DiffState(0, nnx.Param))(self)
        write(self.seen, read(self.seen) + 1)
        return jax.tree.leaves(grads)[0]


class Tied(nnx.Module):
    """Holds one Param at two attributes."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.body = nnx.Linear(3, 3, use_bias=False, rngs=rngs)
        self.kernel = self.body.kernel

    def __call__(self, x: Any) -> Any:
        return jnp.sin(self.body(x)) @ read(self.kernel).T


@pytest.mark.slow
@TREE
@pytest.mark.parametrize(
    ("make", "laws"),
    [
        (Tower, {"calls-return"}),
        (LearnsItsNorm, {"calls-return"}),
        (Tied, {"jit-agrees"}),
        (Layer, set()),
    ],
)
def test_what_only_graph_mode_allows_is_advice(make: Any, laws: set[str]) -> None:
    report = judged(make, [X, np.cos(X)], READY, "calls-return", "jit-agrees", "grad-clean")
    assert accused(report) == []
    assert report.result(READY).status == ("violated" if laws else "held")
    for found in report.findings:
        assert (found.check, found.level) == (READY, "SHOULD")
        assert all(f"`{law}`" in found.what for law in laws)
        assert found.what.startswith("in tree mode, ")


@pytest.mark.slow
@TREE
def test_the_script_of_what_tree_mode_refuses_fails_at_that_step(tmp_path: Path) -> None:
    (tied,) = [each for each in mutants("module-laws") if each.name == "ties_its_head_by_sharing_a_variable"]
    harness, _ = execution.load(parse(f"{tied.path}::subject"), "subject", ())  # type: ignore[misc]
    drawn = case(READY, 0, words("call:1 jit:1 call:1 split:1"), "tree")
    reading = CONTRACT.read(drawn, execution.observe(harness, Request(drawn, RunPlan(), 0)))
    violation = judgement(CONTRACT.check(READY), drawn, reading)
    assert isinstance(violation, Violation) and CONTRACT.script is not None
    script = tmp_path / "script.py"
    script.write_text(CONTRACT.script(drawn, reading, READY, violation))
    ran = subprocess.run([sys.executable, "-W", "ignore", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "AssertionError: tree-mode-ready, step 2: ValueError: Duplicate Param" in ran.stderr


class MadeAFewTimesOnly(nnx.Module):
    left = 8

    def __init__(self, rngs: nnx.Rngs) -> None:
        MadeAFewTimesOnly.left -= 1
        if MadeAFewTimesOnly.left < 0:
            raise ValueError("no more of them")

    def __call__(self, x: Any) -> Any:
        return x


def test_a_factory_that_raises_is_a_fact_and_no_failure_of_the_kit() -> None:
    harness, _ = execution.adopt(Subject(MadeAFewTimesOnly, [X]), "mine", ())  # type: ignore[misc]
    MadeAFewTimesOnly.left = 0
    drawn = case(CORE, 0, words("call"))
    request = Request(drawn, RunPlan(), 0)
    facts = consistent(execution.observe(harness, request), request)
    violation = judgement(CONTRACT.check("calls-return"), drawn, CONTRACT.read(drawn, facts))
    assert isinstance(violation, Violation)
    assert violation.what == "`make` raised ValueError: no more of them, from `nnx.Rngs(0)`"


class Total(nnx.Module):
    """Adds up in a method that returns nothing, and reads in one that takes nothing."""

    def __init__(self) -> None:
        self.total = nnx.BatchStat(jnp.zeros(()))

    def add(self, x: Any) -> None:
        self.total[...] = self.total[...] + x.sum()

    def read(self) -> Any:
        return self.total[...]


def test_calls_that_take_or_return_no_number_are_carried_through_loops_or_left_out() -> None:
    calls: dict[str, dict[str, Any]] = {"add": {"inputs": [X]}, "read": {"inputs": [()]}}
    subject = Subject(lambda rngs: Total(), calls=calls)
    report = check_module(subject, max_examples=8, shrink=False, checks=("scan-agrees", "loop-agrees"))
    assert [result.status for result in report.checks] == ["held", "held"]


def test_a_transform_that_this_flax_runs_on_no_module_accuses_none() -> None:
    found = judged_program(lambda rngs: nnx.Linear(4, 4, rngs=rngs), "custom-vjp-agrees", "call custom_vjp call")

    assert found is None or isinstance(found, NotApplicable)


class NormalisesEqualRows(nnx.Module):
    """Equal rows have no variance, so the first norm divides rounding by 0.003, and the next ones what comes of it."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        for number in range(5):
            setattr(self, f"linear{number}", nnx.Linear(10, 10, rngs=rngs))
            setattr(self, f"norm{number}", nnx.BatchNorm(10, rngs=rngs))
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        for number in range(5):
            x = getattr(self, f"norm{number}")(getattr(self, f"linear{number}")(x))
            x = jax.nn.gelu(self.dropout(x))
        return x


@pytest.mark.parametrize("program", ["jit optimize jit", "jit:1 optimize:1 jit:1 jit:1"])
def test_what_rounding_left_in_a_running_mean_is_still_rounding_a_step_later(program: str) -> None:
    ones = np.ones((3, 10), np.float32)
    traits = {"draws_randomness": True, "has_eval_mode": True}
    assert judged_program(NormalisesEqualRows, "jit-agrees", program, inputs=[ones, ones / 2], traits=traits) is None
