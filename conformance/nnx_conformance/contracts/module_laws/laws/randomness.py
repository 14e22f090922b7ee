"""The laws of randomness: each call draws new numbers, and the seed decides which."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import ConditionVisit, LeafFacts, Pair, Side
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, agreement_claims
from nnx_conformance.contracts.module_laws.laws.differences import REPRODUCIBLE, text
from nnx_conformance.contracts.module_laws.laws.law import RANDOM, Evidence, law
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, by_path, changed, is_stream
from nnx_conformance.contracts.module_laws.laws.traced import conditions
from nnx_conformance.contracts.module_laws.laws.training import first_change, input_of
from nnx_conformance.contracts.module_laws.program.language import AGAIN, OTHER_SEED
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits, same_numbers
from nnx_conformance.core.contract import CORE, Check, Judgement, NotApplicable, Violation

#: Each call gets a copy of the same stream or key, so equal outputs prove nothing.
HANDED = "its calls may draw from random streams or keys among their arguments"
NO_TWO_CALLS = "no two calls on one input had outputs to compare"
BY_CHANCE = "state moved between the calls, so equal outputs are chance"
ONE_KEY = "each call uses the same key"


def _advancing(case: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that streams advance under `nnx.jit` as in plain Python, and that outputs of equal calls differ.

    None if equal outputs prove nothing: they may be equal by chance, or the arguments may hold the key.
    """
    pairs = [(was.array, now.array) for was, now in _jitted_streams(reading)]
    streams = [same_bits(now, was) for was, now in pairs if was is not None and now is not None]
    handed = any(each.streams for each in reading.facts.inputs)
    differ = None if handed else _differ(case, reading)
    if differ is not None:
        yield same_numbers(differ, True)
    if differ is not None or not all(claim.holds() for claim in streams):
        yield from streams


def _differ(case: Case, reading: ProgramReading) -> bool | None:
    """Whether two calls on one input returned different outputs; None if no two calls can decide."""
    if _stands_still(reading):
        return False
    again = [pair for pair in _far(reading) if pair.name == AGAIN]
    if any(first_change(pair.wanted.outputs, pair.got.outputs) for pair in again):
        return True
    if not (repeated := _repeated(case, reading)):
        return None
    differ = any(first_change(old.outputs, new.outputs) for old, new in repeated)
    return None if not differ and any(_by_chance(reading, old, new) for old, new in repeated) else differ


def _jitted_streams(reading: ProgramReading) -> Iterator[tuple[LeafFacts, LeafFacts]]:
    """Each stream after a call under `nnx.jit`: the twin's, in plain Python, and the subject's."""
    for step in reading.facts.steps:
        if step.operation == "jit" and step.returned and not step.subject.raised:
            plain = by_path(leaf for leaf in step.twin.state if leaf.rng)
            compiled = (leaf for leaf in step.subject.state if leaf.rng and leaf.path in plain)
            yield from ((plain[leaf.path], leaf) for leaf in compiled)


@law(
    id="rng-advances",
    requirement="With randomness, two calls on one input differ, and streams advance under `nnx.jit` as without it.",
    remedy="Draw a new key in each call: `self.rngs.dropout()`.",
    wrong="key = jax.random.key(0)",
    right="key = self.rngs.dropout()",
    needs=(RANDOM,),
    claims=_advancing,
)
def rng_advances(case: Case, reading: ProgramReading) -> Judgement:
    for was, now in _jitted_streams(reading):
        if changed(was, now):
            what = f"under nnx.jit, the stream `{now.path}` did not advance as in plain Python"
            return Violation(what, text(was), text(now), because=("jit-agrees",))
    if any(each.streams for each in reading.facts.inputs):
        return NotApplicable(HANDED)
    differ = _differ(case, reading)
    if differ is None:
        return NotApplicable(BY_CHANCE if _repeated(case, reading) else NO_TWO_CALLS)
    if differ:
        return None
    what = f"{len(_repeated(case, reading)) + 1} calls on the same inputs gave the same outputs, to the last bit"
    values = "other outputs", "the same outputs"
    still = Violation(what, *values, reading.draws, ONE_KEY, evidence=Evidence.KIT)
    return _stands_still(reading) or still


def _stands_still(reading: ProgramReading) -> Violation | None:
    """The violation of a key that never changes, at a point where a schedule or a condition lets noise through."""
    for repeat in _repeats(reading):
        if any(first_change(repeat.first.outputs, other.outputs) for other in repeat.again):
            continue
        keys = [[leaf for leaf in other.state if is_stream(leaf)] for other in repeat.again]
        advanced = any(first_change(repeat.first.state, leaves) for leaves in keys)
        outputs = [repeat.first.outputs, *(other.outputs for other in repeat.seeds)]
        if not advanced and all(first_change(*pair) for pair in itertools.combinations(outputs, 2)):
            calls, visit = len(repeat.again) + 1, repeat.visit
            where = f"{visit.where}, {calls} calls" if visit else f"{calls} calls at the end of the horizon"
            what = f"{where} gave the same outputs; other seeds give others"
            values, line = ("other outputs", "the same outputs"), reading.draws or (visit.line if visit else None)
            condition = conditions.quoted(visit) if visit else ""
            return Violation(what, *values, line, ONE_KEY, evidence=Evidence.KIT, condition=condition)
    return None


@dataclass(frozen=True, eq=False)
class _Repeat:
    """A call, more calls on the same input, and the same call of modules with the keys of other seeds."""

    first: Side
    again: list[Side]
    seeds: list[Side]
    visit: ConditionVisit | None = None


def _repeats(reading: ProgramReading) -> Iterator[_Repeat]:
    again = [pair for pair in _far(reading) if pair.name == AGAIN]
    if again:
        seeds = [pair.got for pair in _far(reading) if pair.name == OTHER_SEED]
        yield _Repeat(again[0].wanted, [pair.got for pair in again], seeds)
    for visit in conditions.visits(reading):
        if visit.repeated and _informative(visit.outputs):
            yield _Repeat(visit.repeated[0], list(visit.repeated[1:]), list(visit.seeds), visit)


def _far(reading: ProgramReading) -> list[Pair]:
    """The comparisons at the end of the horizon whose outputs are informative."""
    pairs = [pair for step in reading.facts.steps if step.operation == "far" for pair in step.pairs]
    return [pair for pair in pairs if _informative(pair.wanted.outputs)]


def _by_chance(reading: ProgramReading, old: Side, new: Side) -> bool:
    """Whether two states differ in a path that decides the outputs: if these are equal then, that is chance."""
    depends = {path for step in reading.facts.steps for path in step.depends}
    return first_change(old.state, [leaf for leaf in new.state if leaf.path in depends]) is not None


def _repeated(case: Case, reading: ProgramReading) -> list[tuple[Side, Side]]:
    """Pairs of plain calls in train mode on one input with informative outputs; each with the state before it.

    Empty for drawn programs: the steps between two calls may cancel their draws.
    """
    pairs, last = list[tuple[Side, Side]](), dict[int, Side]()
    for move in reading.subject if case.domain != CORE else ():
        if move.step.operation == "call" and not move.evaluating:
            number = input_of(case, move)
            side = Side(move.step.subject.outputs, move.before)
            if number in last and _informative(last[number].outputs):
                pairs.append((last[number], side))
            last[number] = side
    return pairs


def _informative(outputs: tuple[LeafFacts, ...]) -> bool:
    """Whether outputs have different numbers. All zeros look the same whatever a dropout drops."""
    arrays = [leaf.array for leaf in outputs if leaf.array is not None]
    return any(array.size > 1 and np.any(array != array.flat[0]) for array in arrays) or any(
        array.size == 1 and array.dtype.kind in "fc" and array.item() != 0 for array in arrays
    )


def _other_seeds(case: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claim that the outputs of another seed differ, if they cannot be equal by chance."""
    handed = any(each.streams for each in reading.facts.inputs)
    pairs = [pair for step in reading.facts.steps for pair in step.pairs if pair.law == REPRODUCIBLE and pair.unlike]
    pairs = [pair for pair in pairs if not handed and _informative(pair.wanted.outputs)]
    if case.domain != CORE and any(not _by_chance(reading, pair.wanted, pair.got) for pair in pairs):
        yield same_numbers(any(first_change(pair.wanted.outputs, pair.got.outputs) for pair in pairs), True)


@law(
    id=REPRODUCIBLE,
    requirement="With randomness, the same seed gives the same run, and another seed another.",
    remedy="Draw every key from the `nnx.Rngs` that the module was made with, and from nothing else.",
    wrong="noise = np.random.normal(size=x.shape)",
    right="noise = jax.random.normal(self.rngs.noise(), x.shape)",
    needs=(RANDOM,),
    claims=agreement_claims(REPRODUCIBLE, _other_seeds),
)
def rng_reproducible(case: Case, reading: ProgramReading) -> Judgement:
    if not all(claim.holds() for claim in _other_seeds(case, reading)):
        what = "a module from another seed, with the same Params and statistics, gave the same outputs"
        cause = "the keys do not come from the Rngs that the module was made with"
        values, because = ("other outputs", "the same outputs"), ("rng-advances",)
        return Violation(what, *values, cause=cause, because=because, evidence=Evidence.KIT)
    return agreement(REPRODUCIBLE)(case, reading)


CHECKS: tuple[Check, ...] = (rng_advances, rng_reproducible)
