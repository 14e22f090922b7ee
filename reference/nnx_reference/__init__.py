"""Right implementations and named wrong ones, to prove a conformance kit with."""

from nnx_reference.catalogue import Implementation, mutants, rights

__all__ = ["Implementation", "mutants", "rights"]
