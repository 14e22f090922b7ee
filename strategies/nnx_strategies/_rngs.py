"""Random number generators of Flax NNX."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from ._scalars import seeds
from ._whole_numbers import index, indices

if TYPE_CHECKING:
    from flax import nnx

# How many keys are drawn from a generator in advance.
_DRAWN = (0, 0, 0, 1, 2)


def rngs() -> st.SearchStrategy[nnx.Rngs]:
    """`nnx.Rngs` with a stream for any name.

    Made from `seeds()`, some with keys already drawn. Shrinks to `nnx.Rngs(0)`.

    Returns:
        A strategy for `nnx.Rngs` (of a subclass that Hypothesis can print), a new one in each example.
    """
    numbers, times = seeds(kind="int"), indices(len(_DRAWN), purpose="keys drawn before")

    @st.composite
    def generators(draw: st.DrawFn) -> Any:
        made = _printable()(int(draw(numbers)))
        for _ in range(_DRAWN[index(draw(times))]):
            made.default()
        return made

    return generators()


@functools.cache
def _printable() -> Any:
    import jax
    from flax import nnx

    class Rngs(nnx.Rngs):
        # An `nnx.Rngs` has a stream for any attribute name, including this one, and Hypothesis would call it.
        def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
            count, key = jax.tree.leaves(nnx.state(self))[:2]
            seed, drawn = int(np.asarray(jax.random.key_data(key))[-1]), int(count)
            printer.text(f"nnx.Rngs({seed})" + (f" after {drawn} keys" if drawn else ""))

    Rngs.__qualname__ = "Rngs"
    return Rngs
