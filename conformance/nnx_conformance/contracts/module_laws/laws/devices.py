"""The laws of several devices: a module on a mesh does what it does on one device, and keeps its placement."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts.module_laws.laws.agreements import agreement, agreement_claims
from nnx_conformance.contracts.module_laws.laws.differences import SHARDED
from nnx_conformance.contracts.module_laws.laws.law import carried_out, declares_not, law, skipped
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import SHOULD, Blocked, Check, Judgement, Violation

sharded_agrees = law(
    id=SHARDED,
    core=False,
    requirement="On a mesh of two devices `nnx.jit` gives the outputs and the state of one device: with the batch "
    "split and the state whole on each device, and with the state placed as the metadata of its Variables says.",
    remedy="Compute with whole arrays, whose parts XLA places, and do not ask how many devices there are; name for "
    "each axis of a Variable the mesh axis that splits it evenly, or None.",
    wrong="n = x.shape[0] // jax.device_count()  # the rows of one device; x is the whole batch",
    right="n = x.shape[0]",
    claims=agreement_claims(SHARDED),
)(agreement(SHARDED))


def _placements(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    for step in reading.facts.steps:
        if step.placements:
            yield Claim(
                tuple(f"{leaf.path}: {leaf.after}" for leaf in step.placements),
                tuple(f"{leaf.path}: {leaf.declared}" for leaf in step.placements),
            )


@law(
    id="sharding-stable",
    level=SHOULD,
    core=False,
    requirement="A Variable that its metadata places on a mesh lies there after each call.",
    remedy="Pin what you write: `jax.lax.with_sharding_constraint(new, PartitionSpec('model'))`, with the axes that "
    "the Variable's metadata names.",
    wrong="self.peak[...] = x.max(0)  # placed over 'model'; what is written is whole on each device",
    right='self.peak[...] = jax.lax.with_sharding_constraint(x.max(0), PartitionSpec("model"))',
    needs=(carried_out,),
    claims=_placements,
)
def sharding_stable(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "place"]
    for step in steps:
        for leaf in step.placements:
            if leaf.after != leaf.declared:
                home = leaf.declared
                what = f"a compiled call moved `{leaf.path}`, which its metadata places at {home}, to {leaf.after}"
                cause = (
                    "the next call moves it back or compiles again, and a gathered array takes memory on each device"
                )
                line = reading.line(leaf.path)
                return Violation(what, leaf.declared, leaf.after, line, cause)
    if any(step.placements for step in steps):
        return None
    raised = any(not step.skipped and (step.subject.raised or step.twin.raised) for step in steps)
    return Blocked(SHARDED) if raised else skipped(reading)


shard_map_agrees = law(
    id="shard-map-agrees",
    core=False,
    requirement="Called by `nnx.shard_map` for each shard of the batch, the module returns the rows that it returns "
    "for the whole batch, and every shard ends with the state of one device.",
    remedy="Reduce over the mesh axis what depends on the batch, `jax.lax.pmean(mean, 'data')`; or declare "
    "`per_shard_state`.",
    wrong="mean = x.mean(0)  # of this shard's rows",
    right="mean = jax.lax.pmean(x.mean(0), self.axis_name)",
    needs=(declares_not("per_shard_state", "each shard has a state of its own on purpose"),),
    claims=agreement_claims("shard-map-agrees"),
)(agreement("shard-map-agrees"))


CHECKS: tuple[Check, ...] = (sharded_agrees, sharding_stable, shard_map_agrees)
