"""What the spies see of a run, and that they leave nothing behind."""

from __future__ import annotations

import cProfile
import json
import pstats
import warnings
from collections.abc import Callable
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance.core import case as cases
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Facts, Run
from nnx_conformance.core.plan import AGAIN, AMOUNT, SHIFTS, Probe, Request, RunPlan
from nnx_conformance.core.timeline import main_calls, moved, series, state
from nnx_conformance.observe.functions import observe
from nnx_conformance.observe.load import from_function
from nnx_conformance.observe.spies.patches import profiling

FLAX = tuple(map(int, flax.__version__.split(".")[:2]))


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        rngs.params()
        self.count: Any = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: Any) -> Any:
        raise_count(self)
        return x


def raise_count(module: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module.count.value = module.count.value + 1.0


class Inherited(Counter):
    pass


class Holder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.inner = Counter(rngs)

    def __call__(self, x: Any) -> Any:
        return self.inner(x)


def looped(make: Callable[..., Any]) -> Callable[..., Any]:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        model = make(nnx.Rngs(int(seed)))
        for _ in range(int(n_calls)):
            x = model(x)
        return x

    return candidate


def seen(candidate: Callable[..., Any], n_calls: float = 3.0, probes: tuple[Probe, ...] = ()) -> Facts:
    x = np.array([1.0, 2.0], np.float32)
    arguments = (cases.python("seed", 5.0), cases.jax("x", x), cases.python("n_calls", n_calls))
    return observe(
        from_function(candidate, "candidate"), Request(Case("core", arguments), RunPlan(probes), int(n_calls))
    )


def counts(run: Run, path: str = "count") -> list[tuple[float | None, float | None]]:
    return list(series(run, main_calls(run), path))


def seams() -> list[Any]:
    """Everything that the spies replace for the time of a run."""
    meta = type(nnx.Module)
    names = ("__setattr__", "__setitem__", "__iadd__", "__isub__")
    return [
        meta.__call__,
        "__call__" in vars(meta),
        nnx.Module.__setattr__,
        "__setattr__" in vars(nnx.Module),
        *[vars(nnx.Variable).get(name) for name in names],
        vars(nnx.Rngs).get("__init__"),
        vars(Counter)["__call__"],
        vars(Holder)["__call__"],
        "__call__" in vars(Inherited),
        warnings.showwarning,
        warnings.filters[:],
    ]


@pytest.mark.parametrize("raises", [False, True])
def test_after_a_run_nothing_stays_patched(raises: bool) -> None:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        looped(Holder)(seed, x, n_calls)
        if raises:
            raise SystemExit
        return looped(Inherited)(seed, x, n_calls)

    before = seams()
    seen(candidate, probes=(AGAIN, SHIFTS))

    assert all(now is then or now == then for now, then in zip(seams(), before, strict=True))


@pytest.mark.parametrize(("make", "path"), [(Counter, "count"), (Inherited, "count"), (Holder, "inner.count")])
def test_state_is_seen_before_and_after_each_call(make: Callable[..., Any], path: str) -> None:
    run = seen(looped(make)).run

    assert counts(run, path) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    assert moved(run, main_calls(run)) == [path]
    assert [call.line.source for call in run.calls if call.line] == ["x = model(x)"] * 3


def test_a_nested_call_is_not_an_outermost_one() -> None:
    run = seen(looped(Holder)).run

    assert [run.modules[call.module].name for call in run.calls] == ["Holder"] * 3


def test_modules_built_by_merge_and_clone_are_seen() -> None:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        model = Counter(nnx.Rngs(int(seed)))
        for _ in range(int(n_calls)):
            model = nnx.clone(nnx.merge(*nnx.split(model)))
            x = model(x)
        return x

    run = seen(candidate).run

    assert counts(run) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    assert sum(not module.constructed for module in run.modules) == 3


def test_calls_in_a_jitted_step_are_seen_without_traces_even_when_they_are_cached() -> None:
    step = nnx.jit(lambda model, x: model(x))

    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        model = Counter(nnx.Rngs(int(seed)))
        for _ in range(int(n_calls)):
            x = step(model, x)
        return x

    for _ in range(2):
        observation = seen(candidate)
        assert observation.untraced is not None
        assert counts(observation.untraced) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]


def test_calls_in_the_loss_of_a_gradient_are_seen_with_what_they_return() -> None:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        model = Counter(nnx.Rngs(int(seed)))

        def loss(model: Counter, x: Any) -> Any:
            out = model(x)
            return out.sum(), out

        for _ in range(int(n_calls)):
            (_, x), _ = nnx.value_and_grad(loss, argnums=1, has_aux=True)(model, x)
        return x

    run = seen(candidate).run
    assert counts(run) == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    assert not any(call.traced for call in run.calls)
    assert [thing.array.tolist() for thing in run.returns if thing.array is not None] == [[1.0, 2.0]]


def test_a_module_that_was_there_before_is_told_from_one_made_by_the_run() -> None:
    model = Counter(nnx.Rngs(0))

    run = seen(lambda seed, x, n_calls: model(x), n_calls=1.0).run

    assert [module.created for module in run.modules] == [False]


def test_a_lost_wrapper_is_seen_with_its_line_and_types() -> None:
    class Losing(Counter):
        def __call__(self, x: Any) -> Any:
            self.count = jnp.array(1.0)
            return x

    (write,) = [write for write in seen(looped(Losing), n_calls=1.0).run.writes if write.lost]

    assert (write.target, write.before, write.after) == ("Losing.count", "nnx.Variable", "jax.Array")
    assert write.line is not None and write.line.source == "self.count = jnp.array(1.0)"
    assert write.call == 0


def test_a_property_that_writes_to_the_contents_loses_nothing() -> None:
    class Hidden(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.kept = nnx.Variable(jnp.array(0.0))

        @property
        def count(self) -> Any:
            return self.kept

        @count.setter
        def count(self, value: Any) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.kept.value = value

        def __call__(self, x: Any) -> Any:
            self.count = self.count + 1.0
            return x

    run = seen(looped(Hidden)).run

    assert not [write for write in run.writes if write.lost]
    assert counts(run, "kept")[-1] == (2.0, 3.0)


def test_variable_types_are_seen_and_those_of_rngs_told_apart() -> None:
    class Mixed(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.rngs = rngs
            self.weight = nnx.Param(jnp.array(0.0))
            self.mean = nnx.BatchStat(jnp.array(0.0))

        def __call__(self, x: Any) -> Any:
            return x

    run = seen(looped(Mixed)).run
    slots = {path: slot for path, (slot, _) in state(run, run.calls[0].before).items()}

    assert slots["weight"].param and slots["weight"].type == "nnx.Param"
    assert not slots["mean"].param and slots["mean"].counts
    assert [slot.path for slot in slots.values() if slot.counts] == ["weight", "mean"] or FLAX < (0, 12)
    assert any(slot.rng for slot in slots.values())


def test_rngs_are_seen_with_their_seed_and_the_keys_that_construction_drew() -> None:
    run = seen(looped(Counter)).run

    assert [(rngs.seeds, rngs.drawn) for rngs in run.rngs] == [(((5,),), 1)]


def test_equal_outputs_are_kept_once_and_others_apart() -> None:
    class Scaling(Counter):
        def __call__(self, x: Any) -> Any:
            return x * 2

    assert len(seen(looped(Counter)).run.returns) == 1
    assert [thing.array.tolist() for thing in seen(looped(Scaling)).run.returns if thing.array is not None] == [
        [2.0, 4.0],
        [4.0, 8.0],
        [8.0, 16.0],
    ]


def test_an_exception_is_cut_to_the_candidates_frames() -> None:
    def deeper(x: Any) -> Any:
        return jnp.reshape(x, (7,))

    raised = seen(lambda seed, x, n_calls: deeper(x)).run.raised

    assert raised is not None and raised.type == "TypeError"
    assert [line.source for line in raised.frames][-1] == "return jnp.reshape(x, (7,))"
    assert all("site-packages" not in line.file for line in raised.frames)


def test_a_donated_input_is_seen_as_dead() -> None:
    donate = jax.jit(lambda x: x + 1, donate_argnums=0)

    (left,) = [left for left in seen(lambda seed, x, n_calls: donate(x)).run.arguments if left.name == "x"]

    assert not left.alive


def test_warnings_are_noted_with_their_line_and_giver() -> None:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return x

    (warned,) = seen(candidate).run.warnings

    assert (warned.category, warned.message, warned.by) == ("DeprecationWarning", "old", "test_observation")
    assert warned.line is not None and warned.line.source.startswith("warnings.warn(")


def test_interventions_shift_the_state_and_the_output_by_the_amount_that_they_tell() -> None:
    def candidate(seed: float, x: Any, n_calls: float) -> Any:
        model = Counter(nnx.Rngs(int(seed)))
        for _ in range(int(n_calls)):
            y = model(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return jnp.array([model.count.value, y.sum()])

    results = {}
    for shift in seen(candidate, probes=(SHIFTS,)).shifts:
        assert shift.outcome.result is not None and shift.outcome.result.array is not None
        results[shift.changed, shift.moment, shift.amount] = shift.outcome.result.array.tolist()

    assert results == {
        ("output", "after the last call", 3): [3.0, 16.0],
        ("state", "after the last call", 3): [6.0, 3.0],
        ("state", "after the last call", -3): [0.0, 3.0],
        ("state", "after the first call", 100): [103.0, 3.0],
    }


@pytest.mark.parametrize("dtype", ["float32", "int32", "bfloat16", "float16"])
@pytest.mark.parametrize("weak", [False, True])
def test_a_shift_keeps_dtype_shape_and_weak_type(dtype: str, weak: bool) -> None:
    from nnx_conformance.observe.changes import shifted

    value = jnp.array(1.0 if "float" in dtype else 1) if weak else jnp.ones((2,), dtype)
    moved_value = shifted(value)

    assert (moved_value.dtype, moved_value.shape, moved_value.weak_type) == (value.dtype, value.shape, value.weak_type)
    assert np.all(np.asarray(moved_value) == np.asarray(value) + AMOUNT)


def test_a_profiler_that_is_on_goes_on() -> None:
    profiler, entered = cProfile.Profile(), []
    profiler.enable()
    with profiling(lambda frame, event, _: entered.append(event)):
        json.dumps([])
    json.loads("[]")
    profiler.disable()

    assert "call" in entered
    assert any(name == "loads" for _, _, name in pstats.Stats(profiler).stats)  # type: ignore[attr-defined]
