"""After cases of Flax's own tests, written anew: what Flax promises to work conforms, what it refuses does not.

The names are those of the tests, in `tests/nnx` of https://github.com/google/flax.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from subjects import Case

ROW = np.array([0.5, -1.0, 2.0], np.float32)
ROWS = np.cos(np.arange(6, dtype=np.float32)).reshape(2, 3)


class Counting(nnx.Module):
    """A dense layer that counts its calls."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.count = nnx.BatchStat(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        self.count[...] = self.count[...] + 1
        return self.dense(x)


class Stacked(nnx.Module):
    """Layers whose state is stacked, run one after the other by `nnx.scan`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layers = nnx.vmap(lambda key: Counting(nnx.Rngs(key)))(jax.random.split(rngs.params(), 3))

    def __call__(self, x: Any) -> Any:
        def layer(x: Any, one: Any) -> tuple[Any, Any]:
            return jnp.tanh(one(x)), None

        return nnx.scan(layer, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))(jnp.asarray(x), self.layers)[0]


class Ensemble(nnx.Module):
    """Layers whose state is stacked, run side by side by `nnx.vmap`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layers = nnx.vmap(lambda key: Counting(nnx.Rngs(key)))(jax.random.split(rngs.params(), 3))

    def __call__(self, x: Any) -> Any:
        return nnx.vmap(lambda one, x: one(x), in_axes=(0, None))(self.layers, x).mean(axis=0)


class Remat(nnx.Module):
    """Runs its stateful layer under `nnx.remat`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = Counting(rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.remat(lambda layer, x: layer(x))(self.layer, x)


class While(nnx.Module):
    """Runs its stateful layer three times in an `nnx.while_loop`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = Counting(rngs)

    def __call__(self, x: Any) -> Any:
        def body(carry: Any) -> Any:
            layer, x, n = carry
            return layer, layer(x), n - 1

        return nnx.while_loop(lambda carry: carry[2] > 0, body, (self.layer, jnp.asarray(x), jnp.int32(3)))[1]


class Fori(nnx.Module):
    """Runs its stateful layer three times in an `nnx.fori_loop`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = Counting(rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.fori_loop(0, 3, lambda i, carry: (carry[0], carry[0](carry[1])), (self.layer, jnp.asarray(x)))[1]


class Branches(nnx.Module):
    """Two names for one layer, of which a branch of `nnx.cond` calls one."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.one = Counting(rngs)
        self.same = self.one

    def __call__(self, x: Any) -> Any:
        return nnx.cond(
            jnp.sum(x) > 0, lambda one, same, x: one(x), lambda one, same, x: same(same(x)), self.one, self.same, x
        )


class Shared(nnx.Module):
    """One layer as two children."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.again = self.dense

    def __call__(self, x: Any) -> Any:
        return self.again(self.dense(x))


class Jitted(nnx.Module):
    """Two layers, updated together inside `nnx.jit`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.one, self.two = Counting(rngs), Counting(rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.jit(lambda one, two, x: two(one(x)))(self.one, self.two, x)


class Checked(nnx.Module):
    """Runs its stateful layer under `nnx.checkify`."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer = Counting(rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.checkify(lambda layer, x: layer(x))(self.layer, x)[1]


class Hidden:
    """A plain object, which NNX does not look into."""

    def __init__(self, held: Any) -> None:
        self.held = held


class Outside(nnx.Module):
    """Draws from an Rngs that a transform does not see as its argument."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.hidden = Hidden(nnx.Rngs(noise=0))

    def __call__(self, x: Any) -> Any:
        return self.dense(x) + jax.random.normal(self.hidden.held.noise(), (3,))


class Static(nnx.Module):
    """Counts in a Variable that a transform does not see as its argument."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.hidden = Hidden(nnx.Variable(jnp.zeros(())))

    def __call__(self, x: Any) -> Any:
        self.hidden.held[...] = self.hidden.held[...] + 1.0
        return self.dense(x)


class Listed(nnx.Module):
    """A Python list of Variables or modules as an attribute."""

    def __init__(self, *held: Any) -> None:
        self.held = list(held)

    def __call__(self, x: Any) -> Any:
        return x


class Late(nnx.Module):
    """An attribute that was a Python number and becomes an array."""

    def __init__(self) -> None:
        self.total: Any = 0

    def __call__(self, x: Any) -> Any:
        self.total = jnp.sum(x)
        return x


class Aliased(nnx.Module):
    """Gives one Variable to `nnx.vmap` twice, once split and once whole."""

    def __init__(self) -> None:
        self.row = nnx.Variable(jnp.zeros((3,)))

    def __call__(self, x: Any) -> Any:
        return nnx.vmap(lambda one, other: one[...] + other[...].sum(), in_axes=(0, None))(self.row, self.row) + x


class Bound(nnx.Module):
    """Gives a transform a method that is bound to the module."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(3, 3, rngs=rngs)

    def step(self, x: Any) -> Any:
        return self.dense(x)

    def __call__(self, x: Any) -> Any:
        return nnx.jit(self.step)(x)


class Replaced(nnx.Module):
    """Puts a new Variable over the old one, which no loop or branch may do."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x: Any) -> Any:
        self.mean = nnx.BatchStat(0.5 * self.mean[...] + 0.5 * x)
        return x - self.mean[...]


def wrapped_linen(rngs: nnx.Rngs) -> Any:
    """A batch normalisation of Linen as a module of NNX."""
    import flax.linen as nn

    return nnx.bridge.ToNNX(nn.BatchNorm(use_running_average=False), rngs=rngs).lazy_init(ROWS)


def called_mutably(module: Any, x: Any) -> Any:
    """A call that lets Linen write its statistics."""
    return module(x, mutable=["batch_stats"])


def subject(make: Any, inputs: Any = ROW, **traits: Any) -> dict[str, Any]:
    """A subject with one input."""
    return {"make": make, "inputs": [inputs], "traits": traits}


MODERN = "0.10.7"
STRICT = "0.12.0"

CASES = [
    Case(name="test_scan_stateful", subject=subject(Stacked), min_flax=MODERN),
    Case(name="test_vmap_stateful", subject=subject(Ensemble), min_flax=MODERN),
    Case(name="test_remat_stateful", subject=subject(Remat), min_flax=MODERN),
    Case(name="test_while_loop_stateful", subject=subject(While), min_flax=MODERN),
    Case(name="test_fori_loop_stateful", subject=subject(Fori), min_flax=MODERN),
    Case(name="test_checkify_stateful", subject=subject(Checked), min_flax="0.12.0"),
    Case(name="test_cond_shared_references", subject=subject(Branches), min_flax=MODERN),
    Case(name="test_shared_module", subject=subject(Shared)),
    Case(name="test_jit_updates", subject=subject(Jitted), min_flax=MODERN),
    Case(name="test_stateful_linear", subject=subject(Counting), min_flax=MODERN),
    Case(
        name="test_linen_to_nnx_mutable",
        subject={"make": wrapped_linen, "inputs": [ROWS], "call": called_mutably},
        min_flax="0.12.6",
        breaks={"tree-mode-ready": "in tree mode, a Variable that a call replaces is lost, see docs/findings.md"},
    ),
    Case(
        name="test_rng_trace_level_constraints",
        subject=subject(Outside, draws_randomness=True),
        min_flax=MODERN,
        breaks={"jit-agrees": "a stream cannot be advanced from within a transform that it is no argument of"},
    ),
    Case(
        name="test_trace_level",
        subject=subject(Static),
        min_flax=MODERN,
        breaks={"jit-agrees": "a Variable cannot be written from within a transform that it is no argument of"},
    ),
    Case(
        name="test_ref_changed",
        subject=subject(Replaced),
        min_flax=MODERN,
        breaks={"cond-agrees": "loops and branches must leave each Variable in its place"},
    ),
    Case(
        name="test_variable_in_static_list",
        subject=subject(lambda rngs: Listed(nnx.Variable(jnp.zeros(())))),
        min_flax=STRICT,
        refused="ValueError",
    ),
    Case(
        name="test_module_in_static_list",
        subject=subject(lambda rngs: Listed(nnx.Linear(3, 3, rngs=rngs))),
        min_flax=STRICT,
        refused="ValueError",
    ),
    Case(
        name="test_no_data_in_static",
        subject=subject(lambda rngs: Late()),
        min_flax=STRICT,
        refused="ValueError",
    ),
    Case(
        name="test_vmap_inconsistent_aliasing",
        subject=subject(lambda rngs: Aliased()),
        min_flax=MODERN,
        refused="Inconsistent aliasing",
    ),
    Case(name="test_jit_bound_method_raises", subject=subject(Bound), min_flax="0.12.1", refused="bound method"),
]
