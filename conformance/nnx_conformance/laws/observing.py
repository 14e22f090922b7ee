"""How subjects are observed, as the judge knows it: data, and what an observation cannot be."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

from nnx_conformance.laws.language import program
from nnx_conformance.laws.seen import Observation
from nnx_conformance.observer import Observer
from nnx_conformance.request import LINES, Request

#: The operation that goes on in a new process.
RESTART = "restart"
#: Compile anew for this case, whatever was compiled for others: what a trace does besides computing shows only then.
FRESH = "fresh"


def consistent(seen: Observation, request: Request) -> Observation:
    """The observation, if it is one of the program that was asked for.

    Raises:
        ValueError: if it has other steps.
    """
    wanted = [word.operation.name for word in program(request.case).words][request.done :]
    got = [step.operation for step in seen.steps]
    if got != wanted[: len(got)]:
        raise ValueError("it has other steps than the program")
    if seen.files and (wanted[len(got) :][:1] != [RESTART] or (request.done and not got)):
        raise ValueError("it hands over where no new process is to go on")
    if not all(_inside(file.path) for file in seen.files):
        raise ValueError("it hands over a file outside of its folder")
    ended = bool(seen.skipped or seen.files)
    ended |= any(step.subject.raised or step.twin.raised for step in seen.steps[-1:])
    if len(got) < len(wanted) and not ended:
        raise ValueError("the program was not carried out to its end")
    for step in seen.steps:
        if any(leaf.array is not None and leaf.traced for leaf in step.subject.state):
            raise ValueError("a tracer with contents")
    return seen


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in path


def rest(request: Request, seen: Observation) -> Request | None:
    """What a new process is to do after what was seen: the program from its next restart on."""
    return dataclasses.replace(request, done=len(seen.steps), files=seen.files) if seen.files else None


def joined(seen: Observation, more: Observation) -> Observation:
    """One observation of a program that went on in a new process."""
    inputs = {given.number: given for given in (*seen.inputs, *more.inputs)}
    return dataclasses.replace(
        seen,
        steps=seen.steps + more.steps,
        inputs=tuple(inputs[number] for number in sorted(inputs)),
        output=seen.output + more.output,
        files=more.files,
    )


def anew(request: Request, seen: Observation) -> Request:
    """What shows the same again: where something was compiled for this case, it must be compiled again."""
    compiled = any(step.traces for step in seen.steps)
    return dataclasses.replace(request, probes=(*request.probes, FRESH)) if compiled else request


SUBJECTS = Observer(
    code="nnx_conformance.laws.subjects",
    kind=Observation,
    consistent=consistent,
    every_probe=(FRESH,),
    lines=LINES,
    again=anew,
    rest=rest,
    joined=joined,
)
