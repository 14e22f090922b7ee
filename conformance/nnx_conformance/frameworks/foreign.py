"""Modules of another framework than the contract is about: looked for once no module of its own was made."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.frameworks import linen, pytorch
from nnx_conformance.observe import Candidate, run
from nnx_conformance.tensors import is_imported

NAMES = {"linen": "flax.linen.Module", "torch": "torch.nn.Module"}


def foreign(candidate: Candidate, case: Case, asked: int) -> str:
    """The base class of the first module that the candidate makes; empty if it makes none of the known frameworks."""
    before = candidate.further
    candidate.further = (linen.spying, pytorch.spying) if is_imported() else (linen.spying,)
    try:
        modules = run(candidate, case, asked).modules
    finally:
        candidate.further = before
    return next((NAMES[module.framework] for module in modules if module.framework in NAMES), "")
