"""Candidates of any of the frameworks: loaded as other functions are, with further spies. Imported where they run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nnx_conformance import functions
from nnx_conformance.frameworks import foreign, linen, pytorch
from nnx_conformance.frameworks.shifting import outputs, shifts
from nnx_conformance.loaded import Loaded, NotLoaded
from nnx_conformance.observation import Observation, Run
from nnx_conformance.observe import Candidate, rerun, run, run_untraced
from nnx_conformance.probe import forget_compiled, without_traces
from nnx_conformance.request import AGAIN, FORGET, LINES, OUTPUTS, SHIFTS, Request
from nnx_conformance.target import Target
from nnx_conformance.tensors import is_imported
from nnx_conformance.timeline import clearer


def load(target: Target, entry: str, parameters: tuple[str, ...]) -> tuple[Candidate, Loaded] | NotLoaded:
    """Import a target and find its candidate; see `load.load`."""
    return _watched(functions.load(target, entry, parameters))


def adopt(function: Callable[..., Any], name: str, parameters: tuple[str, ...]) -> tuple[Candidate, Loaded] | NotLoaded:
    """The candidate that a Python object is; see `functions.adopt`."""
    return _watched(functions.adopt(function, name, parameters))


def _watched(made: tuple[Candidate, Loaded] | NotLoaded) -> tuple[Candidate, Loaded] | NotLoaded:
    if isinstance(made, NotLoaded):
        return made
    candidate, loaded = made
    return dataclasses.replace(candidate, arrays=True, further=_spies()), loaded


def _spies() -> tuple[Any, ...]:
    """Those of PyTorch only where the candidate has imported it: it takes seconds."""
    return (linen.spying, pytorch.spying) if is_imported() else (linen.spying,)


def observe(candidate: Candidate, request: Request) -> Observation:
    """Answer a request; what the candidate writes to its streams is added by who holds them."""
    follow = LINES in request.probes
    if FORGET in request.probes:
        forget_compiled()
    first = run(candidate, request.case, request.calls, follow=follow)
    if (found := _spies()) != candidate.further:  # it imports PyTorch when it is called
        candidate.further = found
        first = run(candidate, request.case, request.calls, follow=follow)
    again = rerun(candidate, request.case) if AGAIN in request.probes else None
    hidden = without_traces(candidate, request, first)
    untraced = run_untraced(candidate, request.case, request.calls, follow=follow) if hidden else None
    _note(candidate, first, untraced)
    wanted = SHIFTS in request.probes and not first.raised
    made = shifts(candidate, request, first, untraced) if wanted else ()
    if OUTPUTS in request.probes and not first.raised:
        made = (*made, *outputs(candidate, request, first, untraced))
    candidate.classes.forget_dead()
    other = next((foreign.NAMES[module.framework] for module in first.modules if module.framework in foreign.NAMES), "")
    return Observation(first, again, untraced, made, (), False, "", other)


def _note(candidate: Candidate, first: Run, untraced: Run | None) -> None:
    """What the run that shows more tells of the candidate."""
    base = clearer(first, untraced)
    candidate.traces = candidate.traces or base is not first
    candidate.fruitless += untraced is not None and base is first
