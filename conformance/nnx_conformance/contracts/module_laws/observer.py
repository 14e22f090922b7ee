"""The observer of subjects on the judge's side: where its code is, and which facts are inconsistent with a request."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.laws.traced.conditions import condition_outcomes
from nnx_conformance.contracts.module_laws.program.language import TREE, Program, program
from nnx_conformance.core.observer import Observer
from nnx_conformance.core.plan import Request, RunPlan


def consistent(facts: ProgramFacts, request: Request) -> ProgramFacts:
    """The facts unchanged, if they belong to the requested program.

    Raises:
        ValueError: if they do not.
    """
    requested = program(request.case)
    if requested.mode == TREE:
        if facts.steps or facts.files or (not facts.skipped and len(facts.parts) != len(requested.parts)):
            raise ValueError("it has other parts than the program")
        for part, short in zip(facts.parts, requested.parts, strict=False):
            _check(facts.of_part(part), short, 0)
        return facts
    if facts.parts:
        raise ValueError("it has parts, and the program has none")
    _check(facts, requested, request.done)
    return facts


def _check(facts: ProgramFacts, requested: Program, done: int) -> None:
    wanted = [word.operation.name for word in requested.words][done:]
    names = [step.operation for step in facts.steps]
    if names != wanted[: len(names)]:
        raise ValueError("it has other steps than the program")
    # Only `restart` continues in a new process.
    if facts.files and (wanted[len(names) :][:1] != ["restart"] or (done and not names)):
        raise ValueError("it hands over where no new process is to go on")
    if not all(_inside(file.path) for file in facts.files):
        raise ValueError("it hands over a file outside of its folder")
    ended = bool(facts.skipped or facts.files or facts.make_error)
    # A program also ends at a skipped transform that the installed Flax cannot run on any module.
    ended |= any(step.skipped or step.subject.raised or step.twin.raised for step in facts.steps[-1:])
    if len(names) < len(wanted) and not ended:
        raise ValueError("the program was not carried out to its end")
    if any(leaf.array is not None and leaf.traced for step in facts.steps for leaf in step.subject.state):
        raise ValueError("a tracer with contents")


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in path


def rest(request: Request, facts: ProgramFacts) -> Request | None:
    """The request for a new process that continues the program at its `restart`; None if the program has ended."""
    return dataclasses.replace(request, done=len(facts.steps), files=facts.files) if facts.files else None


def joined(facts: ProgramFacts, more: ProgramFacts) -> ProgramFacts:
    """The facts of one program from those of two processes that ran it in turn."""
    inputs = {each.number: each for each in (*facts.inputs, *more.inputs)}
    return dataclasses.replace(
        facts,
        steps=facts.steps + more.steps,
        inputs=tuple(inputs[number] for number in sorted(inputs)),
        output=facts.output + more.output,
        files=more.files,
    )


def recompiled(facts: ProgramFacts) -> bool:
    """Whether this case traced a call: a trace's side effects show only then."""
    steps = [*facts.steps, *(step for part in facts.parts for step in part.steps)]
    return any(step.traces for step in steps)


def devices(request: Request) -> int:
    """The number of devices that the program of a request needs."""
    return program(request.case).devices


SUBJECTS = Observer(
    code="nnx_conformance.contracts.module_laws.execution.run",
    kind=ProgramFacts,
    by_name=False,
    consistent=consistent,
    everything=RunPlan(compile_anew=True),
    follows=True,
    recompiled=recompiled,
    met=condition_outcomes,
    rest=rest,
    joined=joined,
    devices=devices,
)
