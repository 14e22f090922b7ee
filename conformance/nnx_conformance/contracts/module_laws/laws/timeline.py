"""The timeline of a program: the state that each step changed, in the subject and in its twin."""

from __future__ import annotations

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.laws.differences import leaf_claims, text
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.contracts.module_laws.laws.tolerance import tolerance
from nnx_conformance.core.case import Case
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.timeline import StateChange, Timeline, TimelineStep

#: The last steps and, for each, the changes that it shows; those in which subject and twin differ come first.
STEPS, CHANGES, WIDTH = 8, 5, 60
UNCHANGED, NOTHING = "unchanged", "nothing"


def timeline(_: Case, reading: ProgramReading) -> Timeline | None:
    """The timeline; None if no step changed anything, and in tree mode, where a case has several programs."""
    facts = reading.facts
    steps: list[TimelineStep] = []
    before, twin_before = _by_path(facts.start), _by_path(facts.twin_start)
    for position, step in enumerate(facts.steps):
        if step.skipped:
            continue
        after, twin_after = _after(step.subject, before), _after(step.twin, twin_before)
        changes = _changes(facts, position, (before, after), (twin_before, twin_after))
        mine, others = _raised(step.subject), _raised(step.twin)
        ended = (StateChange("raised", mine, others, mine == others),) if mine != others or mine != NOTHING else ()
        steps.append(TimelineStep(position + 1, step.operation, (*ended, *changes)))
        before, twin_before = after, twin_after
    return Timeline("state", (), tuple(steps[-STEPS:])) if any(step.changes for step in steps) else None


def _raised(side: Side) -> str:
    return f"{side.raised.type}: {short(side.raised.message, WIDTH)}" if side.raised else NOTHING


def _after(side: Side, before: dict[str, LeafFacts]) -> dict[str, LeafFacts]:
    """The state after a step; the state before it, if it raised."""
    return before if side.raised else _by_path(side.state)


def _by_path(leaves: tuple[LeafFacts, ...]) -> dict[str, LeafFacts]:
    return {leaf.path: leaf for leaf in leaves if leaf.state or leaf.variable}


def _changes(
    facts: ProgramFacts,
    position: int,
    subject: tuple[dict[str, LeafFacts], dict[str, LeafFacts]],
    twin: tuple[dict[str, LeafFacts], dict[str, LeafFacts]],
) -> tuple[StateChange, ...]:
    within = tolerance(facts, position)
    changes = []
    for path in dict.fromkeys(path for leaves in (*subject, *twin) for path in leaves):
        (a, b), (c, d) = ((before.get(path), after.get(path)) for before, after in (subject, twin))
        agrees = all(claim.holds() for claim in leaf_claims(b, d, within))
        mine, others = _change(a, b), _change(c, d)
        if not agrees or mine != UNCHANGED or others != UNCHANGED:
            changes.append(StateChange(path, mine, others, agrees))
    return tuple(sorted(changes, key=lambda change: change.agrees)[:CHANGES])


def _change(before: LeafFacts | None, after: LeafFacts | None) -> str:
    was, now = text(before), text(after)
    if was == now:
        return UNCHANGED
    if before is not None and after is not None and before.kind == after.kind:
        was, now = was.removesuffix(f" in {before.kind}"), now.removesuffix(f" in {after.kind}")
    return f"{short(was, WIDTH)} → {short(now, WIDTH)}"
