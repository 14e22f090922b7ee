"""The laws of training: gradients, an optimiser's step, and eval mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, agreement_claims
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import NOT_REWRITING, Evidence, carried_out, declares, law
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading, by_path, changed, is_stream
from nnx_conformance.contracts.module_laws.laws.state_laws import params_kept, rewritten
from nnx_conformance.contracts.module_laws.laws.traced import conditions, proofs
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits, same_numbers
from nnx_conformance.core.contract import Check, Judgement, Violation


def _gradients(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that each Param has a gradient."""
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
    claims=agreement_claims("grad-clean", _gradients),
)
def grad_clean(case: Case, reading: ProgramReading) -> Judgement:
    for number, step in enumerate(reading.facts.steps, 1):
        carried = step.operation == "grad" and not (step.skipped or step.subject.raised)
        if carried and len(step.grads) != (params := _params(step)):
            what = f"in step {number}, `nnx.grad` gave {len(step.grads)} gradients for {params} Params"
            return Violation(what, f"{params} gradients", f"{len(step.grads)}: {', '.join(step.grads[:4])}")
    return agreement("grad-clean")(case, reading)


def _stepped(reading: ProgramReading) -> bool:
    """Whether the program ran an optimiser step."""
    return any(step.operation == "optimize" and not step.skipped for step in reading.facts.steps)


@law(
    id="optimizer-safe",
    requirement="An `nnx.Optimizer` step with weight decay changes only Params, and none that calls write.",
    remedy="Keep statistics and counters in another kind of Variable than `nnx.Param`.",
    wrong="self.mean = nnx.Param(jnp.zeros(4))  # weight decay shrinks a running mean",
    right="self.mean = nnx.BatchStat(jnp.zeros(4))",
    needs=(NOT_REWRITING,),
    claims=agreement_claims("optimizer-safe", lambda _, reading: params_kept(reading) if _stepped(reading) else ()),
)
def optimizer_safe(case: Case, reading: ProgramReading) -> Judgement:
    for move in reading.plain_calls if _stepped(reading) else ():
        if path := rewritten(move):
            what = f"calls write `{path}`, which is a Param: a step of AdamW with weight decay changes it too"
            line, because = move.line(path), ("params-untouched",)
            return Violation(what, "no leaf that both write", path, line, because=because, evidence=Evidence.STATE)
    return agreement("optimizer-safe")(case, reading)


@dataclass(frozen=True, eq=False)
class _Invariant:
    """Leaves before and after a step that must be equal; or only the leaf that it `added`, which it must not."""

    move: Move
    what: str
    before: Iterable[LeafFacts] = ()
    after: Iterable[LeafFacts] = ()
    added: LeafFacts | None = None
    evidence: Evidence = Evidence.STATE


def _invariants(case: Case, reading: ProgramReading) -> Iterator[_Invariant]:
    """The leaves that must not change in eval mode or when the mode is set, in the order of the steps."""
    returned: dict[int, tuple[LeafFacts, ...]] = {}
    for move in reading.subject:
        operation, outputs = move.step.operation, move.step.subject.outputs
        sets_mode = operation in ("eval", "train")
        if move.evaluating and not reading.facts.declares("grows"):
            yield _Invariant(move, "", added=_added(move))
        if (move.evaluating or sets_mode) and operation != "optimize":
            # A stream may advance in eval mode, as long as neither outputs nor other state change.
            after = move.after if sets_mode else [leaf for leaf in move.after if not is_stream(leaf)]
            when = "which only sets the mode" if sets_mode else "in eval mode"
            yield _Invariant(move, f"in {move.name}, {when}, the state `{{}}` changed", move.before, after)
        if operation == "call" and move.evaluating:
            what = f"in {move.name}, in eval mode, the same input gave another output"
            before = returned.get(input_of(case, move), ())
            yield _Invariant(move, what, before, outputs, evidence=Evidence.KIT)
            returned[input_of(case, move)] = outputs
        elif operation in ("train", "optimize"):
            returned = {}


def _frozen(case: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that these leaves keep every bit, and that no leaf is added."""
    for invariant in _invariants(case, reading):
        yield Claim((invariant.added.path,) if invariant.added else (), ())
        for was, leaf in _counted(invariant.before, invariant.after):
            if was.array is not None and leaf.array is not None:
                yield same_bits(leaf.array, was.array)


@law(
    id="eval-frozen",
    requirement="After `.eval()`, calls are deterministic and change no state but streams; `.train()` changes none.",
    remedy="Before you draw or update, check `self.deterministic` or `self.use_running_average`, which `eval()` sets.",
    wrong="self.mean[...] = mean  # in eval mode too",
    right="if not self.use_running_average:\n    self.mean[...] = mean",
    needs=(carried_out, declares("has_eval_mode", "it declares no eval mode")),
    claims=agreement_claims("eval-frozen", _frozen, conditions.frozen),
    proves=proofs.proving(proofs.state_kept, in_eval_mode=True),
)
def eval_frozen(case: Case, reading: ProgramReading) -> Judgement:
    for invariant in _invariants(case, reading):
        if new := invariant.added:
            what = f"in {invariant.move.name}, in eval mode, the state `{new.path}` was added"
            line, cause = invariant.move.line(new.path), "only a module's first call may add to its state"
            return Violation(what, "nothing", text(new), line, cause, evidence=Evidence.STATE)
        if change := first_change(invariant.before, invariant.after):
            path, old_text, new_text = change
            line = invariant.move.line(path) if invariant.evidence is Evidence.STATE else None
            return Violation(invariant.what.format(path), old_text, new_text, line, evidence=invariant.evidence)
    return conditions.moved_in_eval_mode(reading) or agreement("eval-frozen")(case, reading)


def _added(move: Move) -> LeafFacts | None:
    """The first leaf that a call added to the state. A module's first call may add some, and setting the mode too."""
    if not move.calls or not move.is_call:
        return None
    return next((leaf for leaf in move.after if leaf.state and leaf.path not in move.old), None)


def input_of(case: Case, move: Move) -> int:
    """The number of a step's input."""
    return int(case["program"][move.position, 1])


def first_change(before: Iterable[LeafFacts], after: Iterable[LeafFacts]) -> tuple[str, str, str] | None:
    """The path of the first leaf that differs in a bit, and both values as text; plain values do not count."""
    return next(((new.path, text(old), text(new)) for old, new in _counted(before, after) if changed(old, new)), None)


def _counted(before: Iterable[LeafFacts], after: Iterable[LeafFacts]) -> Iterator[tuple[LeafFacts, LeafFacts]]:
    """The pairs that `first_change` compares: leaves of state, and arrays or single values of outputs."""
    old = by_path(before)
    for leaf in after:
        if leaf.path in old and (leaf.state or (not leaf.variable and (not leaf.path or leaf.dtype))):
            yield old[leaf.path], leaf


CHECKS: tuple[Check, ...] = (grad_clean, optimizer_safe, eval_frozen)
