"""The root law of state in a wrong place, with the line that keeps it and the cause: one law, not all that suffer."""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Iterator
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lawful import judged, read, violation, write
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.core.contract import Violation

OLD = flax.__version__.startswith("0.8.")
MODELS: dict[int, Any] = {}


class Counts(nnx.Module):
    def __init__(self) -> None:
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write(self.total, read(self.total) + 1)
        return x * read(self.total)


def one_for_all(rngs: nnx.Rngs) -> Any:
    return MODELS.setdefault(0, Counts())


@functools.cache
def child() -> Counts:
    return Counts()


class Parent(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.child = child()

    def __call__(self, x: Any) -> Any:
        return self.child(x)


class Logs(nnx.Module):
    history: list[int] = []  # noqa: RUF012 - the mistake at hand

    def __call__(self, x: Any) -> Any:
        self.history.append(1)
        return x * len(self.history)


def independent(make: Any) -> Violation:
    return violation(make, "instances-independent", "pair", follow=True)


def source(found: Violation) -> str:
    assert found.line is not None
    return found.line.source


def test_a_factory_that_gives_one_module_twice_is_named_with_what_keeps_it() -> None:
    found = independent(one_for_all)

    assert found.what == "two calls of `make` gave one and the same module"
    assert found.cause == "`MODELS` at module level keeps it, for all modules"
    assert found.remedy == "Let `make(rngs)` build a new module."
    assert source(found) == "MODELS: dict[int, Any] = {}"


def test_a_child_out_of_a_cache_is_named_with_the_function_that_keeps_it() -> None:
    found = independent(Parent)

    assert found.what == "two modules of one factory share the Variable `child.total`"
    assert found.cause == "the cache of `child` keeps it, for all modules"
    assert source(found) == "def child() -> Counts:"


def test_what_a_class_keeps_for_its_instances_breaks_their_independence() -> None:
    found = independent(lambda rngs: Logs())

    assert found.cause == "`Logs.history` at class level is one for all modules, and each call changes it"
    assert found.remedy == "Make it in `__init__`, a Variable of this instance."
    assert source(found).startswith("history: list[int] = []")
    assert "instances-independent" in CONTRACT.check("no-hidden-state").because


def counts_in_a_closure(rngs: nnx.Rngs) -> Any:
    count = 0

    class Counted(nnx.Module):
        def __call__(self, x: Any) -> Any:
            nonlocal count
            count += 1
            return x * count

    return Counted()


def test_a_closure_that_counts_is_named_with_the_line_that_does() -> None:
    found = violation(counts_in_a_closure, "no-hidden-state", "call graft", follow=True)

    assert found.cause.startswith("`count` in a closure outlives the call, which changes it (test_laws_causes.py:")
    assert source(found) == "count += 1"


class CountsEpochs(nnx.Module):
    def __init__(self) -> None:
        self.epoch = 0
        self.training = True
        self.mean = nnx.BatchStat(jnp.zeros(4))

    def __call__(self, x: Any) -> Any:
        if self.training:
            write(self.mean, read(self.mean) + x.mean(0) / (self.epoch + 1))
        return x - read(self.mean)

    def train(self, **attributes: Any) -> Any:
        self.epoch += 1
        self.training = True
        return super().train(**attributes)

    def eval(self, **attributes: Any) -> Any:
        self.training = False
        return super().eval(**attributes)


EVAL = {"traits": {"has_eval_mode": True}}


def test_what_setting_the_mode_counts_is_named_where_a_restored_module_lacks_it() -> None:
    program = "call train train call save"
    found = violation(lambda rngs: CountsEpochs(), "checkpoint-resumes", program, follow=True, **EVAL)

    assert found.cause == "`epoch`, which is no Variable, is 1, and in plain Python 2"
    assert source(found) == "self.epoch += 1"


def test_a_difference_that_shows_after_setting_the_mode_is_blamed_on_what_set_the_modules_apart() -> None:
    found = violation(lambda rngs: CountsEpochs(), "no-hidden-state", "call train train eval graft train call", **EVAL)

    assert found.what.endswith("after step 7, `call`")
    assert found.cause == "`epoch`, which is no Variable, is 1, and in plain Python 3"


class KeepsItsBatch(nnx.Module):
    def __init__(self) -> None:
        self.box = types.SimpleNamespace(last=None)

    def __call__(self, x: Any) -> Any:
        y = x if self.box.last is None else x + self.box.last
        self.box.last = np.asarray(x)
        return y


def test_a_long_array_in_a_cause_is_its_type() -> None:
    found = violation(lambda rngs: KeepsItsBatch(), "no-hidden-state", "call graft", follow=True)
    assert found.cause == "`box.last`, which is no Variable, went from None to float32[3, 4] in a call"


class WeakInEval(nnx.Module):
    def __init__(self) -> None:
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write(self.total, read(self.total) + x.mean())
        return x - read(self.total)

    def eval(self, **attributes: Any) -> Any:
        super().eval(**attributes)
        write(self.total, jnp.array(0.0))
        return self


def test_a_type_that_eval_changes_is_shown_there_and_not_at_the_next_call() -> None:
    found = violation(lambda rngs: WeakInEval(), "structure-stable", "call eval call", follow=True, **EVAL)

    assert found.what == "in step 2, `eval`, `total` changed"
    assert (found.expected, found.observed) == ("float32[]", "float32[] (weak type)")
    assert source(found).startswith("variable.set_value(value)")


class AddsInPlace(nnx.Module):
    def __init__(self) -> None:
        self.bins = nnx.Variable(np.zeros((4,), np.float32))

    def __call__(self, x: Any) -> Any:
        bins = read(self.bins)
        bins[0] += 1
        return x * bins.sum()


def test_numpy_memory_that_a_clone_shares_is_the_root_of_what_no_trace_can_do() -> None:
    found = violation(lambda rngs: AddsInPlace(), "clone-independent", "clone", follow=True)

    assert found.cause == "both hold the same `bins`, and a call of one writes it in place"
    assert source(found) == "bins[0] += 1"
    assert violation(lambda rngs: AddsInPlace(), "jit-agrees", "jit")
    for law in ("jit-agrees", "scan-agrees", "split-merge-agrees"):
        assert "clone-independent" in CONTRACT.check(law).because


def signs() -> Iterator[float]:
    while True:
        yield 1.0
        yield -1.0


class TakesTurns(nnx.Module):
    def __init__(self) -> None:
        self.signs = signs()

    def __call__(self, x: Any) -> Any:
        return next(self.signs) * x


def test_an_iterator_is_named_as_what_calls_move_on() -> None:
    found = violation(lambda rngs: TakesTurns(), "no-hidden-state", "call graft", follow=True)

    assert found.cause == "`signs` is an iterator, and calls move it on"
    assert source(found) == "self.signs = signs()"


class Locked(nnx.Module):
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(
    ("law", "operation", "remedy"),
    [
        ("deepcopy-agrees", "deepcopy", "Leave it out in `__getstate__`, and make it anew in `__setstate__`."),
        pytest.param("pickles", "pickle", "", marks=pytest.mark.skipif(OLD, reason="no module can be pickled")),
    ],
)
def test_what_refuses_to_be_copied_is_named_with_the_line_that_sets_it(law: str, operation: str, remedy: str) -> None:
    found = violation(lambda rngs: Locked(), law, operation, follow=True)

    assert (found.cause, found.remedy) == ("`lock` cannot be copied so", remedy)
    assert source(found) == "self.lock = threading.Lock()"


class UsesOneKey(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.key = nnx.Variable(rngs.params())

    def __call__(self, x: Any) -> Any:
        key = read(self.key)
        return x + jax.random.normal(key, x.shape)


def test_a_key_that_stands_still_is_shown_where_it_is_drawn_from() -> None:
    found = violation(UsesOneKey, "rng-advances", "call call", follow=True, traits={"draws_randomness": True})
    assert source(found) == "return x + jax.random.normal(key, x.shape)"


class Unwraps(nnx.Module):
    def __init__(self) -> None:
        self.average: Any = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        self.average = jnp.asarray(x).mean()
        return x - self.average


def test_the_remedy_of_a_lost_wrapper_names_the_attribute() -> None:
    found = violation(lambda rngs: Unwraps(), "wrapper-kept", "call")
    assert found.remedy == "Write to the contents, `self.average[...] = ...`."


class Epochs(nnx.Module):
    """Counts every other call in uint8; `held` at 200, on purpose."""

    def __init__(self, held: bool) -> None:
        self.held = held
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))
        self.epoch = nnx.Variable(jnp.zeros((), jnp.uint8))

    def __call__(self, x: Any) -> Any:
        write(self.calls, read(self.calls) + 1)
        ends = (read(self.calls) % 2 == 0) & (read(self.epoch) < 200 if self.held else True)
        write(self.epoch, jnp.where(ends, read(self.epoch) + 1, read(self.epoch)))
        return x * read(self.epoch)


class HalfEpochs(Epochs):
    """The same in bfloat16, in a branch."""

    def __init__(self) -> None:
        super().__init__(False)
        self.epoch = nnx.Variable(jnp.zeros((), jnp.bfloat16))

    def __call__(self, x: Any) -> Any:
        write(self.calls, read(self.calls) + 1)
        ends = read(self.calls) % 10 == 0
        write(self.epoch, jax.lax.cond(ends, lambda epoch: epoch + 1, lambda epoch: epoch, read(self.epoch)))
        return x * read(self.epoch)


def test_what_moves_now_and_then_is_run_by_its_trace_until_its_dtype_is_full() -> None:
    found = violation(lambda rngs: Epochs(False), "state-precision", "call endure")

    assert found.what == "`epoch` moves by 1 with some calls, and wraps around after 511 calls, as uint8"
    assert (found.expected, found.observed) == ("256", "0")
    assert source(found) == "write(self.epoch, jnp.where(ends, read(self.epoch) + 1, read(self.epoch)))"
    assert judged(lambda rngs: Epochs(True), "state-precision", "call endure") is None


def test_a_float_that_moves_now_and_then_stops_where_its_dtype_does() -> None:
    found = violation(lambda rngs: HalfEpochs(), "state-precision", "call endure")
    assert found.what == "`epoch` moves by 1 with some calls, and stops at 256, as bfloat16"


class ClosesOver(nnx.Module):
    def __init__(self) -> None:
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        def row(x: Any) -> Any:
            self.total.value = self.total.value + x.sum()
            return x

        return jax.vmap(row)(x)


@pytest.mark.skipif(not OLD, reason="Flax raises at once")
def test_a_tracer_in_a_variable_is_explained_by_the_closure_that_leaves_it() -> None:
    found = violation(lambda rngs: ClosesOver(), "no-hidden-state", "call", follow=True)

    assert found.cause.startswith("a transform traces a function that closes over the module")
    assert found.remedy.startswith("Give the module to the transform as an argument")
