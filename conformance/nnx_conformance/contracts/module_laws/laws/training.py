"""The laws of training: gradients, an optimiser's step, eval mode, and randomness."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts.module_laws.facts import Leaf, Pair, Side, StepFacts, Visit
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, comparing
from nnx_conformance.contracts.module_laws.laws.differences import REPRODUCIBLE, text
from nnx_conformance.contracts.module_laws.laws.law import NOT_REWRITING, RANDOM, Evidence, carried_out, declares, law
from nnx_conformance.contracts.module_laws.laws.reading import Move, Reading, by_path, changed, is_stream
from nnx_conformance.contracts.module_laws.laws.state_laws import params_kept, rewritten
from nnx_conformance.contracts.module_laws.laws.traced import conditions, proved
from nnx_conformance.contracts.module_laws.program.language import AGAIN, OTHER_SEED
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits, same_numbers
from nnx_conformance.core.contract import CORE, Check, Judgement, NotApplicable, Violation

#: Each call gets the same argument, whatever the module's own streams are.
HANDED = "its calls may draw from what they are handed: random streams or keys are among the arguments"


def _gradients(_: Case, reading: Reading) -> Iterator[Claim]:
    """The claims that there is a gradient for each Param."""
    for step in reading.facts.steps:
        if step.operation == "grad" and not (step.skipped or step.subject.raised):
            yield same_numbers(len(step.grads), _params(step))


def _params(step: StepFacts) -> int:
    return sum(leaf.param and not leaf.shared for leaf in step.subject.state)


@law(
    id="grad-clean",
    requirement="`nnx.grad` differentiates Params only, keeps the call's state update, and leaves no tracer anywhere.",
    remedy="Make every Param a float array, and store what a call computes only in Variables.",
    wrong="self.count = nnx.Param(jnp.int32(0))  # integers have no gradient",
    right="self.count = nnx.Variable(jnp.int32(0))",
    claims=comparing("grad-clean", _gradients),
)
def grad_clean(case: Case, reading: Reading) -> Judgement:
    for number, step in enumerate(reading.facts.steps, 1):
        carried = step.operation == "grad" and not (step.skipped or step.subject.raised)
        if carried and len(step.grads) != (params := _params(step)):
            what = f"in step {number}, `nnx.grad` gave {len(step.grads)} gradients for {params} Params"
            return Violation(what, f"{params} gradients", f"{len(step.grads)}: {', '.join(step.grads[:4])}")
    return agreement("grad-clean")(case, reading)


def _stepped(reading: Reading) -> bool:
    """Whether an optimiser made a step."""
    return any(step.operation == "optimize" and not step.skipped for step in reading.facts.steps)


@law(
    id="optimizer-safe",
    requirement="An `nnx.Optimizer` step with weight decay changes only Params, and none that calls write.",
    remedy="Keep statistics and counters in another kind of Variable than `nnx.Param`.",
    wrong="self.mean = nnx.Param(jnp.zeros(4))  # weight decay shrinks a running mean",
    right="self.mean = nnx.BatchStat(jnp.zeros(4))",
    needs=(NOT_REWRITING,),
    claims=comparing("optimizer-safe", lambda _, reading: params_kept(reading) if _stepped(reading) else ()),
)
def optimizer_safe(case: Case, reading: Reading) -> Judgement:
    for move in reading.plain_calls if _stepped(reading) else ():
        if path := rewritten(move):
            what = f"calls write `{path}`, which is a Param: a step of AdamW with weight decay changes it too"
            line, because = move.line(path), ("params-untouched",)
            return Violation(what, "no leaf that both write", path, line, because=because, evidence=Evidence.STATE)
    return agreement("optimizer-safe")(case, reading)


@dataclass(frozen=True, eq=False)
class _Still:
    """What must not move in a step: leaves before and after it; or nothing, where only what it `added` counts."""

    move: Move
    what: str
    before: Iterable[Leaf] = ()
    after: Iterable[Leaf] = ()
    added: Leaf | None = None
    evidence: Evidence = Evidence.STATE


def _stills(case: Case, reading: Reading) -> Iterator[_Still]:
    """What must not move in eval mode, nor when the mode is set, in the order of the steps."""
    returned: dict[int, tuple[Leaf, ...]] = {}
    for move in reading.subject:
        operation, outputs = move.step.operation, move.step.subject.outputs
        sets_mode = operation in ("eval", "train")
        if move.evaluating and not reading.facts.declares("grows"):
            yield _Still(move, "", added=_added(move))
        if (move.evaluating or sets_mode) and operation != "optimize":
            # In eval mode a stream may move if nothing follows from it: no output is another, and no other state.
            after = move.after if sets_mode else [leaf for leaf in move.after if not is_stream(leaf)]
            when = "which only sets the mode" if sets_mode else "in eval mode"
            yield _Still(move, f"in {move.name}, {when}, the state `{{}}` changed", move.before, after)
        if operation == "call" and move.evaluating:
            what = f"in {move.name}, in eval mode, the same input gave another output"
            before = returned.get(_input(case, move), ())
            yield _Still(move, what, before, outputs, evidence=Evidence.KIT)
            returned[_input(case, move)] = outputs
        elif operation in ("train", "optimize"):
            returned = {}


def _frozen(case: Case, reading: Reading) -> Iterator[Claim]:
    """The claims that nothing of that moves, to the last bit, and that nothing is added."""
    for still in _stills(case, reading):
        yield Claim((still.added.path,) if still.added else (), ())
        for was, leaf in _counted(still.before, still.after):
            if was.array is not None and leaf.array is not None:
                yield same_bits(leaf.array, was.array)


@law(
    id="eval-frozen",
    requirement="After `.eval()`, calls are deterministic and change no state but streams; `.train()` changes none.",
    remedy="Ask `self.deterministic` or `self.use_running_average`, which `eval()` sets, before drawing or updating.",
    wrong="self.mean[...] = mean  # in eval mode too",
    right="if not self.use_running_average:\n    self.mean[...] = mean",
    needs=(carried_out, declares("has_eval_mode", "it declares no eval mode")),
    claims=comparing("eval-frozen", _frozen, conditions.frozen),
    proves=proved.proving(proved.state_kept, in_eval_mode=True),
)
def eval_frozen(case: Case, reading: Reading) -> Judgement:
    for still in _stills(case, reading):
        if new := still.added:
            what = f"in {still.move.name}, in eval mode, the state `{new.path}` was added"
            line, cause = still.move.line(new.path), "only a module's first call may add to its state"
            return Violation(what, "nothing", text(new), line, cause, evidence=Evidence.STATE)
        if moved := _moved(still.before, still.after):
            line = still.move.line(moved[0]) if still.evidence is Evidence.STATE else None
            return Violation(still.what.format(moved[0]), *moved[1:], line, evidence=still.evidence)
    return conditions.moved_in_eval_mode(reading) or agreement("eval-frozen")(case, reading)


def _added(move: Move) -> Leaf | None:
    """What a call added to the state; a module's first one may, in eval mode too, and setting the mode may."""
    if not move.calls or not move.is_call:
        return None
    return next((leaf for leaf in move.after if leaf.state and leaf.path not in move.old), None)


def _input(case: Case, move: Move) -> int:
    return int(case["program"][move.position, 1])


def _moved(before: Iterable[Leaf], after: Iterable[Leaf]) -> tuple[str, str, str] | None:
    """The path of what differs to the last bit, and both values as text; plain values do not count."""
    return next(((new.path, text(old), text(new)) for old, new in _counted(before, after) if changed(old, new)), None)


def _counted(before: Iterable[Leaf], after: Iterable[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    """What counts of that, before and after."""
    old = by_path(before)
    for leaf in after:
        if leaf.path in old and (leaf.state or (not leaf.variable and (not leaf.path or leaf.dtype))):
            yield old[leaf.path], leaf


@law(
    id="rng-advances",
    requirement="With randomness, two calls on one input differ, and streams advance under `nnx.jit` as without it.",
    remedy="Draw a new key in each call: `self.rngs.dropout()`.",
    wrong="key = jax.random.key(0)",
    right="key = self.rngs.dropout()",
    needs=(RANDOM,),
)
def rng_advances(case: Case, reading: Reading) -> Judgement:
    for step in reading.facts.steps:
        if step.operation == "jit" and step.returned and not step.subject.raised:
            streams = ([leaf for leaf in side.state if leaf.rng] for side in (step.twin, step.subject))
            if moved := _moved_at_all(*streams):
                what = f"under nnx.jit, the stream `{moved[0]}` did not advance as in plain Python"
                return Violation(what, moved[1], moved[2], because=("jit-agrees",))
    if any(given.streams for given in reading.facts.inputs):
        return NotApplicable(HANDED)
    if far := _stands_still(reading):
        return far
    if any(_moved(pair.wanted.outputs, pair.got.outputs) for pair in _far(reading) if pair.name == AGAIN):
        return None
    repeated = [pair for pair in _repeated(case, reading) if _informative(pair[0].outputs)]
    if case.domain == CORE or not repeated:
        return NotApplicable("no two calls on one input were made whose outputs could tell")
    if any(_moved(old.outputs, new.outputs) for old, new in repeated):
        return None
    if any(_by_chance(reading, old, new) for old, new in repeated):
        return NotApplicable("calls depend on what moved between them, so that their outputs are equal by chance")
    what = f"{len(repeated) + 1} calls on the same inputs gave the same outputs, to the last bit"
    cause = "each call uses the same key"
    return Violation(what, "other outputs", "the same outputs", cause=cause, evidence=Evidence.KIT)


def _stands_still(reading: Reading) -> Violation | None:
    """A key that is the same in each call, which shows only where a schedule or a condition lets noise through."""
    for repeat in _repeats(reading):
        if any(_moved(repeat.first.outputs, other.outputs) for other in repeat.again):
            continue
        keys = [[leaf for leaf in other.state if is_stream(leaf)] for other in repeat.again]
        advanced = any(_moved(repeat.first.state, leaves) for leaves in keys)
        outputs = [repeat.first.outputs, *(other.outputs for other in repeat.seeds)]
        if not advanced and all(_moved(one, other) for one, other in itertools.combinations(outputs, 2)):
            calls, visit = len(repeat.again) + 1, repeat.visit
            where = f"{visit.where}, {calls} calls" if visit else f"{calls} calls at the end of the horizon"
            what = f"{where} gave the same outputs; other seeds give others"
            values, line = ("other outputs", "the same outputs"), visit.line if visit else None
            condition = conditions.quoted(visit) if visit else ""
            cause = "each call uses the same key"
            return Violation(what, *values, line, cause, evidence=Evidence.KIT, condition=condition)
    return None


@dataclass(frozen=True, eq=False)
class _Repeat:
    """A call, further ones on the same input, and the same call of modules with the keys of other seeds."""

    first: Side
    again: list[Side]
    seeds: list[Side]
    visit: Visit | None = None


def _repeats(reading: Reading) -> Iterator[_Repeat]:
    again = [pair for pair in _far(reading) if pair.name == AGAIN]
    if again:
        seeds = [pair.got for pair in _far(reading) if pair.name == OTHER_SEED]
        yield _Repeat(again[0].wanted, [pair.got for pair in again], seeds)
    for visit in conditions.visits(reading):
        if visit.repeated and _informative(visit.outputs):
            yield _Repeat(visit.repeated[0], list(visit.repeated[1:]), list(visit.seeds), visit)


def _far(reading: Reading) -> list[Pair]:
    """What was compared at the end of the horizon, where outputs could tell."""
    pairs = [pair for step in reading.facts.steps if step.operation == "far" for pair in step.pairs]
    return [pair for pair in pairs if _informative(pair.wanted.outputs)]


def _moved_at_all(before: Iterable[Leaf], after: Iterable[Leaf]) -> tuple[str, str, str] | None:
    old = by_path(before)
    pairs = ((old[leaf.path], leaf) for leaf in after if leaf.path in old)
    return next(((new.path, text(was), text(new)) for was, new in pairs if changed(was, new)), None)


def _by_chance(reading: Reading, old: Side, new: Side) -> bool:
    """Whether two states differ in something on which a call depends: outputs may be equal all the same."""
    depends = {path for step in reading.facts.steps for path in step.depends}
    return _moved(old.state, [leaf for leaf in new.state if leaf.path in depends]) is not None


def _repeated(case: Case, reading: Reading) -> Iterator[tuple[Side, Side]]:
    """Every two calls in plain Python, in train mode, on one input: what they returned, and the states before them."""
    last: dict[int, Side] = {}
    for move in reading.subject:
        if move.step.operation == "call" and not move.evaluating:
            number = _input(case, move)
            side = Side(move.step.subject.outputs, move.before)
            if number in last:
                yield last[number], side
            last[number] = side


def _informative(outputs: tuple[Leaf, ...]) -> bool:
    """Whether outputs hold several different numbers: those that are all zero look the same whatever was dropped."""
    arrays = [leaf.array for leaf in outputs if leaf.array is not None]
    return any(array.size > 1 and np.any(array != array.flat[0]) for array in arrays) or any(
        array.size == 1 and array.dtype.kind in "fc" and array.item() != 0 for array in arrays
    )


def _other_seeds(case: Case, reading: Reading) -> Iterator[Claim]:
    """The claim that outputs of some other seed differ, where they could not be equal by chance."""
    handed = any(given.streams for given in reading.facts.inputs)
    pairs = [pair for step in reading.facts.steps for pair in step.pairs if pair.law == REPRODUCIBLE and pair.unlike]
    pairs = [pair for pair in pairs if not handed and _informative(pair.wanted.outputs)]
    if case.domain != CORE and any(not _by_chance(reading, pair.wanted, pair.got) for pair in pairs):
        yield same_numbers(any(_moved(pair.wanted.outputs, pair.got.outputs) for pair in pairs), True)


@law(
    id=REPRODUCIBLE,
    requirement="With randomness, the same seed gives the same run, and another seed another.",
    remedy="Draw every key from the `nnx.Rngs` that the module was made with, and from nothing else.",
    wrong="noise = np.random.normal(size=x.shape)",
    right="noise = jax.random.normal(self.rngs.noise(), x.shape)",
    needs=(RANDOM,),
    claims=comparing(REPRODUCIBLE, _other_seeds),
)
def rng_reproducible(case: Case, reading: Reading) -> Judgement:
    if not all(claim.holds() for claim in _other_seeds(case, reading)):
        what = "a module from another seed, with the same Params and statistics, gave the same outputs"
        cause = "the keys do not come from the Rngs that the module was made with"
        values, because = ("other outputs", "the same outputs"), ("rng-advances",)
        return Violation(what, *values, cause=cause, because=because, evidence=Evidence.KIT)
    return agreement(REPRODUCIBLE)(case, reading)


CHECKS: tuple[Check, ...] = (grad_clean, optimizer_safe, rng_advances, rng_reproducible, eval_frozen)
