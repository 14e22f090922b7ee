"""Hypothesis strategies for stateful JAX code: seeds, keys, operations, and arrays whose shapes compile cheaply."""

from ._arrays import arrays, host_arrays
from ._cases import Case, cases
from ._corners import corners
from ._keys import keys
from ._lengths import lengths
from ._operations import operation_sequences
from ._pytrees import pytrees
from ._scalars import call_counts, seeds
from ._shapes import shapes
from ._vectors import host_vectors, vectors

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
    "seeds",
    "shapes",
    "vectors",
]
