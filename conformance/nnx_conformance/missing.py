"""Packages that candidates may use and that are not installed: how to install them."""

from __future__ import annotations

from nnx_conformance.observation import Raised

#: By the name that is imported: what it is called, and the extra of this distribution that brings it.
EXTRAS = {"torch": ("PyTorch", "torch")}


def missing(raised: Raised | None) -> str:
    """How to install what an import did not find; empty if that is not what was raised, or it is no extra."""
    if raised is None or raised.type not in ("ModuleNotFoundError", "ImportError"):
        return ""
    for module, (name, extra) in EXTRAS.items():
        if f"No module named '{module}" in raised.message:
            return f"{name} is not installed here: pip install 'nnx-conformance[{extra}]'"
    return ""
