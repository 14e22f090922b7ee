"""Hypothesis strategies for stateful JAX code: seeds, call counts, and arrays whose lengths compile cheaply."""

from ._cases import Case, cases
from ._lengths import lengths
from ._scalars import call_counts, seeds
from ._vectors import host_vectors, vectors

__all__ = ["Case", "call_counts", "cases", "host_vectors", "lengths", "seeds", "vectors"]
