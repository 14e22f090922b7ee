"""A number made of what a call returned, by which an intervention tells calls apart that differ in nothing else."""

from __future__ import annotations

from typing import Any

#: A prime; its remainders fit into most dtypes of a count.
REMAINDERS = 251


def remainder(values: Any, numpy: Any) -> Any:
    """A whole number of 0 to 250, the same for the same values in any order, zeros left out.

    Args:
        values: numbers, any shape and dtype.
        numpy: the module that computes it, `numpy` or, inside a trace, `jax.numpy`.
    """
    finite = numpy.nan_to_num(values.astype("float32"), nan=0.0, posinf=0.0, neginf=0.0)
    return numpy.sum(numpy.floor(numpy.abs(finite)) % REMAINDERS) % REMAINDERS
