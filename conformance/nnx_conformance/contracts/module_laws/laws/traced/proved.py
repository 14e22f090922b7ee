"""What the traces of a program prove of a law, and the constants in them that moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from nnx_conformance.contracts.module_laws.evidence import MovedConstant, Proof
from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.law import Evidence
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, is_stream
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import Judgement, Proves, Violation
from nnx_conformance.core.facts import Line

#: What shows hidden state in a trace.
MOVED = "what is no Variable is a constant of a trace, and this one is another after further calls"


def proving(proves: Callable[[StepFacts, Proof], bool], in_eval_mode: bool = False) -> Proves:
    """For which values of its inputs a law is proved: where each trace of a step proves it, in each mode or in one."""

    def proved(_: Case, reading: ProgramReading) -> Iterator[str]:
        for step in reading.facts.steps:
            proofs = [proof for proof in step.proofs if proof.evaluating or not in_eval_mode]
            if proofs and not step.moved and all(proves(step, proof) for proof in proofs):
                yield proofs[0].types

    return proved


def params_kept(step: StepFacts, proof: Proof) -> bool:
    """Whether every Param is its own input."""
    return {leaf.path for leaf in step.twin.state if leaf.param} <= set(proof.kept)


def state_kept(step: StepFacts, proof: Proof) -> bool:
    """Whether all state but streams is its own input, and nothing depends on streams."""
    state = {leaf.path for leaf in step.twin.state if leaf.state and not is_stream(leaf)}
    return proof.certain and state <= set(proof.kept)


def structure_kept(_: StepFacts, proof: Proof) -> bool:
    """Whether all state has the type that it had, and the graph its structure."""
    return proof.stable


def _moved(reading: ProgramReading) -> MovedConstant | None:
    return next((moved for step in reading.facts.steps for moved in step.moved), None)


def constants(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claim that the constants of a trace are those of a later one."""
    if any(step.proofs for step in reading.facts.steps):
        moved = _moved(reading)
        yield Claim((moved.after,) if moved else (), (moved.before,) if moved else ())


def with_constants(judged: Judgement, reading: ProgramReading) -> Judgement:
    """What a law says, with the constant that moved: it is a violation of its own, or the line of another one."""
    moved = _moved(reading)
    if moved is None:
        return judged
    if isinstance(judged, Violation):
        return judged if judged.line else replace(judged, line=moved.line)
    what = "the trace of a call holds another constant after further calls"
    return Violation(what, moved.before, moved.after, moved.line, MOVED, evidence=Evidence.KIT)


def written_by(reading: ProgramReading, path: str) -> Line | None:
    """The line that computes what a path comes to hold, from a trace; None if none is known."""
    proofs = (proof for step in reading.facts.steps for proof in step.proofs)
    return next((write.line for proof in proofs for write in proof.writes if write.path == path), None)
