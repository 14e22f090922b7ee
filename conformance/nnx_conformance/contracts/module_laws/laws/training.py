"""The laws of training: gradients, an optimiser's step, and eval mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, comparing
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import NOT_REWRITING, Evidence, carried_out, declares, law
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading, by_path, changed, is_stream
from nnx_conformance.contracts.module_laws.laws.state_laws import params_kept, rewritten
from nnx_conformance.contracts.module_laws.laws.traced import conditions, proved
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits, same_numbers
from nnx_conformance.core.contract import Check, Judgement, Violation


def _gradients(_: Case, reading: ProgramReading) -> Iterator[Claim]:
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
def grad_clean(case: Case, reading: ProgramReading) -> Judgement:
    for number, step in enumerate(reading.facts.steps, 1):
        carried = step.operation == "grad" and not (step.skipped or step.subject.raised)
        if carried and len(step.grads) != (params := _params(step)):
            what = f"in step {number}, `nnx.grad` gave {len(step.grads)} gradients for {params} Params"
            return Violation(what, f"{params} gradients", f"{len(step.grads)}: {', '.join(step.grads[:4])}")
    return agreement("grad-clean")(case, reading)


def _stepped(reading: ProgramReading) -> bool:
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
def optimizer_safe(case: Case, reading: ProgramReading) -> Judgement:
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
    before: Iterable[LeafFacts] = ()
    after: Iterable[LeafFacts] = ()
    added: LeafFacts | None = None
    evidence: Evidence = Evidence.STATE


def _stills(case: Case, reading: ProgramReading) -> Iterator[_Still]:
    """What must not move in eval mode, nor when the mode is set, in the order of the steps."""
    returned: dict[int, tuple[LeafFacts, ...]] = {}
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
            before = returned.get(input_of(case, move), ())
            yield _Still(move, what, before, outputs, evidence=Evidence.KIT)
            returned[input_of(case, move)] = outputs
        elif operation in ("train", "optimize"):
            returned = {}


def _frozen(case: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that nothing of that moves, to the last bit, and that nothing is added."""
    for still in _stills(case, reading):
        yield Claim((still.added.path,) if still.added else (), ())
        for was, leaf in _counted(still.before, still.after):
            if was.array is not None and leaf.array is not None:
                yield same_bits(leaf.array, was.array)


@law(
    id="eval-frozen",
    requirement="After `.eval()`, calls are deterministic and change no state but streams; `.train()` changes none.",
    remedy="Before you draw or update, check `self.deterministic` or `self.use_running_average`, which `eval()` sets.",
    wrong="self.mean[...] = mean  # in eval mode too",
    right="if not self.use_running_average:\n    self.mean[...] = mean",
    needs=(carried_out, declares("has_eval_mode", "it declares no eval mode")),
    claims=comparing("eval-frozen", _frozen, conditions.frozen),
    proves=proved.proving(proved.state_kept, in_eval_mode=True),
)
def eval_frozen(case: Case, reading: ProgramReading) -> Judgement:
    for still in _stills(case, reading):
        if new := still.added:
            what = f"in {still.move.name}, in eval mode, the state `{new.path}` was added"
            line, cause = still.move.line(new.path), "only a module's first call may add to its state"
            return Violation(what, "nothing", text(new), line, cause, evidence=Evidence.STATE)
        if apart := moved(still.before, still.after):
            line = still.move.line(apart[0]) if still.evidence is Evidence.STATE else None
            return Violation(still.what.format(apart[0]), *apart[1:], line, evidence=still.evidence)
    return conditions.moved_in_eval_mode(reading) or agreement("eval-frozen")(case, reading)


def _added(move: Move) -> LeafFacts | None:
    """What a call added to the state; a module's first one may, in eval mode too, and setting the mode may."""
    if not move.calls or not move.is_call:
        return None
    return next((leaf for leaf in move.after if leaf.state and leaf.path not in move.old), None)


def input_of(case: Case, move: Move) -> int:
    """Which of the subject's inputs a step is given."""
    return int(case["program"][move.position, 1])


def moved(before: Iterable[LeafFacts], after: Iterable[LeafFacts]) -> tuple[str, str, str] | None:
    """The path of what differs to the last bit, and both values as text; plain values do not count."""
    return next(((new.path, text(old), text(new)) for old, new in _counted(before, after) if changed(old, new)), None)


def _counted(before: Iterable[LeafFacts], after: Iterable[LeafFacts]) -> Iterator[tuple[LeafFacts, LeafFacts]]:
    """What counts of that, before and after."""
    old = by_path(before)
    for leaf in after:
        if leaf.path in old and (leaf.state or (not leaf.variable and (not leaf.path or leaf.dtype))):
            yield old[leaf.path], leaf


CHECKS: tuple[Check, ...] = (grad_clean, optimizer_safe, eval_frozen)
