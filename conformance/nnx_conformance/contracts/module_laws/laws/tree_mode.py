"""The law of tree mode. It is advice: code that needs graph mode, Flax's default, is not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnx_conformance.contracts.module_laws.laws import agreements, randomness, state_laws, training
from nnx_conformance.contracts.module_laws.laws.law import Evidence, carried_out, law
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.contracts.module_laws.program.domains import TREE_READY
from nnx_conformance.contracts.module_laws.program.language import TREE, program
from nnx_conformance.contracts.module_laws.program.language import case as as_case
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import SHOULD, Check, Judged, Judgement, NotApplicable, Violation, judged

JUDGED = (*state_laws.CHECKS, *agreements.CHECKS, *training.CHECKS, *randomness.CHECKS)


def _judged(case: Case, whole: ProgramReading) -> Iterator[tuple[str, Case, ProgramReading, Judged]]:
    """The judgement of each law on each short program: the law's id, the program, its reading, the judgement."""
    for todo, part in zip(program(case).parts, whole.facts.parts, strict=False):
        short = as_case(case.domain, todo.seed, todo.words, TREE)
        reading = ProgramReading(whole.facts.of_part(part))
        yield from ((check.id, short, reading, judged(check, short, reading)) for check in JUDGED)


def broken(case: Case, reading: ProgramReading) -> Iterator[tuple[str, Case, ProgramReading, Violation]]:
    """The violations in short programs: the law's id, the program, its reading, and the violation."""
    for check_id, short, part, (judgement, *_) in _judged(case, reading):
        if isinstance(judgement, Violation):
            yield check_id, short, part, judgement


def _compared(case: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims of the laws in tree mode; none if no step returned, or a violated law has no claims."""
    every = [each for *_, each in _judged(case, reading) if each.judgement is None or each.violated]
    if _returned(reading) and all(each.claims for each in every if each.violated):
        yield from (claim for each in every for claim in each.claims)


def _returned(reading: ProgramReading) -> bool:
    return any(step.returned for part in reading.facts.parts for step in part.steps)


@law(
    id=TREE_READY,
    level=SHOULD,
    core=False,
    requirement="The laws hold in Flax's tree mode as well, which `nnx.set_graph_mode(False)` chooses.",
    remedy="Use what both modes have: each Variable at one attribute, made in `__init__`; whole axes in place of "
    "`nnx.StateAxes`, for states that `nnx.split` separates; and `graph=True` for a transform that needs graph mode.",
    wrong="nnx.vmap(run, in_axes=(nnx.StateAxes({nnx.Param: None, ...: 0}), 0))(self.layer, x)",
    right="graphdef, params, rest = nnx.split(self.layer, nnx.Param, ...)\n"
    "each = lambda params, rest, x: run(nnx.merge(graphdef, params, rest), x)\n"
    "nnx.vmap(each, in_axes=(None, 0, 0))(params, rest, x)",
    needs=(carried_out,),
    claims=_compared,
)
def tree_mode_ready(case: Case, reading: ProgramReading) -> Judgement:
    every = list(broken(case, reading))
    if not every:
        return None if _returned(reading) else NotApplicable("no step of it was carried out in tree mode")
    laws = list(dict.fromkeys(law for law, *_ in every))
    _, short, _, violation = every[0]
    names = ", ".join(f"`{law}`" for law in laws)
    what = f"in tree mode, {names} {'is' if len(laws) == 1 else 'are'} broken: in `{short}`, {violation.what}"
    cause = "it needs graph mode, which is Flax's default, and would not work without it"
    evidence = Evidence.KIT if violation.evidence is Evidence.STATE else violation.evidence
    return replace(violation, what=what, cause=cause, remedy="", because=tuple(laws), evidence=evidence)


CHECKS: tuple[Check, ...] = (tree_mode_ready,)
