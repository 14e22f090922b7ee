"""What differs between versions and modes of Flax for the operations of a program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import flax
from flax import nnx

from nnx_conformance.laws.language import TREE
from nnx_conformance.laws.snapshots import variables
from nnx_conformance.laws.transplants import is_random

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
HAS_MODES = hasattr(nnx, "set_graph_mode")


def missing(mode: str) -> str:
    """Why programs cannot run in a mode; empty if they can."""
    return "" if mode != TREE or HAS_MODES else f"Flax {flax.__version__} has no tree mode"


@contextlib.contextmanager
def mode(name: str) -> Iterator[None]:
    """Run in graph mode or in tree mode, where Flax has both."""
    if not HAS_MODES:
        yield
        return
    with nnx.set_graph_mode(name != TREE):  # type: ignore[no-untyped-call]
        yield


def refused(name: str, mode: str, module: Any) -> str:
    """Why an operation cannot be had on this Flax for this module; empty if it can."""
    found = variables(module).values()
    if name == "scan" and not hasattr(nnx, "Carry"):
        return f"Flax {flax.__version__} has no nnx.scan with a carried module"
    if name == "vmap" and VERSION < (0, 9) and any(map(is_random, found)):
        return f"Flax {flax.__version__} makes the random keys of lanes anew"
    params = any(isinstance(variable, nnx.Param) for variable in found)
    if name == "optimize" and not params:
        return "it has no nnx.Param"
    if name == "grad" and not params and VERSION < (0, 9):
        return f"Flax {flax.__version__} cannot differentiate a module without nnx.Param"
    return ""
