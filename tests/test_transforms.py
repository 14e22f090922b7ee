"""Under which transforms a call runs, and in which compilation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.case import Case
from nnx_conformance.observe.functions import adopt
from nnx_conformance.observe.run import run


class Doubler(nnx.Module):
    """Has one Variable, so that its graph is not empty."""

    def __init__(self) -> None:
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: Any) -> Any:
        return x + x


def calls(candidate: Callable[[], Any]) -> list[tuple[tuple[str, ...], int]]:
    """Through what each call of a module ran, and the number of the compilation."""
    adopted = adopt(candidate, "candidate", ())
    assert not isinstance(adopted, NotLoaded)
    seen = run(adopted[0], Case("core", ()), 1)
    assert seen.raised is None, seen.raised
    return [(call.through, call.compilation) for call in seen.calls]


def test_a_plain_call_runs_through_nothing() -> None:
    assert calls(lambda: Doubler()(1.0)) == [((), -1)]


def test_plain_and_lifted_jit_are_told_apart() -> None:
    def plain() -> None:
        graphdef, state = nnx.split(Doubler())
        jax.jit(lambda state, x: nnx.merge(graphdef, state)(x))(state, 1.0)

    def lifted() -> None:
        nnx.jit(lambda model, x: model(x))(Doubler(), 1.0)

    assert calls(plain) == [(("jax.jit",), 0)]
    assert calls(lifted) == [(("nnx.jit",), 0)]


def test_transforms_are_told_from_the_outermost_inwards() -> None:
    def candidate() -> None:
        model = Doubler()
        jax.jit(jax.vmap(lambda x: model(x)))(jnp.ones(2))
        nnx.jit(nnx.vmap(lambda model, x: model(x), in_axes=(None, 0)))(model, jnp.ones(2))

    assert [through for through, _ in calls(candidate)] == [("jax.jit", "jax.vmap"), ("nnx.jit", "nnx.vmap")]


def test_every_compilation_has_its_number() -> None:
    def candidate() -> None:
        graphdef, state = nnx.split(Doubler())
        step = jax.jit(lambda state, x: nnx.merge(graphdef, state)(nnx.merge(graphdef, state)(x)))
        step(state, jnp.ones(2))
        step(state, jnp.ones(2))  # from the cache
        step(state, jnp.ones(3))

    assert [number for _, number in calls(candidate)] == [0, 0, 1, 1]


def test_what_jax_compiles_for_itself_is_no_transform_of_the_candidate() -> None:
    def candidate() -> None:
        model = Doubler()
        jax.lax.fori_loop(0, 2, lambda _, x: model(x), 1.0)

    assert [(through[0], number) for through, number in calls(candidate)] == [("jax.lax.fori_loop", -1)]
