"""Hypothesis strategies for stateful JAX code: seeds, keys, operations, and arrays whose shapes compile cheaply."""

from ._arrays.arrays import arrays, host_arrays
from ._arrays.lengths import lengths
from ._arrays.shapes import shapes
from ._arrays.vectors import host_vectors, vectors
from ._cases import Case, cases
from ._corners import corners
from ._keys import keys
from ._operations import operation_sequences
from ._pytrees import pytrees
from ._rngs import rngs
from ._scalars import call_counts, seeds
from ._states import states

__all__ = [
    "Case",
    "arrays",
    "call_counts",
    "cases",
    "corners",
    "host_arrays",
    "host_vectors",
    "keys",
    "lengths",
    "operation_sequences",
    "pytrees",
    "rngs",
    "seeds",
    "shapes",
    "states",
    "vectors",
]
