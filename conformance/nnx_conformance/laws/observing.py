"""How subjects are observed, as the judge knows it: data, and what an observation cannot be."""

from __future__ import annotations

import dataclasses

from nnx_conformance.laws.language import program
from nnx_conformance.laws.seen import Observation
from nnx_conformance.observer import Observer
from nnx_conformance.request import Request

#: Compile anew for this case, whatever was compiled for others: what a trace does besides computing shows only then.
FRESH = "fresh"


def consistent(seen: Observation, request: Request) -> Observation:
    """The observation, if it is one of the program that was asked for.

    Raises:
        ValueError: if it has other steps.
    """
    wanted = [word.operation.name for word in program(request.case).words]
    got = [step.operation for step in seen.steps]
    if got != wanted[: len(got)]:
        raise ValueError("it has other steps than the program")
    ended = bool(seen.skipped) or any(step.subject.raised or step.twin.raised for step in seen.steps[-1:])
    if len(got) < len(wanted) and not ended:
        raise ValueError("the program was not carried out to its end")
    for step in seen.steps:
        if any(leaf.array is not None and leaf.traced for leaf in step.subject.state):
            raise ValueError("a tracer with contents")
    return seen


def anew(request: Request, seen: Observation) -> Request:
    """What shows the same again: where something was compiled for this case, it must be compiled again."""
    compiled = any(step.traces for step in seen.steps)
    return dataclasses.replace(request, probes=(*request.probes, FRESH)) if compiled else request


SUBJECTS = Observer(
    code="nnx_conformance.laws.subjects",
    kind=Observation,
    consistent=consistent,
    every_probe=(FRESH,),
    again=anew,
)
