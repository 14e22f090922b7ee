"""How the candidates of a contract are observed: data. The code behind it is imported where a candidate runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnx_conformance.consistent import consistent
from nnx_conformance.loaded import Loaded
from nnx_conformance.observation import Observation
from nnx_conformance.request import AGAIN, FORGET, LINES, LOOK, NO_LOOK, OUTPUTS, SHIFTS, UNTRACED, Request


def nothing_further(_: int) -> tuple[str, ...]:
    """No probes: a case is observed once."""
    return ()


def as_it_is(request: Request, _: Any) -> Request:
    """The request itself: asked again, it shows the same."""
    return request


def nothing_left(_: Request, __: Any) -> Request | None:
    """Nothing for another process to do: an observation is whole."""
    return None


def first_alone(seen: Any, _: Any) -> Any:
    """The first observation: there is no other."""
    return seen


def output_told(seen: Any, loaded: Loaded) -> Any:
    """The observation, with what importing the candidate wrote."""
    return dataclasses.replace(seen, output=loaded.output + seen.output)


def unchecked(seen: Any, _: Request) -> Any:
    """The observation itself: one whose kind leaves nothing to contradict."""
    return seen


@dataclass(frozen=True)
class Observer:
    """How candidates are observed.

    Attributes:
        code: the dotted name of a module with three functions. `load(target, entry, parameters)` imports a target and
            gives the candidate and a `Loaded`, or a `NotLoaded`; `adopt(value, name, parameters)` does so for a Python
            object; `observe(candidate, request)` gives a `kind`. The module is imported in the candidate's process,
            which must hold no expected value: it imports no contract and no reference.
        kind: the class of the observations, a dataclass of plain data with a field `output: str`. What comes back is
            parsed against its types.
        consistent: gives the observation that it is given, or raises `ValueError` if it contradicts itself or the
            request: what a candidate's process sends may have been forged.
        probes: what further runs to make of the case at a position of the core domain.
        edge_probes: the same of the edge domains.
        every_probe: all that can be asked about a case: what its replay asks.
        warm: the probe under which more is compiled than the run as it is needs, of what other candidates may need;
            empty if there is none.
        lines: the probe that follows a run line by line, for the places of a finding; empty if there is none.
        again: the request that shows the same again, whatever the candidate's process has learnt since.
        rest: what a new process of the candidate is to be asked so that an observation becomes whole; None if it is.
        joined: the observation that two of them come to, the later one of the process that went on.
        with_import: the first observation, with what importing the candidate wrote and warned.
    """

    code: str
    kind: type[Any]
    consistent: Callable[[Any, Request], Any] = unchecked
    probes: Callable[[int], tuple[str, ...]] = nothing_further
    edge_probes: Callable[[int], tuple[str, ...]] = nothing_further
    every_probe: tuple[str, ...] = ()
    warm: str = ""
    lines: str = ""
    again: Callable[[Request, Any], Request] = as_it_is
    rest: Callable[[Request, Any], Request | None] = nothing_left
    joined: Callable[[Any, Any], Any] = first_alone
    with_import: Callable[[Any, Loaded], Any] = output_told


#: All further runs are made of the first cases; then the same case runs again on every third, and interventions are
#: made on every eighth: who breaks what these show breaks it on most cases, and each costs as much as a case.
ALL_OF_FIRST, AGAIN_EVERY, SHIFTS_EVERY = 8, 3, 8


def _some(position: int) -> tuple[str, ...]:
    wanted = ((AGAIN, AGAIN_EVERY), (SHIFTS, SHIFTS_EVERY))
    return tuple(probe for probe, every in wanted if position < ALL_OF_FIRST or position % every == 0)


def _some_outputs(position: int) -> tuple[str, ...]:
    probes = _some(position)
    return (*probes, OUTPUTS) if SHIFTS in probes else probes


#: A part of an edge domain has few cases: of so many, one is looked into, or what a trace does there stays unseen.
LOOK_EVERY = 3


def _looked(position: int) -> tuple[str, ...]:
    return (LOOK,) if position % LOOK_EVERY == 0 else ()


def _looked_alike(request: Request, seen: Observation) -> Request:
    looked = seen.untraced is not None or SHIFTS in request.probes
    return dataclasses.replace(request, probes=(*request.probes, LOOK if looked else NO_LOOK))


def _compiled_alike(request: Request, seen: Observation) -> Request:
    looked = _looked_alike(request, seen)
    return dataclasses.replace(looked, probes=(*looked.probes, FORGET))


def _warnings_told(seen: Observation, loaded: Loaded) -> Observation:
    run = dataclasses.replace(seen.run, warnings=(*loaded.warnings, *seen.run.warnings))
    return dataclasses.replace(seen, run=run, output=loaded.output + seen.output)


#: Candidates that are functions, called with the arguments of a case: what they do with NNX modules.
FUNCTIONS = Observer(
    code="nnx_conformance.functions",
    kind=Observation,
    consistent=consistent,
    probes=_some,
    edge_probes=_looked,
    every_probe=(AGAIN, SHIFTS),
    warm=UNTRACED,
    lines=LINES,
    again=_looked_alike,
    with_import=_warnings_told,
)

#: Functions of whose modules it matters how often they are compiled: a case asked again compiles anew.
COMPILED_FUNCTIONS = dataclasses.replace(FUNCTIONS, again=_compiled_alike)

#: Functions that use Flax NNX, Flax Linen or PyTorch, and keep arrays in their state.
FRAMEWORKS = dataclasses.replace(FUNCTIONS, code="nnx_conformance.frameworks.functions", edge_probes=nothing_further)

#: Functions that lift transforms over modules: a state with a lane for each row, and compiled as others are.
LIFTED = dataclasses.replace(
    FRAMEWORKS, probes=_some_outputs, every_probe=(AGAIN, SHIFTS, OUTPUTS), again=_compiled_alike
)
