"""The laws of what a subject declares: a reference, its Variables, dtypes, an eval mode, independent rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, agreement_claims
from nnx_conformance.contracts.module_laws.laws.law import (
    NO_CALL,
    NOT_GROWING,
    Evidence,
    carried_out,
    declares,
    declares_not,
    law,
    skipped,
)
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, changed
from nnx_conformance.contracts.module_laws.program.language import IN_EVAL_MODE, ONCE_MORE
from nnx_conformance.core.candidate.subject import DTYPES, FLOATS, PARTS
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import SHOULD, Check, Judgement, NotApplicable, Violation

#: The prefix of the traits of an inventory.
VARIABLES = "variables."


@law(
    id="reference-agrees",
    core=False,
    requirement="The module gives the outputs of its reference, and holds the state that the reference holds, over a "
    "sequence of calls.",
    remedy="Compute what the reference computes; or correct the reference that the subject gives.",
    wrong="self.mean[...] = 0.1 * self.mean[...] + 0.9 * x.mean(0)  # the weights the wrong way round",
    right="self.mean[...] = 0.9 * self.mean[...] + 0.1 * x.mean(0)",
    needs=(carried_out,),
    claims=agreement_claims("reference-agrees"),
)
def reference_agrees(case: Case, reading: ProgramReading) -> Judgement:
    judged = agreement("reference-agrees")(case, reading)
    return replace(judged, evidence=Evidence.KIT) if isinstance(judged, Violation) else judged


def _declared(reading: ProgramReading) -> dict[str, int]:
    """The declared number of Variables of each type."""
    traits = (trait for trait in reading.facts.traits if trait.name.startswith(VARIABLES))
    return {trait.name.removeprefix(VARIABLES): int(trait.value) for trait in traits}


def _paths_by_type(reading: ProgramReading) -> dict[str, list[str]]:
    """The paths of the Variables after the first call, by the name of their type."""
    paths: dict[str, list[str]] = {}
    leaves = {leaf.path.split("/")[0]: leaf for leaf in reading.calls[0].after if leaf.variable and not leaf.shared}
    for path, leaf in leaves.items():
        paths.setdefault(leaf.kind.rpartition(".")[2], []).append(path)
    return paths


def _counts(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    if reading.calls and (declared := _declared(reading)):
        by_type = _paths_by_type(reading)
        counts = tuple(f"{len(by_type.get(kind, ()))} of {kind}" for kind in declared)
        yield Claim(counts, tuple(f"{count} of {kind}" for kind, count in declared.items()))


@law(
    id="inventory",
    core=False,
    requirement="After a call, the module has as many Variables of each type as its subject declares.",
    remedy="Give each Variable the declared type, or correct the subject's `variables`.",
    wrong="self.var = nnx.Param(jnp.ones(4))  # declared: two BatchStats, two Params",
    right="self.var = nnx.BatchStat(jnp.ones(4))",
    needs=(carried_out, NOT_GROWING),
    claims=_counts,
)
def inventory(case: Case, reading: ProgramReading) -> Judgement:
    declared = _declared(reading)
    if not declared:
        return NotApplicable("it declares no inventory")
    if not reading.calls:
        return NO_CALL
    by_type = _paths_by_type(reading)
    for kind, count in declared.items():
        paths = by_type.get(kind, [])
        if len(paths) != count:
            what = f"the module has {len(paths)} Variables of type {kind}, and its subject declares {count}"
            observed = f"{len(paths)}{': ' if paths else ''}{', '.join(paths[:6])}"
            return Violation(what, f"{count} of {kind}", observed, evidence=Evidence.KIT)
    return None


def _dtypes(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    declared = _policy(reading)
    for step in reading.facts.steps:
        if declared and not (step.skipped or step.twin.raised or step.subject.raised):
            typed = [(dtype, declared[part]) for part, _, dtype in _typed(step) if part in declared]
            if "compute" in declared:
                typed += [(" and ".join(product.dtypes), declared["compute"]) for product in step.products]
            yield Claim(tuple(dtype for dtype, _ in typed), tuple(wanted for _, wanted in typed))


def _policy(reading: ProgramReading) -> dict[str, str]:
    """The declared dtypes of `params`, `compute` and `output`."""
    return {part: dtype for part in PARTS if (dtype := reading.facts.trait(f"{DTYPES}.{part}"))}


@law(
    id="dtype-policy",
    core=False,
    requirement="Every floating Param, matrix product and output is of the dtype that the subject declares for it, in "
    "plain Python and compiled.",
    remedy="Pass `param_dtype` to each layer for its Params, `dtype` for its computation, and cast what is returned: "
    "`y.astype(x.dtype)`.",
    wrong="self.scale = nnx.Param(jnp.ones(4))  # float32, where the others are bfloat16",
    right="self.scale = nnx.Param(jnp.ones(4, param_dtype))",
    needs=(carried_out,),
    claims=_dtypes,
)
def dtype_policy(case: Case, reading: ProgramReading) -> Judgement:
    facts = reading.facts
    declared = _policy(reading)
    if not declared:
        return NotApplicable("it declares no dtypes")
    for position, step in enumerate(facts.steps, 1):
        if step.skipped or step.twin.raised or step.subject.raised:
            continue
        for part, name, dtype in _typed(step):
            if part in declared and dtype != declared[part]:
                what = (
                    f"{name} is {dtype} in step {position}, `{step.operation}`; declared for {part}: {declared[part]}"
                )
                return Violation(what, declared[part], dtype, evidence=Evidence.KIT)
        for product in step.products if "compute" in declared else ():
            if product.dtypes != (declared["compute"],):
                dtypes = " and ".join(product.dtypes)
                what = f"a matrix product computes in {dtypes}; declared for compute: {declared['compute']}"
                return Violation(what, declared["compute"], dtypes, product.line, evidence=Evidence.KIT)
    return None if any(step.returned for step in facts.steps) else NO_CALL


def _typed(step: StepFacts) -> Iterator[tuple[str, str, str]]:
    """The floating leaves of a step: `params` or `output`, the leaf's name, and its dtype."""
    for side in (step.twin, step.subject):
        for leaf in side.state:
            if leaf.param and _floats(leaf):
                yield "params", f"the Param `{leaf.path}`", leaf.dtype
        for leaf in side.outputs:
            if _floats(leaf):
                yield "output", f"the output{leaf.path}", leaf.dtype


def _floats(leaf: LeafFacts) -> bool:
    return leaf.dtype in FLOATS


@law(
    id="eval-declared",
    level=SHOULD,
    core=False,
    requirement="A module on whose outputs `eval()` has an effect declares `has_eval_mode`.",
    remedy="Declare `traits={'has_eval_mode': True}`: only then do we judge `eval-frozen`.",
    wrong='subject = {"make": make, "inputs": [x]}  # makes an nnx.BatchNorm',
    right='subject = {"make": make, "inputs": [x], "traits": {"has_eval_mode": True}}',
    needs=(carried_out, declares_not("has_eval_mode", "it declares its eval mode")),
)
def eval_declared(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "modes" and step.returned]
    pairs = {pair.name: pair for step in steps for pair in step.pairs}
    if ONCE_MORE not in pairs:
        reasons = (step.undecided for step in steps if step.undecided)
        return NotApplicable(next(reasons, "")) if steps else skipped(reading)
    again, evaluated = (
        _differs(pairs[name].wanted.outputs, pairs[name].got.outputs) for name in (ONCE_MORE, IN_EVAL_MODE)
    )
    if again is not None:
        return NotApplicable("its calls are not deterministic")
    if evaluated is None:
        return None
    what = f"after `eval()`, the same call gives another output{evaluated}, and the subject declares no eval mode"
    return Violation(what, "`has_eval_mode`, or the same output", "another output", evidence=Evidence.KIT)


def _differs(some: tuple[LeafFacts, ...], others: tuple[LeafFacts, ...]) -> str | None:
    """The path of the first output that differs; None if all are equal."""
    if len(some) != len(others):
        return ""
    return next((leaf.path for old, leaf in zip(some, others, strict=True) if changed(old, leaf)), None)


@law(
    id="rows-independent",
    level=SHOULD,
    core=False,
    requirement="In eval mode, a row of the output depends on no other row of the batch.",
    remedy="Use in eval mode what training gathered, such as a running mean; or declare `mixes_rows`.",
    wrong="return x - x.mean(0)  # in eval mode too: each row depends on its batch",
    right="return x - (self.mean[...] if self.use_running_average else x.mean(0))",
    needs=(
        carried_out,
        declares("has_eval_mode", "it declares no eval mode"),
        declares_not("mixes_rows", "it mixes rows on purpose"),
    ),
    claims=agreement_claims("rows-independent"),
)
def rows_independent(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "rows" and step.returned]
    if steps and all(step.undecided for step in steps):
        return NotApplicable(steps[0].undecided)
    judged = agreement("rows-independent")(case, reading)
    if isinstance(judged, Violation) and judged.what.startswith("with another last row"):
        what = "in eval mode, another last row of the input gave another output for the rows before it"
        return Violation(what, judged.expected, judged.observed, evidence=Evidence.KIT)
    return judged


CHECKS: tuple[Check, ...] = (reference_agrees, inventory, dtype_policy, eval_declared, rows_independent)
