"""The laws of a module's own state: what a plain call may change."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import (
    NO_CALL,
    NOT_GROWING,
    NOT_REWRITING,
    Evidence,
    carried_out,
    has_steps,
    law,
)
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading, changed
from nnx_conformance.contracts.module_laws.laws.structure import structure_stable
from nnx_conformance.contracts.module_laws.laws.traced import conditions, proofs
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, at_most, same_bits
from nnx_conformance.core.contract import Check, Judgement, NotApplicable, Violation
from nnx_conformance.core.plain_text import short


@law(
    id="calls-return",
    requirement="Each call in plain Python returns: the second and later ones too, and in each mode.",
    remedy="Make in `__init__` all that a call reads, and leave the module ready for the next call.",
    wrong="self.count = self.count + 1  # the next call asks an array for `.value`",
    right="self.count[...] = self.count[...] + 1",
    needs=(carried_out,),
)
def calls_return(case: Case, reading: ProgramReading) -> Judgement:
    if raised := reading.facts.make_error:
        what = f"`make` raised {raised.type}: {short(raised.message)}, from `nnx.Rngs({case['seed']})`"
        remedy = "Let `make(rngs)` make a module from any `nnx.Rngs`."
        return Violation(what, "a module", raised.type, line=raised.line, remedy=remedy, evidence=Evidence.KIT)
    for position, step in enumerate(reading.facts.steps):
        if raised := step.twin.raised:
            number = sum(move.position < position for move in reading.calls) + 1
            what = f"call {number} of a module in plain Python raised {raised.type}: {short(raised.message)}"
            return Violation(what, "a result", raised.type, line=raised.line)
    return None if any(not step.skipped for step in reading.facts.steps) else NO_CALL


def _wrappers(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that each Variable before a step is one after it."""
    for move in (*reading.twin, *reading.subject):
        replaced = {path: _replacement(move.after, path) for path in _variables(move.before)}
        now = (f"{path}: {new.kind if new else 'a Variable'}" for path, new in replaced.items())
        yield Claim(tuple(now), tuple(f"{path}: a Variable" for path in replaced))


@law(
    id="wrapper-kept",
    requirement="Every attribute that held a Variable still holds one.",
    remedy="Write to the contents, `self.count[...] = ...`; assigning to the attribute replaces the Variable.",
    wrong="self.count = self.count + 1",
    right="self.count[...] = self.count[...] + 1",
    needs=(carried_out, has_steps),
    claims=_wrappers,
)
def wrapper_kept(case: Case, reading: ProgramReading) -> Judgement:
    for move in (*reading.twin, *reading.subject):
        for path, old in _variables(move.before).items():
            if new := _replacement(move.after, path):
                what = f"in {move.name}, `{path}` went from {old.kind} to {new.kind}"
                cause = "assigning to the attribute replaces the Variable"
                remedy = f"Write to the contents, `self.{path.rpartition('.')[2]}[...] = ...`."
                return Violation(what, old.kind, new.kind, reading.line(path), cause, remedy, evidence=Evidence.STATE)
    return None


def _variables(leaves: tuple[LeafFacts, ...]) -> dict[str, LeafFacts]:
    return {leaf.path.split("/")[0]: leaf for leaf in leaves if leaf.variable}


def _replacement(leaves: tuple[LeafFacts, ...], path: str) -> LeafFacts | None:
    """The leaf that replaced the Variable at a path; None if the Variable is still there, or nothing is."""
    if path in _variables(leaves):
        return None
    below = [leaf for leaf in leaves if leaf.path == path or leaf.path.startswith((f"{path}[", f"{path}."))]
    return next((leaf for leaf in below if not leaf.variable), None)


def params_kept(reading: ProgramReading) -> Iterator[Claim]:
    """The claims that a plain call changes no bit of a Param."""
    for move in reading.plain_calls:
        for _, old, new in move.both():
            if old.param and new.param and old.array is not None and new.array is not None:
                yield same_bits(new.array, old.array)


@law(
    id="params-untouched",
    requirement="A call leaves every `nnx.Param` as it was.",
    remedy="Write to another kind of Variable (`nnx.BatchStat`, `nnx.Cache`, your own), or declare `rewrites_param`.",
    wrong="self.mean = nnx.Param(jnp.zeros(4))  # written by each call",
    right="self.mean = nnx.BatchStat(jnp.zeros(4))",
    needs=(carried_out, NOT_REWRITING),
    claims=lambda case, reading: (*params_kept(reading), *conditions.params_kept(case, reading)),
    proves=proofs.proving(proofs.params_kept),
)
def params_untouched(case: Case, reading: ProgramReading) -> Judgement:
    if not any(leaf.param for step in reading.facts.steps for leaf in step.twin.state):
        return NotApplicable("it has no nnx.Param")
    for move in reading.plain_calls:
        if path := rewritten(move):
            what = f"in {move.name}, a plain call changed the Param `{path}`"
            old, new, line = text(move.old[path]), text(move.new[path]), reading.line(path)
            return Violation(what, old, new, line, conditions.ANYWHERE, evidence=Evidence.STATE)
    return conditions.params_written(reading)


def rewritten(move: Move) -> str:
    """The path of a Param that a call changed; empty if there is none."""
    params = (path for path, old, new in move.both() if old.param and new.param and changed(old, new))
    return next(params, "")


def _sizes(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that calls after the first, on inputs of the same shapes, do not enlarge the state."""
    for move in (move for move in reading.calls if move.calls and move.alike):
        for new, old in zip(size(move.after), size(move.before), strict=True):
            yield at_most(new, old)


@law(
    id="no-growth",
    requirement="Neither the number nor the size of the state's leaves grows with the number of calls.",
    remedy="Overwrite state instead of adding to it, or declare `grows`.",
    wrong="self.sow(nnx.Intermediate, 'h', h)  # one more array in each call",
    right="self.h[...] = h",
    needs=(carried_out, NOT_GROWING),
    claims=_sizes,
)
def no_growth(case: Case, reading: ProgramReading) -> Judgement:
    moves = [move for move in reading.calls if move.calls and move.alike]
    for move in moves:
        old, new = size(move.before), size(move.after)
        if new[0] > old[0] or new[1] > old[1]:
            what = f"in {move.name} (call {move.calls + 1}), the state grew"
            cause = "a call in eval mode adds to the state" if move.evaluating else "each call adds to the state"
            was, now = (f"{count} leaves with {numbers} numbers" for count, numbers in (old, new))
            because = ("eval-frozen",) if move.evaluating else ()
            return Violation(what, was, now, move.line(_grown(move)), cause, because=because, evidence=Evidence.STATE)
    return None if moves else NotApplicable("it was not called twice on one shape")


def _grown(move: Move) -> str:
    """The path of the first leaf that is new or larger; empty if there is none."""
    for path, new in move.new.items():
        old = move.old.get(path)
        if old is None or (new.array is not None and old.array is not None and new.array.size > old.array.size):
            return path
    return ""


def size(leaves: tuple[LeafFacts, ...]) -> tuple[int, int]:
    """The number of arrays, in plain containers too, and of the numbers in them."""
    arrays = [leaf.array for leaf in leaves if leaf.array is not None and (leaf.state or leaf.dtype)]
    return len(arrays), sum(array.size for array in arrays)


CHECKS: tuple[Check, ...] = (wrapper_kept, structure_stable, params_untouched, calls_return, no_growth)
