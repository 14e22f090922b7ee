"""What differs between versions and modes of Flax for the operations of a program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import flax
from flax import nnx

from nnx_conformance.laws.language import TREE
from nnx_conformance.laws.snapshots import arrays, shares, state, variables
from nnx_conformance.laws.transplants import is_random

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
HAS_MODES = hasattr(nnx, "set_graph_mode")


#: What writes state into a module, and what hands the module to a function that Flax traces.
RESTORES = ("save", "reload", "restart", "graft", "reseed", "endure")
TRACED = ("jit", "remat", "cond", "scan", "vmap")


def missing(mode: str) -> str:
    """Why programs cannot run in a mode; empty if they can."""
    return "" if mode != TREE or HAS_MODES else f"Flax {flax.__version__} has no tree mode"


def _refused_in_tree_mode(name: str, module: Any, called: bool) -> str:
    """Limits of tree mode that are no mistake of a module, see FLIP 5310 (https://github.com/google/flax)."""
    if name in ("grad", "optimize"):
        return "nnx.grad differentiates every Variable in tree mode"
    if shares(module):
        return "tree mode has no shared Variables or nodes"
    if name in TRACED and not called:
        return "tree mode loses what a first call makes under a transform"
    return "tree mode carries no state in plain arrays" if name in TRACED and arrays(module) else ""


@contextlib.contextmanager
def mode(name: str) -> Iterator[None]:
    """Run in graph mode or in tree mode, where Flax has both."""
    if not HAS_MODES:
        yield
        return
    with nnx.set_graph_mode(name != TREE):  # type: ignore[no-untyped-call]
        yield


def refused(name: str, mode: str, module: Any, called: bool) -> str:
    """Why an operation cannot be had on this Flax for this module, called before or not; empty if it can."""
    if mode == TREE and (reason := _refused_in_tree_mode(name, module, called)):
        return reason
    found = variables(module).values()
    if name == "scan" and not hasattr(nnx, "Carry"):
        return f"Flax {flax.__version__} has no nnx.scan with a carried module"
    if name == "vmap" and VERSION < (0, 9) and any(map(is_random, found)):
        return f"Flax {flax.__version__} makes the random keys of lanes anew"
    if name in RESTORES and VERSION < (0, 9) and _in_containers(module):
        return f"Flax {flax.__version__} writes no state into tuples and lists"
    params = any(isinstance(variable, nnx.Param) for variable in found)
    if name == "optimize" and not params:
        return "it has no nnx.Param"
    if name == "grad" and not params and VERSION < (0, 9):
        return f"Flax {flax.__version__} cannot differentiate a module without nnx.Param"
    return ""


def _in_containers(module: Any) -> bool:
    """Whether arrays sit in plain containers, such as the named tuples of an optimiser's state."""
    return any((leaf.dtype and not leaf.state) or leaf.kind == "nnx.VariableState" for leaf in state(module))
