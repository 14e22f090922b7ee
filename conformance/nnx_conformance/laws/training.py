"""The laws of training: gradients, an optimiser's step, eval mode, and randomness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, MUST, Check, Judgement, NotApplicable, Violation, check
from nnx_conformance.laws.agreements import agreement
from nnx_conformance.laws.differences import REPRODUCIBLE, text
from nnx_conformance.laws.keeping import EVAL, UNTOUCHED, rewritten
from nnx_conformance.laws.language import BY_NAME
from nnx_conformance.laws.lines import written
from nnx_conformance.laws.seen import Leaf, Observation, Pair, Side, Step
from nnx_conformance.laws.trajectory import Move, calls_of, of_subject, of_twin

GRAD, OPTIMIZE = "grad-clean", "optimizer-safe"
ADVANCES = "rng-advances"
NO_RANDOMNESS = NotApplicable("it declares no randomness")


@check(
    id=GRAD,
    level=MUST,
    requirement="`nnx.grad` differentiates Params only, keeps the call's state update, and leaves no tracer anywhere.",
    remedy="Let every Param be floating and hold nothing else, and put nothing of a call away outside Variables.",
    wrong="self.count = nnx.Param(jnp.int32(0))  # integers have no gradient",
    right="self.count = nnx.Variable(jnp.int32(0))",
    domain=GRAD,
    others=(CORE,),
)
def grad_clean(case: Case, seen: Observation) -> Judgement:
    for at, step in enumerate(seen.steps):
        if step.operation == "grad" and not step.skipped and not step.subject.raised and seen.mode != "tree":
            params = [leaf for leaf in step.subject.state if leaf.param]
            if len(step.grads) != len(params):
                what = f"in step {at + 1}, `nnx.grad` gave {len(step.grads)} gradients for {len(params)} Params"
                return Violation(what, f"{len(params)} gradients", f"{len(step.grads)}: {', '.join(step.grads[:4])}")
    return agreement(GRAD)(case, seen)


@check(
    id=OPTIMIZE,
    level=MUST,
    requirement="An `nnx.Optimizer` step with weight decay changes Params and nothing else, and none that calls write.",
    remedy="Keep statistics and counters in another kind of Variable than `nnx.Param`.",
    wrong="self.mean = nnx.Param(jnp.zeros(4))  # weight decay shrinks a running mean",
    right="self.mean = nnx.BatchStat(jnp.zeros(4))",
    domain=OPTIMIZE,
    others=(CORE,),
)
def optimizer_safe(case: Case, seen: Observation) -> Judgement:
    if seen.declares("rewrites_param"):
        return NotApplicable("it rewrites a Param on purpose")
    stepped = any(step.operation == "optimize" and not step.skipped for step in seen.steps)
    for move in calls_of(of_twin(seen)):
        if stepped and move.step.operation != "optimize" and (path := rewritten(move)):
            what = f"calls write `{path}`, which is a Param: a step of AdamW with weight decay changes it too"
            return Violation(what, "no leaf that both write", path, written([move.step], path), follows=(UNTOUCHED,))
    return agreement(OPTIMIZE)(case, seen)


@check(
    id=EVAL,
    level=MUST,
    requirement="After `.eval()`, calls are deterministic and change no state; `.train()` leaves the state as it was.",
    remedy="Ask `self.deterministic` or `self.use_running_average`, which `eval()` sets, before drawing or updating.",
    wrong="self.mean[...] = mean  # in eval mode too",
    right="if not self.use_running_average:\n    self.mean[...] = mean",
    domain=EVAL,
    others=(CORE,),
)
def eval_frozen(case: Case, seen: Observation) -> Judgement:
    if not seen.declares("has_eval_mode"):
        return NotApplicable(seen.skipped or "it declares no eval mode")
    found: dict[str, tuple[Leaf, ...]] = {}
    for move in of_subject(seen):
        frozen = move.evaluating or move.step.operation in ("eval", "train")
        if move.evaluating and not seen.declares("grows") and (new := _added(move)):
            what = f"in {move.name}, in eval mode, the state `{new.path}` was added"
            line = written([move.step], new.path)
            return Violation(what, "nothing", text(new), line, cause="only a module's first call may add to its state")
        if frozen and move.step.operation != "optimize" and (moved := _moved(move.before, move.after)):
            when = "in eval mode" if move.step.operation not in ("eval", "train") else "which only sets the mode"
            what, line = f"in {move.name}, {when}, the state `{moved[0]}` changed", written([move.step], moved[0])
            return Violation(what, moved[1], moved[2], line)
        if move.step.operation != "call" or not move.evaluating:
            found = {} if move.step.operation in ("train", "optimize") else found
            continue
        number = _inputs(case, move.at)
        if number in found and (moved := _moved(found[number], move.step.subject.outputs)):
            return Violation(f"in {move.name}, in eval mode, the same input gave another output", moved[1], moved[2])
        found[number] = move.step.subject.outputs
    return agreement(EVAL)(case, seen)


def _added(move: Move) -> Leaf | None:
    """What a call added to the state; a module's first one may, in eval mode too, and setting the mode may."""
    if not move.calls or not BY_NAME[move.step.operation].calls:
        return None
    return next((leaf for leaf in move.after if leaf.state and leaf.path not in move.held()), None)


def _inputs(case: Case, at: int) -> str:
    return str(case["program"][at, 1])


def _moved(before: tuple[Leaf, ...], after: tuple[Leaf, ...]) -> tuple[str, str, str] | None:
    """What differs to the last bit."""
    held = {leaf.path: leaf for leaf in before}
    for leaf in after:
        was = held.get(leaf.path)
        if was is None or leaf.array is None or was.array is None or not (leaf.state or not leaf.variable):
            continue
        if (leaf.state or not leaf.path or leaf.dtype) and was.array.tobytes() != leaf.array.tobytes():
            return leaf.path, text(was), text(leaf)
    return None


@check(
    id=ADVANCES,
    level=MUST,
    requirement="With randomness, two calls on one input differ, and streams advance under `nnx.jit` as without it.",
    remedy="Draw a new key in each call: `self.rngs.dropout()`.",
    wrong="key = jax.random.key(0)",
    right="key = self.rngs.dropout()",
    domain=ADVANCES,
    others=(CORE,),
)
def rng_advances(case: Case, seen: Observation) -> Judgement:
    if not seen.declares("draws_randomness"):
        return NO_RANDOMNESS
    for step in seen.steps:
        jitted = step.operation == "jit" and not (step.skipped or step.subject.raised or step.twin.raised)
        if jitted and (moved := _streams(step)):
            what = f"under nnx.jit, the stream `{moved[0]}` did not advance as in plain Python"
            return Violation(what, moved[1], moved[2], follows=("jit-agrees",))
    repeated = [pair for pair in _repeated(case, seen) if _informative(pair[0].outputs)]
    if case.domain == CORE or not repeated:
        return NotApplicable("no two calls on one input were made whose outputs could tell")
    if any(_moved(one.outputs, other.outputs) for one, other in repeated):
        return None
    if any(_by_chance(seen, one.state, other.state) for one, other in repeated):
        return NotApplicable("calls depend on what moved between them, so that their outputs are equal by chance")
    return Violation(
        f"{len(repeated) + 1} calls on the same inputs gave the same outputs, to the last bit",
        "other outputs",
        "the same outputs",
        cause="each call uses the same key",
    )


def _streams(step: Step) -> tuple[str, str, str] | None:
    wanted = {leaf.path: leaf for leaf in step.twin.state if leaf.rng}
    for leaf in step.subject.state:
        was = wanted.get(leaf.path)
        if not leaf.rng or was is None or leaf.array is None or was.array is None:
            continue
        if leaf.array.tobytes() != was.array.tobytes():
            return leaf.path, text(was), text(leaf)
    return None


def _by_chance(seen: Observation, one: tuple[Leaf, ...], other: tuple[Leaf, ...]) -> bool:
    """Whether two states differ in something on which a call depends: outputs may be equal all the same."""
    depends = {path for step in seen.steps for path in step.depends}
    held = {leaf.path: leaf for leaf in one}
    pairs = [(held[leaf.path], leaf) for leaf in other if leaf.path in depends & held.keys()]
    return any(_moved((before,), (after,)) for before, after in pairs)


def _repeated(case: Case, seen: Observation) -> Iterator[tuple[Side, Side]]:
    """Every two calls in plain Python, in train mode, on one input: what they returned, and the states before them."""
    last: dict[str, Side] = {}
    for move in of_subject(seen):
        if move.step.operation == "call" and not move.evaluating:
            number = _inputs(case, move.at)
            side = Side(move.step.subject.outputs, move.before, None)
            if number in last:
                yield last[number], side
            last[number] = side


def _informative(outputs: tuple[Leaf, ...]) -> bool:
    """Whether outputs hold several different numbers: those that are all zero look the same whatever was dropped."""
    arrays = [leaf.array for leaf in outputs if leaf.array is not None]
    return any(array.size > 1 and np.any(array != array.flat[0]) for array in arrays) or any(
        array.size == 1 and array.dtype.kind in "fc" and array.item() != 0 for array in arrays
    )


@check(
    id=REPRODUCIBLE,
    level=MUST,
    requirement="With randomness, the same seed gives the same run, and another seed another.",
    remedy="Draw every key from the `nnx.Rngs` that the module was made with, and from nothing else.",
    wrong="noise = np.random.normal(size=x.shape)",
    right="noise = jax.random.normal(self.rngs.noise(), x.shape)",
    domain=REPRODUCIBLE,
    others=(CORE,),
)
def rng_reproducible(case: Case, seen: Observation) -> Judgement:
    if not seen.declares("draws_randomness"):
        return NO_RANDOMNESS
    pairs = [pair for step in seen.steps for pair in step.pairs if pair.what == "another seed"]
    told = [pair for pair in pairs if _informative(pair.wanted.outputs)]
    same = [pair for pair in told if not _by_chance(seen, pair.wanted.state, pair.got.state)]
    if case.domain != CORE and same and not any(_differ(pair) for pair in told):
        what = "a module from another seed, with the same Params and statistics, gave the same outputs"
        cause = "the keys do not come from the Rngs that the module was made with"
        return Violation(what, "other outputs", "the same outputs", cause=cause, follows=(ADVANCES,))
    return agreement(REPRODUCIBLE)(case, seen)


def _differ(pair: Pair) -> bool:
    return _moved(pair.wanted.outputs, pair.got.outputs) is not None


CHECKS: tuple[Check, ...] = (grad_clean, optimizer_safe, rng_advances, rng_reproducible, eval_frozen)
