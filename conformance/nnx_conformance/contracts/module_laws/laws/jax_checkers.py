"""The laws that JAX's own checkers test: no key is used twice, no index is out of bounds."""

from __future__ import annotations

from nnx_conformance.contracts.module_laws.laws.law import Evidence, carried_out, law, skipped
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import SHOULD, Check, Judgement, Violation


@law(
    id="keys-used-once",
    level=SHOULD,
    core=False,
    requirement="No call uses a typed random key a second time: `jax.debug_key_reuse(True)` lets it pass.",
    remedy="Take a new key for each draw, `self.rngs.noise()`, or split one and drop it: "
    "`key, other = jax.random.split(key)`.",
    wrong="mask = jax.random.bernoulli(key, 0.5, x.shape)\n"
    "noise = jax.random.normal(key, x.shape)  # correlated with the mask",
    right="mask = jax.random.bernoulli(self.rngs.mask(), 0.5, x.shape)\n"
    "noise = jax.random.normal(self.rngs.noise(), x.shape)",
    needs=(carried_out,),
)
def keys_used_once(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "keys"]
    for step in steps:
        if raised := step.reused_key:
            what = f"JAX's checker raised {raised.type}: {raised.message.splitlines()[0]}"
            cause = "two draws from one key are correlated, or the same"
            because = ("rng-advances",)
            values = "each key used once", "a key used again"
            return Violation(what, *values, raised.line, cause, because=because, evidence=Evidence.KIT)
    return None if any(step.returned for step in steps) else skipped(reading)


@law(
    id="indices-in-bounds",
    level=SHOULD,
    core=False,
    requirement="However often a module is called, each index stays within its array, or `mode=` says what happens "
    "where it does not.",
    remedy="Count modulo the length, raise before the array is full, or say `mode='drop'`, `'fill'` or `'clip'`.",
    wrong="self.rows[...] = self.rows[...].at[self.at[...]].set(x)  # once it is full, JAX drops x",
    right="self.rows[...] = self.rows[...].at[self.at[...] % len(self.rows[...])].set(x)",
    needs=(carried_out,),
)
def indices_in_bounds(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "bounds"]
    for step in steps:
        if error := step.out_of_bounds:
            cause = "JAX moves an index that is out of bounds to the last place, or drops what is written there"
            values = "each index within its array", "an index that is not"
            return Violation(error.message, *values, error.line, cause, evidence=Evidence.KIT)
    return None if any(step.returned for step in steps) else skipped(reading)


CHECKS: tuple[Check, ...] = (keys_used_once, indices_in_bounds)
