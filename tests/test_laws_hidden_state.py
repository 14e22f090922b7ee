"""What the laws say of state outside of Variables: the line that changes it, the cause, and a remedy that fits."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lawful import read, write
from nnx_conformance import Report, Subject, check_module
from nnx_conformance.core.current import current, installed
from nnx_conformance.core.report import Finding

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
TICKS = itertools.count()


class Base(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.factor = nnx.Variable(jnp.array(2.0))


class DrawsFromNumpy(Base):
    def __call__(self, x: Any) -> Any:
        return x + np.random.normal(size=x.shape)


class CountsAtModuleLevel(Base):
    def __call__(self, x: Any) -> Any:
        return x + next(TICKS)


class CompiledForItself(Base):
    @functools.partial(jax.jit, static_argnums=0)
    def scaled(self, x: Any) -> Any:
        return x * read(self.factor)

    def __call__(self, x: Any) -> Any:
        write(self.factor, read(self.factor) + 1.0)
        return self.scaled(x)


def judged(make: Any, *checks: str) -> Report:
    return check_module(Subject(make, [X, 2 * X]), max_examples=4, shrink=False, checks=checks)


def hidden(make: Any) -> Finding:
    (found,) = judged(make, "no-hidden-state").findings
    return found


@pytest.mark.medium
@pytest.mark.parametrize(
    ("make", "source", "cause", "remedy"),
    [
        (
            DrawsFromNumpy,
            "return x + np.random.normal(size=x.shape)",
            "the call draws from `numpy.random`, a generator that all modules share and that no seed of theirs sets",
            "Draw from the keys of the module's own `nnx.Rngs`: `jax.random.normal(self.rngs.noise(), x.shape)`.",
        ),
        (
            CountsAtModuleLevel,
            "TICKS = itertools.count()",
            "`TICKS` at module level outlives the call, which changes it (test_laws_hidden_state.py:",
            "Keep it in a Variable that is an attribute of the module.",
        ),
        (
            CompiledForItself,
            "@functools.partial(jax.jit, static_argnums=0)",
            "`CompiledForItself.scaled` is compiled with a static `self`: it keeps what the Variables held when it was "
            "traced",
            "Compile it with `@nnx.jit`, which takes the module's state in and out, or compile the whole call with "
            "`nnx.jit`.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_hides_state_is_named_with_its_line_and_a_remedy(make: Any, source: str, cause: str, remedy: str) -> None:
    found = hidden(make)

    assert found.line is not None
    assert found.line.source == source
    assert found.cause.startswith(cause)
    assert found.remedy == current(remedy, installed())


def test_chance_is_not_taken_for_unwritten_memory() -> None:
    report = judged(DrawsFromNumpy, "start-defined")  # NumPy's generators allocate by `empty`

    assert report.result("start-defined").status == "not applicable"
    assert report.result("start-defined").reason == "modules from one seed differ by themselves"
