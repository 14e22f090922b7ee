"""Right implementations and named wrong ones, to prove a conformance kit with."""

from nnx_reference.catalogue import Catalogue, Implementation, read
from nnx_reference.exercises import mutants, rights

__all__ = ["Catalogue", "Implementation", "mutants", "read", "rights"]
