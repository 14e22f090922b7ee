"""The assertions on stateful modules: chex's form: keywords, switch, variants, Hypothesis, and the page's test file."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from hypothesis import given, settings

from nnx_conformance import asserts
from nnx_strategies import keys
from stateful import WRITE, Assigns, Counter, OwnKey, fails, write


def test_the_keywords_of_chex() -> None:
    lost = functools.partial(asserts.assert_variable, Counter(), "count", 3.0)
    message = fails(lambda: lost(custom_message="step {}", custom_message_format_vars=(7,)), "")
    assert message.endswith(" [step 7]")
    assert not fails(lambda: lost(include_default_message=False), "[Chex] Trees").startswith("[Chex] Assertion")
    fails(lambda: lost(exception_type=RuntimeError), "[Chex] ", RuntimeError)

    def around() -> None:
        module = Assigns()
        with asserts.wrappers_kept(module, custom_message="in the encoder"):
            module(1.0)

    assert fails(around, "").endswith(" [in the encoder]")


def test_a_keyword_that_no_assertion_has() -> None:
    counter: Any = Counter()
    unknown: Any = {"rtoll": 1.0}
    message = fails(lambda: asserts.assert_state_close(counter, counter, **unknown), "", TypeError)
    assert message == "assert_state_close() got an unexpected keyword argument 'rtoll'. Did you mean 'rtol'?"
    unknown = {"custom_mesage": ""}
    message = fails(lambda: asserts.wrappers_kept(counter, **unknown), "", TypeError)
    assert message == (
        "assert_wrappers_kept() got an unexpected keyword argument 'custom_mesage'. Did you mean 'custom_message'?"
    )
    unknown = {"train": True}
    message = fails(lambda: asserts.assert_same_under(nnx.jit, counter, 1.0, **unknown), "", TypeError)
    assert message == (
        "assert_same_under() got an unexpected keyword argument 'train'. Hand over what is for the call itself as "
        "kwargs={'train': ...}."
    )


def test_assertions_can_be_switched_off_with_those_of_chex() -> None:
    chex.disable_asserts()
    try:
        asserts.assert_variable(Counter(), "count", 3.0)
        module = Assigns()
        with asserts.wrappers_kept(module):
            module(1.0)
    finally:
        chex.enable_asserts()


def test_an_exception_in_the_block_is_not_covered() -> None:
    module = Assigns()

    def around() -> None:
        with asserts.wrappers_kept(module):
            module(1.0)
            raise KeyError("mine")

    fails(around, "mine", KeyError)
    assert "nnx_conformance" not in str(vars(nnx.Variable)["__init__"])
    assert nnx.Module.__setattr__.__module__.startswith("flax")


class TestVariants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True, with_device=True)
    def test_under_the_variants_of_chex(self) -> None:
        graphdef, state = nnx.split(Counter())

        @self.variant
        def step(state: Any, x: Any) -> Any:
            module = nnx.merge(graphdef, state)
            with asserts.wrappers_kept(module):
                module(x)
            asserts.assert_not_param(module.count)
            asserts.assert_variable(module, "count")
            return nnx.state(module)

        after = step(jax.tree.map(jnp.copy, state), 1.0)
        asserts.assert_variable(after, "count", 1.0)
        with self.assertRaisesRegex(AssertionError, r"^\[Chex\] Assertion assert_variable failed: "):
            asserts.assert_variable(after, "count", 2.0)


def test_values_inside_a_trace_need_chexify() -> None:
    def compares(x: Any) -> Any:
        asserts.assert_state_equal(Counter(x), Counter(0.0))
        return x

    with pytest.raises(RuntimeError, match="chexify"):
        jax.jit(compares)(1.0)


@settings(deadline=None, max_examples=10)
@given(keys())
def test_under_hypothesis(key: Any) -> None:
    module = OwnKey()
    write(module.key, key)
    with asserts.keys_advance(module), asserts.wrappers_kept(module), asserts.params_untouched(module):
        module(1.0)
    asserts.assert_no_tracers(module)


PAGE = Path(__file__).parents[1] / "docs" / "howto" / "asserts.md"


@pytest.mark.slow
@pytest.mark.skipif(not PAGE.exists(), reason="the tests run without the checkout")
def test_the_ordinary_test_file_of_the_page_finds_five_mistakes_and_passes_when_they_are_right(tmp_path: Path) -> None:
    blocks = re.findall(r"```\{code-block\} python\n:caption: (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    models = [text for name, text in blocks if name == "models.py"]
    tests = next(text for name, text in blocks if name == "test_models.py")
    for text, expected in zip(models, ("5 failed", "5 passed"), strict=True):
        folder = tmp_path / expected.replace(" ", "-")
        folder.mkdir()
        (folder / "models.py").write_text(text.replace("[...]", WRITE))
        (folder / "test_models.py").write_text(tests)
        command = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_models.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert expected in done.stdout.splitlines()[-1], done.stdout
        assert done.stdout.count("\nE       AssertionError: [Chex] Assertion ") == int(expected[0]) * (
            expected[2:] == "failed"
        )
        assert "form.py" not in done.stdout


@pytest.mark.medium
def test_no_process_is_started_and_no_contract_is_loaded() -> None:
    code = (
        "import sys; from nnx_conformance import asserts;"
        "print([m for m in sys.modules if m.startswith(('nnx_conformance.contracts', 'nnx_conformance.process',"
        " 'nnx_conformance.judging'))])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
