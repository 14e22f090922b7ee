"""The laws of agreement: a transform, a copy or a restored module does what plain Python does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.differences import (
    HIDDEN,
    REPRODUCIBLE,
    SHARDED,
    START,
    Difference,
)
from nnx_conformance.contracts.module_laws.laws.law import Evidence, law
from nnx_conformance.contracts.module_laws.laws.reading import HiddenState, ProgramReading, hidden_state, unlike
from nnx_conformance.contracts.module_laws.laws.traced.proofs import constants, with_constants
from nnx_conformance.contracts.module_laws.program.language import BY_NAME
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import CORE, Blocked, Check, Claims, Judge, Judgement, NotApplicable, Violation

REFUSED = "Leave it out in `__getstate__`, and make it anew in `__setstate__`."
CLOSED_OVER = "a transform traces a function that closes over the module, and leaves a value of its trace there"
AS_ARGUMENT = "Give the module to the transform as an argument: `nnx.jit(lambda module, x: module(x))(module, x)`."
BY_DEVICES = "what it does depends on how many devices there are: its twin finds one, and it finds two"
CALLS, EVAL = "calls-return", "eval-frozen"


def agreement(id: str) -> Judge:
    """The judge of a law that compares subject and twin, or pairs, in its steps."""

    def judge(case: Case, reading: ProgramReading) -> Judgement:
        difference, steps = reading.difference, reading.facts.steps
        if difference and difference.law == id:
            return violation(reading, difference)
        if _has_evidence(reading, id):
            return None
        own_steps = [step for step in steps if _concerns(step, id)]
        if skipped := next((step.skipped for step in own_steps if step.skipped), ""):
            return NotApplicable(skipped)
        if not own_steps:
            return _not_drawn(reading)
        # In a drawn program, another law was violated first by chance. In the law's own programs, it blocks this one.
        by = difference.law if difference else CALLS
        return NotApplicable(f"{by} was broken first") if case.domain == CORE else Blocked(by)

    return judge


def _has_evidence(reading: ProgramReading, id: str) -> bool:
    """Whether a step that a law compares returned before the first difference."""
    difference, steps = reading.difference, reading.facts.steps
    until = max(difference.position, 0) if difference else len(steps)
    return any(step.returned and _concerns(step, id) for step in steps[:until])


def agreement_claims(id: str, *others: Claims) -> Claims:
    """The claims of a law: its comparisons up to the first difference, and those of `others`."""

    def claims(case: Case, reading: ProgramReading) -> Iterator[Claim]:
        if _has_evidence(reading, id) or (reading.difference and reading.difference.law == id):
            for other in others:
                yield from other(case, reading)
            for comparison in reading.comparisons:
                if comparison.law == id:
                    yield from comparison.claims()

    return claims


def _not_drawn(reading: ProgramReading) -> NotApplicable:
    return NotApplicable(reading.facts.skipped or "no step of it was drawn")


def _concerns(step: StepFacts, id: str) -> bool:
    return BY_NAME[step.operation].law == id or any(pair.law == id for pair in step.pairs)


def violation(reading: ProgramReading, difference: Difference) -> Violation:
    """The violation for a difference."""
    if difference.position == START and difference.law == SHARDED:
        cause = "how the module starts depends on how many devices there are"
        return Violation(difference.text, difference.expected, difference.observed, None, cause, evidence=Evidence.KIT)
    if difference.position == START:
        # Modules of one seed differ before any call, so every comparison of theirs would differ too.
        cause = "something outside the Rngs decides how a module starts"
        remedy = (
            "Take all that is random in `__init__` from the `nnx.Rngs` that it is given, "
            "and count or time nothing there."
        )
        values = difference.expected, difference.observed
        return Violation(difference.text, *values, None, cause, remedy, evidence=Evidence.START)
    hidden = hidden_state(reading) if difference.law in (HIDDEN, REPRODUCIBLE) else HiddenState()
    hidden = hidden if hidden.cause else unlike(reading, difference.position)
    if refused := reading.facts.steps[difference.position].differing:
        remedy = REFUSED if difference.law == "deepcopy-agrees" else ""
        hidden = HiddenState(f"`{refused[0]}` cannot be copied so", refused[0], remedy=remedy)
    if difference.closed_over and not hidden.cause:
        hidden = HiddenState(CLOSED_OVER, difference.path, remedy=AS_ARGUMENT)
    if difference.of_copy and not hidden.cause:
        hidden = HiddenState(f"both hold the same `{difference.path}`, and a call of one writes it in place")
    if difference.law == SHARDED and BY_NAME[reading.facts.steps[difference.position].operation].devices == 1:
        hidden = replace(hidden, cause=BY_DEVICES)
    evidence = (Evidence.KIT if difference.of_output else Evidence.STATE) if difference.law == EVAL else None
    if difference.position >= 0 and reading.facts.steps[difference.position].operation == "afresh":
        evidence = Evidence.KIT  # a script imports its subject once
    return Violation(
        difference.text,
        difference.expected,
        difference.observed,
        difference.line or hidden.line or reading.line(hidden.path or difference.path),
        hidden.cause,
        hidden.remedy,
        evidence=evidence,
    )


def without_evidence(reading: ProgramReading) -> Judgement:
    """Why a law that asks about each call has nothing to judge."""
    return Blocked(CALLS) if any(step.twin.raised for step in reading.facts.steps) else _not_drawn(reading)


@law(
    id="input-untouched",
    requirement="A call neither changes nor donates its inputs.",
    remedy="Copy before editing in place, `x = np.array(x)`, and donate nothing that the caller owns.",
    wrong="x -= x.mean()  # edits the caller's NumPy array",
    right="x = x - x.mean()",
)
def input_untouched(case: Case, reading: ProgramReading) -> Judgement:
    steps = reading.facts.steps
    for number, step in enumerate(steps, 1):
        if step.touched:
            what = f"in step {number}, `{step.operation}`, {step.touched[0]}"
            return Violation(what, "the input as it was", "another")
    return None if any(step.returned for step in steps) else without_evidence(reading)


@law(
    id="donation-safe",
    requirement="`nnx.jit(step, donate_argnums=0)`, which gives up the memory of the old state, agrees with plain "
    "Python, and leaves no array deleted.",
    remedy="Give each Variable its own array, `nnx.Variable(jnp.array(kernel, copy=True))`, and keep "
    "that array nowhere else.",
    wrong="self.target = nnx.Variable(self.kernel[...])  # both are the same memory, which cannot be given up twice",
    right="self.target = nnx.Variable(jnp.array(self.kernel[...], copy=True))",
    claims=agreement_claims("donation-safe"),
)
def donation_safe(case: Case, reading: ProgramReading) -> Judgement:
    judged = agreement("donation-safe")(case, reading)
    donated = (step for step in reading.facts.steps if step.operation == "donate")
    shared = next((step.shared for step in donated if step.shared), ())
    if isinstance(judged, Violation) and shared:
        same = " and ".join(f"`{path}`" for path in shared[:2])
        return replace(judged, cause=f"{same} hold the same array, whose memory can be given up only once")
    return judged


@law(
    id=HIDDEN,
    requirement="Everything that the module's behaviour depends on lives in its Variables: "
    "not in Python numbers, lists, closures or classes.",
    remedy="Keep it in a Variable that is an attribute of the module.",
    wrong="self.calls += 1\nreturn x * (self.calls < 10)",
    right="self.calls[...] = self.calls[...] + 1\nreturn x * (self.calls[...] < 10)",
    claims=agreement_claims(HIDDEN, constants),
)
def no_hidden_state(case: Case, reading: ProgramReading) -> Judgement:
    return with_constants(agreement(HIDDEN)(case, reading), reading)


def agreement_law(id: str, requirement: str, remedy: str, wrong: str, right: str) -> Check:
    """A law of agreement."""
    declare = law(id=id, requirement=requirement, remedy=remedy, wrong=wrong, right=right, claims=agreement_claims(id))
    return declare(agreement(id))


CHECKS = (
    input_untouched,
    agreement_law(
        "jit-agrees",
        "`nnx.jit` gives the same outputs and the same final state as plain Python, over a sequence of calls.",
        "Change only the contents of Variables in a call, and ask for no concrete value, as `if x:` does.",
        "self.calls += 1  # a Python number is a constant of the trace",
        "self.calls[...] = self.calls[...] + 1",
    ),
    agreement_law(
        "split-merge-agrees",
        "A module rebuilt from `nnx.split` behaves as the original, and mutating one leaves the other alone.",
        "Keep state in Variables, each at one attribute of the module.",
        "STATE = {}  # module level, keyed by id(self)",
        "self.state = nnx.Variable(jnp.zeros(()))",
    ),
    agreement_law(
        "clone-independent",
        "Mutating an `nnx.clone` or its original leaves the other alone.",
        "Hold no mutable object that a clone would share: NumPy buffers edited in place, lists, dicts.",
        "self.buffer.get_value()[0] += 1  # edits the NumPy array that a clone shares",
        "self.buffer[...] = self.buffer[...].at[0].add(1)",
    ),
    agreement_law(
        "checkpoint-resumes",
        "A module restored from a checkpoint, fresh or live, continues as if it had never stopped.",
        "Keep all that later calls need in Variables, and derive nothing from the seed outside them.",
        "self.scale = float(jax.random.uniform(rngs.params()))  # not part of the state",
        "self.scale = nnx.Variable(jax.random.uniform(rngs.params()))",
    ),
    agreement_law(
        "scan-agrees",
        "Calls through `nnx.scan` with the module carried equal the same calls in a loop.",
        "Keep the state's structure, shapes and dtypes in a call, and all state in Variables.",
        "self.history.append(x)",
        "self.last[...] = x",
    ),
    agreement_law(
        "vmap-agrees",
        "With state split per lane, `nnx.vmap` over lanes equals separate modules.",
        "Compute with the module's own state only; declare `per_lane_state: False` where lanes make no sense.",
        "self.count[...] = jnp.zeros(x.shape[0])  # depends on being called without lanes",
        "self.count[...] = self.count[...] + 1",
    ),
    agreement_law(
        "remat-agrees",
        "`nnx.remat` changes neither outputs nor state.",
        "Keep side effects of a call in Variables: a rematerialised call is traced, and may run twice.",
        "self.log.append(x)",
        "self.last[...] = x",
    ),
    agreement_law(
        "cond-agrees",
        "A call in one branch of `nnx.cond` gives the outputs and the state of a plain call.",
        "Keep the state's structure, shapes and dtypes in a call, so that both branches agree.",
        "self.total[...] = self.total[...].astype(jnp.float64)",
        "self.total[...] = self.total[...] + x.sum()",
    ),
    agreement_law(
        "switch-agrees",
        "A call in a branch of `nnx.switch`, whose branches are all traced, gives the outputs and the state of a plain "
        "call.",
        "Keep the state's structure, shapes and dtypes in a call, and store traced values only in Variables.",
        "x = x * next(self.signs)  # each branch takes the next one, also those that are only traced",
        "x = x * self.sign[...]\nself.sign[...] = -self.sign[...]",
    ),
    agreement_law(
        "loop-agrees",
        "Calls in `nnx.fori_loop` and in `nnx.while_loop`, with the module carried, equal the same calls in a loop of "
        "Python.",
        "Write to the Variables that `__init__` made: a loop carries those alone, no new Variable "
        "and no replaced module.",
        "self.total = nnx.Variable(self.total[...] + x.sum())",
        "self.total[...] = self.total[...] + x.sum()",
    ),
    agreement_law(
        "custom-vjp-agrees",
        "A call in a function with a gradient of its own, `nnx.custom_vjp`, gives the outputs and the state of a plain "
        "call.",
        "Keep what a call changes in Variables that `__init__` made: the rule is traced, and what it leaves elsewhere "
        "is a tracer.",
        "self.logger.norms.append(jnp.linalg.norm(x))",
        "self.norm[...] = jnp.linalg.norm(x)",
    ),
    agreement_law(
        "vjp-agrees",
        "`nnx.vjp` and `nnx.jvp` give the outputs of a plain call, and keep its state update.",
        "Write to the Variables that `__init__` made: these transforms return their contents, and nothing else.",
        "self.total = nnx.Variable(self.total[...] + x.sum())  # the module keeps the old one",
        "self.total[...] = self.total[...] + x.sum()",
    ),
    donation_safe,
    no_hidden_state,
)
