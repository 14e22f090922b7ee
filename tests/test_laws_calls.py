"""Subjects as people have them: keyword arguments, static flags, several methods, outputs of any kind."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lawful import X, judged, read, violation, write
from nnx_conformance import Misuse, Subject
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.execution.pool import FixedInt
from nnx_conformance.core.candidate.subject import as_subject
from nnx_conformance.core.contract import NotApplicable

CARRIES = pytest.mark.skipif(not hasattr(nnx, "Carry"), reason="this Flax has no nnx.scan with a carried module")


class Cache(nnx.Module):
    """Fills a cache by one method, and reads and extends it by another; `counts`: on the host, how often it did."""

    def __init__(self, counts: bool = False) -> None:
        self.rows = nnx.Cache(jnp.zeros((4,)))
        self.counts = counts
        self.count = 0

    def prefill(self, x: Any) -> Any:
        write(self.rows, x.sum(0))
        return read(self.rows)

    def decode(self, x: Any, *, scale: Any = 1.0, keep: bool = True) -> Any:
        if self.counts:
            self.count += 1
        rows = read(self.rows) + scale * x
        if keep:
            write(self.rows, rows)
        return rows * (self.count + 1)


ROW = np.arange(4, dtype=np.float32)
CALLS = {
    "prefill": {"inputs": [X, 2 * X]},
    "decode": {"inputs": [(ROW, np.float32(0.5), True), (ROW, np.float32(0.5), False)], "keywords": ("scale", "keep")},
}


@CARRIES
def test_several_methods_are_called_in_one_program() -> None:
    make = lambda rngs: Cache()  # noqa: E731
    assert judged(make, "jit-agrees", "jit call:1 jit:1 jit:2 call:3 jit:3", inputs=None, calls=CALLS) is None
    assert judged(make, "scan-agrees", "call:1 scan:1 call:1", inputs=None, calls=CALLS) is None
    found = violation(lambda rngs: Cache(counts=True), "scan-agrees", "call:1 scan:1", inputs=None, calls=CALLS)
    assert "differs after step 2, `scan`" in found.what or "raised" in found.what


class Scales(nnx.Module):
    def __init__(self) -> None:
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any, *, deterministic: bool, shift: Any = 0.0) -> Any:
        if not deterministic:
            write(self.calls, read(self.calls) + 1)
        return x * (read(self.calls) + 1) + shift


FLAGS: dict[str, Any] = {"inputs": [(X, True, 1.0), (X, False, 2.0)], "keywords": ("deterministic", "shift")}


@pytest.mark.parametrize(
    ("law", "program"),
    [
        ("jit-agrees", "jit jit:1 call jit"),
        pytest.param("scan-agrees", "call:1 scan:1 call:1 scan:1", marks=CARRIES),
        ("vmap-agrees", "call:1 vmap:1"),
        ("cond-agrees", "call:1 cond:1 call cond"),
        ("represents", "represent"),
    ],
)
def test_a_call_gets_flags_and_numbers_by_keyword(law: str, program: str) -> None:
    assert judged(lambda rngs: Scales(), law, program, **FLAGS) is None


class Chains(nnx.Module):
    """A metric whose `update` returns the metric, so that calls chain."""

    def __init__(self) -> None:
        self.total = nnx.Variable(jnp.zeros(()))

    def update(self, x: Any) -> Chains:
        write(self.total, read(self.total) + x.sum())
        return self


@pytest.mark.parametrize(
    ("law", "program"),
    [
        ("jit-agrees", "jit call jit"),
        ("cond-agrees", "call cond"),
        pytest.param("loop-agrees", "call fori_loop", marks=CARRIES),
        ("remat-agrees", "call remat"),
        ("abstract-agrees", "call abstract"),
    ],
)
def test_a_method_may_return_its_module(law: str, program: str) -> None:
    calls = {"update": {"inputs": [X, 2 * X]}}
    assert judged(lambda rngs: Chains(), law, program, inputs=None, calls=calls) is None


class Grouped(nnx.Module):
    """Sums rows into so many groups, and keeps the sums; `asks`: for the value of its own state."""

    def __init__(self, asks: bool = False) -> None:
        self.sums = nnx.BatchStat(jnp.zeros((2, 4)))
        self.asks = asks

    def __call__(self, x: Any, groups: int, scale: int) -> Any:
        if self.asks and read(self.sums)[0, 0] > 100:
            return x
        rows = jnp.zeros((groups, x.shape[1])).at[jnp.arange(len(x)) % groups].add(scale * x)
        write(self.sums, read(self.sums) + rows)
        return read(self.sums)


def test_a_number_that_no_transform_could_take_is_a_constant_of_the_call() -> None:
    make = lambda rngs: Grouped()  # noqa: E731
    harness, _ = execution.adopt(Subject(make, [(X, 2, 3)]), "mine", ())  # type: ignore[misc]
    assert [[type(leaf) for leaf in given[1:]] for given in harness.pool.inputs] == [[FixedInt, int], [FixedInt, int]]
    assert judged(make, "jit-agrees", "jit call jit:1 jit", inputs=[(X, 2, 3)]) is None
    assert judged(make, "cond-agrees", "cond call cond:1", inputs=[(X, 2, 3)]) is None


def test_a_call_that_asks_for_the_value_of_its_state_is_accused_whatever_numbers_it_takes() -> None:
    found = violation(lambda rngs: Grouped(asks=True), "jit-agrees", "jit", inputs=[(X, 2, 3)])
    assert "raised TracerBoolConversionError" in found.what


class Delayed(nnx.Module):
    """Takes its buffer as an argument, in arrays of JAX; `keeps`: the input, as it is given."""

    def __init__(self, keeps: bool = False) -> None:
        self.last = nnx.Cache(jnp.zeros((3, 4)))
        self.keeps = keeps

    def __call__(self, buffer: Any, x: Any) -> Any:
        if not self.keeps:
            buffer = buffer.at[0].set(x[0])
        write(self.last, x)
        return buffer + read(self.last)


def test_a_call_that_takes_arrays_of_jax_alone_is_given_these_alone() -> None:
    inputs = [(np.zeros((3, 4), np.float32), X)]
    harness, _ = execution.adopt(Subject(lambda rngs: Delayed(), inputs), "mine", ())  # type: ignore[misc]
    assert not harness.pool.numpy
    assert judged(lambda rngs: Delayed(), "calls-return", "call:8 call:9 call", inputs=inputs) is None
    lent = judged(lambda rngs: Delayed(), "state-owned", "lend:8", inputs=inputs)
    assert lent == NotApplicable("a call raises on NumPy arrays")
    harness, _ = execution.adopt(Subject(lambda rngs: Delayed(keeps=True), inputs), "mine", ())  # type: ignore[misc]
    assert harness.pool.numpy


@dataclasses.dataclass
class Output:
    logits: Any
    state: Any
    name: str


class Returns(Scales):
    def __call__(self, x: Any, **named: Any) -> Any:
        super().__call__(x, deterministic=False)
        return Output(x, {"calls": self.calls, "why": "text"}, "an output"), [x, None, 3]


@pytest.mark.parametrize(
    ("law", "program"),
    [
        ("jit-agrees", "jit jit call"),
        ("cond-agrees", "call cond"),
        pytest.param("scan-agrees", "call scan", marks=CARRIES),
    ],
)
def test_outputs_may_be_dataclasses_variables_and_text(law: str, program: str) -> None:
    assert judged(lambda rngs: Returns(), law, program) is None


def test_a_field_of_a_dataclass_is_compared() -> None:
    class Alternates(Returns):
        turn = 1.0

        def __call__(self, x: Any, **named: Any) -> Any:
            self.turn = -self.turn
            return Output(x * self.turn, None, "")

    found = violation(lambda rngs: Alternates(), "no-hidden-state", "call graft")
    assert found.what == "output['logits'] differs after step 2, `graft`"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs": None}, r"Expected a subject with inputs but got none\. Add `inputs=\[\.\.\.\]`, or `calls="),
        ({"calls": {"decode": {}}}, r"Expected inputs of the call 'decode' but got none\."),
        ({"calls": {"decode": {"inputs": [X], "keyword": ()}}}, r"calls\['decode'\]='keyword' .*mean 'keywords'\?"),
        ({"calls": CALLS, "inputs": [X]}, r"Expected calls alone but got calls=\['prefill', 'decode'\]"),
        ({"inputs": [X], "keywords": "scale"}, r"Expected names of arguments but got keywords='scale'"),
        ({"calls": {name: {"inputs": [X]} for name in "abcde"}}, r"Expected 4 calls at most"),
    ],
)
def test_calls_that_mean_nothing_are_misuse(fields: Any, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        as_subject({"make": lambda rngs: Cache(), **fields})


def test_a_method_that_there_is_not_is_misuse() -> None:
    loaded = execution.adopt(Subject(lambda rngs: Cache(), calls={"encode": {"inputs": [X]}}), "mine", ())
    assert "'Cache' object has no attribute 'encode'" in str(loaded)
