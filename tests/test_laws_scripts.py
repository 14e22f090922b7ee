"""The script of a finding of the module laws: it fails with the law's assertion, or there is none."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import flax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import Subject, check
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as subjects
from nnx_conformance.contracts.module_laws.laws.law import Evidence
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.contract import CORE, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan
from nnx_reference import mutants

#: Mutants, a law that each breaks, and how the assertion of its script ends.
SHOWN = [
    ("starts_its_sum_as_an_integer", "structure-stable", "step 1: sum was [('int32', (3,), False)], and is"),
    ("resets_to_a_weak_zero", "structure-stable", "step 2: total was [('float32', (), False)], and is"),
    ("fixes_its_mode_at_construction", "eval-frozen", "step 2: in eval mode, dropout/rngs/"),
    ("hides_a_layer_from_eval", "eval-frozen", "step 2: in eval mode, extras/drop/rngs/"),
    ("merges_its_adapters_in_eval", "eval-frozen", "step 3: in eval mode, merged changed"),
    ("normalises_its_weights_after_a_step", "optimizer-safe", "step 4: a call changed the Param kernel"),
    ("allocates_its_cache_by_empty", "start-defined", "step 1: the state rows differs: "),
    ("fills_half_of_its_table", "start-defined", "step 1: the state table differs: "),
    ("keeps_the_callers_array", "state-owned", "step 1: what was written into the input changed the state: last"),
    ("asks_numpy_for_its_norm", "abstract-agrees", "step 1: TracerArrayConversionError: "),
    ("makes_its_count_wider_in_a_trace", "abstract-agrees", "step 1: calls is [('int32', (), False)], and abstractly "),
    ("learns_its_home_when_it_is_made", "pytree-agrees", "step 1: the outputs differ: "),
    ("keeps_its_count_in_a_plain_box", "pytree-agrees", "step 2: TraceContextError: "),
    ("copies_itself_shallowly", "deepcopy-agrees", "step 1: what was left behind changed: total"),
    ("pickles_all_but_its_statistics", "pickles", "step 2: the outputs differ: "),
    ("remembers_its_last_answer", "no-hidden-state", "step 2: the outputs differ: "),
    ("counts_its_epochs_in_train", "checkpoint-resumes", "step 4: the outputs differ: "),
    ("takes_turns_by_a_cycle", "switch-agrees", "step 2: the outputs differ: "),
    ("swaps_its_two_buffers", "loop-agrees", "step 2: ValueError: nnx.while_loop requires "),
    ("wraps_its_sum_anew", "vjp-agrees", "step 2: the state total differs: "),
    ("adds_a_variable_where_it_is_differentiated", "custom-vjp-agrees", "step 2: TypeError: Custom VJP bwd rule "),
    ("starts_its_target_on_the_same_array", "donation-safe", "step 1: "),
    ("loses_its_count_in_jax_jit", "updates-kept", "step 2: "),
    ("compares_with_a_param", "param-trained", "step 2: the gradient by "),
    ("divides_by_the_number_of_devices", "sharded-agrees", "step 1: the outputs differ: "),
    ("keeps_its_peak_whole", "sharding-stable", "step 2: "),
    ("averages_the_rows_of_its_shard", "shard-map-agrees", "step 2: the state mean differs: "),
    ("initialises_from_numpys_generator", "rng-reproducible", "step 0: the state kernel differs: "),
]
#: What no script shows: another seed that gives the same, and a structure that only Flax sees.
NOT_SHOWN = [
    ("makes_its_own_rngs_from_zero", "rng-reproducible"),
    ("counts_in_a_python_attribute", "structure-stable"),
    ("activates_by_a_lambda", "instances-share-compilation"),
    ("draws_from_the_key_that_it_split", "keys-used-once"),
    ("writes_beyond_its_cache", "indices-in-bounds"),
    ("keeps_its_mask_from_a_trace", "no-hidden-state"),
    ("makes_noise_late_and_the_same", "rng-advances"),
]


def script(name: str, law: str) -> str:
    mutant = next(one for one in mutants("module-laws") if one.name == name)
    if not mutant.applies_to(flax.__version__):
        pytest.skip(f"{name} needs another Flax")
    report = check(f"{mutant.path}::subject", "module-laws", max_examples=8, checks=(law,))
    return next(finding for finding in report.findings if finding.check == law).script


@pytest.mark.slow
@pytest.mark.parametrize(("name", "law", "told"), SHOWN, ids=[name for name, *_ in SHOWN])
def test_a_script_fails_as_its_finding_says(name: str, law: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "finding.py"
    path.write_text(script(name, law))
    done = subprocess.run([sys.executable, "-W", "ignore", path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert f"AssertionError: {law}, {told}" in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("name", "law"), NOT_SHOWN, ids=[name for name, _ in NOT_SHOWN])
def test_no_script_is_given_where_none_can_show_the_finding(name: str, law: str) -> None:
    assert script(name, law) == ""


class CountsItsOutput(nnx.Module):
    deterministic = False

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.output = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write = getattr(self.output, "set_value", None) or (lambda value: setattr(self.output, "value", value))
        write(jnp.ones(()))
        return x


def test_a_script_is_chosen_by_what_shows_a_violation_not_by_its_words() -> None:
    subject = Subject(CountsItsOutput, [np.ones(3, np.float32)], {"has_eval_mode": True})
    harness, _ = subjects.adopt(subject, "mine", ())  # type: ignore[misc]
    drawn = case(CORE, 0, words("eval call"))
    facts = subjects.observe(harness, Request(drawn, RunPlan(), 0))
    reading = CONTRACT.read(drawn, dataclasses.replace(facts, where="mine:subject"))
    violation = judgement(CONTRACT.check("eval-frozen"), drawn, reading)
    assert isinstance(violation, Violation)
    assert (violation.evidence, "`output` changed" in violation.what) == (Evidence.STATE, True)
    assert CONTRACT.script is not None
    assert "eval_frozen_holds(before" in CONTRACT.script(drawn, reading, "eval-frozen", violation)
    hidden = dataclasses.replace(violation, evidence=Evidence.KIT)
    assert CONTRACT.script(drawn, reading, "eval-frozen", hidden) == ""
