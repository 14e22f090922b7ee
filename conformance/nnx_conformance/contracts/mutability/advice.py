"""SHOULD checks of the form that the exercise asks for, on its core domain."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import SHOULD, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.mutability.evidence import (
    IN_VARIABLE,
    INCREMENT,
    base,
    calls_asked,
    culprit,
    excuse,
    made,
)
from nnx_conformance.observation import Observation, Run, Snapshot
from nnx_conformance.plain_text import short
from nnx_conformance.timeline import main_calls

DEPRECATIONS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")


@check(
    id="key-consumed",
    level=SHOULD,
    requirement="An `nnx.Rngs` is built from `int(seed)`, and construction draws at least one key from it.",
    remedy="Build `nnx.Rngs(int(seed))`, pass it to the constructor, and call `rngs.params()` there.",
    wrong="def __init__(self, rngs):\n    self.count = nnx.Variable(jnp.array(0.0))",
    right="def __init__(self, rngs):\n    rngs.params()\n    self.count = nnx.Variable(jnp.array(0.0))",
)
def key_consumed(case: Case, seen: Observation) -> Judgement:
    run, seed = base(seen), int(case["seed"])
    if not made(run):
        return excuse(case, seen) or Blocked(IN_VARIABLE)
    # A key made from a seed holds its high and low 32 bits.
    wanted = {(seed,), (seed >> 32, seed & 0xFFFFFFFF)}
    # Some kinds of keys repeat these words.
    right = [rngs for rngs in run.rngs if wanted & {words[:2] for words in rngs.seeds}]
    if any(rngs.drawn > 0 for rngs in right):
        return None
    # What `nnx.jit` has compiled constructs nothing any more.
    in_trace = all(module.start is None or module.start.traced or not module.constructed for module in run.modules)
    if in_trace or any(rngs.traced for rngs in run.rngs):
        return NotApplicable("construction ran inside a trace, where the keys drawn cannot be counted")
    if not right:
        what = "no nnx.Rngs was built from int(seed)"
        return Violation(what, f"nnx.Rngs({seed})", _rngs_seen(seen), cause="the seed that is given is not used")
    return Violation(
        "construction drew no key from the Rngs",
        "at least one key",
        "none",
        line=next((module.line for module in run.modules), None),
        cause="the constructor does not call `rngs.params()`, or the Rngs is not passed to it",
    )


def _rngs_seen(seen: Observation) -> str:
    seeds = [str(words[-1]) for rngs in base(seen).rngs for words in rngs.seeds]
    return f"an Rngs of {', '.join(seeds)}" if seeds else "no Rngs"


@check(
    id="one-variable-named-count",
    level=SHOULD,
    requirement="The module's graph holds one Variable besides those of its Rngs, and it is called `count`.",
    remedy="Keep the state in one attribute, `self.count`.",
    wrong="self.counter = nnx.Variable(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
)
def one_variable_named_count(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    calls = main_calls(run)
    starts = [at for call in calls[:1] for at in (call.before, call.after) if at]
    starts = starts or [module.start for module in run.modules if module.start]
    if not starts:
        return excuse(case, seen) or Blocked(IN_VARIABLE)
    paths = next(filter(None, (_own(run, at) for at in starts)), [])
    if [path.rpartition(".")[2] for path in paths] == ["count"]:
        return None
    shown = ", ".join(f"`{path}`" for path in paths) or "none"
    return Violation(f"the module's Variables are: {shown}", "one, called `count`", shown)


def _own(run: Run, at: Snapshot) -> list[str]:
    """The paths of a module's own Variables at a moment."""
    return [slot.path for slot in run.layouts[at.layout] if slot.counts]


@check(
    id="no-in-place-add",
    level=SHOULD,
    requirement="No augmented assignment to a Variable or its contents (pitfall 3 of the exercise).",
    remedy="Write it out, `self.count.value = self.count.value + 1.0`.",
    wrong="self.count.value += 1",
    right="self.count.value = self.count.value + 1.0",
)
def no_in_place_add(case: Case, seen: Observation) -> Judgement:
    writes = [*seen.run.writes, *base(seen).writes]
    for write in writes:
        if write.augmented:
            return Violation(
                f"augmented assignment to {write.target}",
                line=write.line,
                cause="a rule of the exercise: on the contents it works; on a Variable it raises on Flax 0.8 and 0.12",
            )
    return None if made(base(seen)) else excuse(case, seen) or Blocked(IN_VARIABLE)


@check(
    id="eager-calls",
    level=SHOULD,
    requirement="The calls run outside any trace.",
    remedy="Call the model in a plain Python loop. Under `nnx.jit` the count is right as well; this is advice.",
    wrong="step = nnx.jit(lambda model, x: model(x))\nlast_x = step(model, x)",
    right="last_x = model(x)",
)
def eager_calls(case: Case, seen: Observation) -> Judgement:
    traced = [call for call in seen.run.calls if call.traced]
    unseen = len(main_calls(base(seen))) - len(main_calls(seen.run))
    if seen.run.raised:
        return excuse(case, seen)
    if unseen > 0 or (traced and len(main_calls(seen.run)) < calls_asked(case)):
        lines = [call.line for call in traced] or [call.line for call in main_calls(base(seen))]
        return Violation("the module was called inside a trace", "plain Python calls", "a traced call", line=lines[0])
    if excused := excuse(case, seen):
        return excused
    if not seen.run.calls:
        return Blocked(INCREMENT if made(seen.run) else IN_VARIABLE)
    return None


@check(
    id="quiet",
    level=SHOULD,
    requirement="Nothing is written to stdout or stderr.",
    remedy="Take the prints out, or put them under `if __name__ == '__main__':`.",
    wrong='print("count", model.count.value)',
    right="# no output",
)
def quiet(case: Case, seen: Observation) -> Judgement:
    if not seen.output:
        return None
    first = seen.output.strip().splitlines()[0][:80] if seen.output.strip() else repr(seen.output[:20])
    return Violation(f"the candidate wrote: {first}", "no output", "output")


@check(
    id="current-access",
    level=SHOULD,
    requirement="No access that the installed Flax deprecates.",
    remedy="Do what the warning says; for `.value`, from Flax 0.12 on: `self.count[...]`, or `get_value` and "
    "`set_value`.",
    wrong="self.count.value = self.count.value + 1.0  # deprecated from Flax 0.12 on",
    right="self.count[...] = self.count[...] + 1.0  # needs Flax 0.10",
)
def current_access(case: Case, seen: Observation) -> Judgement:
    for warned in seen.run.warnings:
        if warned.by == "flax" and warned.category in DEPRECATIONS:
            said = short(warned.message)
            return Violation(f"{warned.category}: {said}", "no deprecated access", warned.category, line=warned.line)
    return Blocked(culprit(seen)) if culprit(seen) else None


CHECKS = (key_consumed, one_variable_named_count, no_in_place_add, eager_calls, quiet, current_access)
