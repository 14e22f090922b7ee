"""Candidates that are functions: how they are loaded and observed. Imported where a candidate runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnx_conformance.load import PARAMETERS, arity_problem, from_function, function_name
from nnx_conformance.load import load as load
from nnx_conformance.loaded import Loaded, NotLoaded
from nnx_conformance.observe import Candidate
from nnx_conformance.probe import observe as observe


def adopt(function: Callable[..., Any], name: str, parameters: tuple[str, ...]) -> tuple[Candidate, Loaded] | NotLoaded:
    """The candidate that a Python object is.

    Args:
        function: the implementation.
        name: what reports call it.
        parameters: the arguments that the contract passes, by position.
    """
    candidate = from_function(function, name)
    if problem := arity_problem(function, parameters):
        return NotLoaded(False, problem, PARAMETERS)
    return candidate, Loaded(function_name(function), candidate.source.file, "", ())
