"""Laws that a trace proves, and hidden state that shows as a constant of the trace."""

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

#: The cause of a constant that differs between two traces.
MOVED = "a trace keeps values outside Variables as constants, and this one changed after further calls"


def proving(proves: Callable[[StepFacts, Proof], bool], in_eval_mode: bool = False) -> Proves:
    """The input types for which all traces of a step, or those in eval mode, prove a law."""

    def proved(_: Case, reading: ProgramReading) -> Iterator[str]:
        for step in reading.facts.steps:
            proofs = [proof for proof in step.proofs if proof.evaluating or not in_eval_mode]
            if proofs and not step.moved_constants and all(proves(step, proof) for proof in proofs):
                yield proofs[0].types

    return proved


def params_kept(step: StepFacts, proof: Proof) -> bool:
    """Whether the trace keeps every Param."""
    return {leaf.path for leaf in step.twin.state if leaf.param} <= set(proof.kept)


def state_kept(step: StepFacts, proof: Proof) -> bool:
    """Whether the trace keeps all state except streams, and nothing depends on streams."""
    state = {leaf.path for leaf in step.twin.state if leaf.state and not is_stream(leaf)}
    return proof.certain and state <= set(proof.kept)


def structure_kept(_: StepFacts, proof: Proof) -> bool:
    """Whether the trace keeps the type of all state and the structure of the graph."""
    return proof.stable


def _moved_constant(reading: ProgramReading) -> MovedConstant | None:
    return next((moved for step in reading.facts.steps for moved in step.moved_constants), None)


def constants(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claim that the constants of a trace equal those of a later one."""
    if any(step.proofs for step in reading.facts.steps):
        moved = _moved_constant(reading)
        yield Claim((moved.after,) if moved else (), (moved.before,) if moved else ())


def with_constants(judged: Judgement, reading: ProgramReading) -> Judgement:
    """The judgement with a constant that moved: it gives a violation its line, or is a violation itself."""
    moved = _moved_constant(reading)
    if moved is None:
        return judged
    if isinstance(judged, Violation):
        return judged if judged.line else replace(judged, line=moved.line)
    what = "the trace of a call holds another constant after further calls"
    return Violation(what, moved.before, moved.after, moved.line, MOVED, evidence=Evidence.KIT)
