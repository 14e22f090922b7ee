"""Candidates of any framework, whose state is recorded as arrays; further spies watch Linen and PyTorch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.observe import functions
from nnx_conformance.observe.functions import observe as observe
from nnx_conformance.observe.run import LoadedCandidate


def load(target: Target, entry: str, parameters: tuple[str, ...]) -> tuple[LoadedCandidate, Loaded] | NotLoaded:
    """Load the candidate of a target; see `load.load`."""
    return _with_arrays(functions.load(target, entry, parameters))


def adopt(
    function: Callable[..., Any], name: str, parameters: tuple[str, ...], packages: tuple[str, ...] = ()
) -> tuple[LoadedCandidate, Loaded] | NotLoaded:
    """Load a Python object as a candidate; see `load.adopt`."""
    return _with_arrays(functions.adopt(function, name, parameters, packages))


def _with_arrays(result: tuple[LoadedCandidate, Loaded] | NotLoaded) -> tuple[LoadedCandidate, Loaded] | NotLoaded:
    if isinstance(result, NotLoaded):
        return result
    candidate, loaded = result
    return dataclasses.replace(candidate, arrays=True), loaded
