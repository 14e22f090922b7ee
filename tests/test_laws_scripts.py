"""The script of a finding of the module laws: it fails with the law's assertion, or there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import flax
import pytest

from nnx_conformance import check
from nnx_reference import mutants

#: Mutants, a law that each breaks, and how the assertion of its script ends.
SHOWN = [
    ("starts_its_sum_as_an_integer", "structure-stable", "step 1: sum was [('int32', (3,), False)], and is"),
    ("resets_to_a_weak_zero", "structure-stable", "step 2: total was [('float32', (), False)], and is"),
    ("fixes_its_mode_at_construction", "eval-frozen", "step 2: in eval mode, dropout/rngs/"),
    ("hides_a_layer_from_eval", "eval-frozen", "step 2: in eval mode, extras/drop/rngs/"),
    ("merges_its_adapters_in_eval", "eval-frozen", "step 3: in eval mode, merged changed"),
    ("normalises_its_weights_after_a_step", "optimizer-safe", "step 4: a call changed the Param kernel"),
    ("initialises_from_numpys_generator", "rng-reproducible", "step 0: the state kernel differs: "),
]
#: What no script shows: another seed that gives the same, and a structure that only Flax sees.
NOT_SHOWN = [
    ("makes_its_own_rngs_from_zero", "rng-reproducible"),
    ("counts_in_a_python_attribute", "structure-stable"),
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
