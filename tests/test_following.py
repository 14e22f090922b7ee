"""The smallest case of a finding is run once more, followed line by line: what that tells, and what it leaves alone."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance import Finding, check

SOLUTION = """
    import jax.numpy as jnp
    from flax import nnx


    class Counter(nnx.Module):
        def __init__(self, rngs):
            rngs.params()
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x):
            self.count.value = self.count.value + 1.0
            return x


    def mutability_increment_count(seed, x, n_calls):
        model = Counter(nnx.Rngs(int(seed)))
        last_x = x
        for _ in range(int(n_calls)):
            last_x = model(x)
        return jnp.array([model.count.value, last_x.sum()])
"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The file of the right solution with some texts replaced."""
    source = textwrap.dedent(SOLUTION).lstrip()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    path = folder / "followed_solution.py"
    path.write_text(source)
    return path


def loaded(path: Path) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.mutability_increment_count  # type: ignore[no-any-return]


def finding(folder: Path, check_id: str, *changes: tuple[str, str]) -> Finding:
    report = check(loaded(written(folder, *changes)), max_examples=12)
    return next(found for found in report.findings if found.check == check_id)


def told(found: Finding) -> str:
    assert found.line is not None
    return found.line.source


@pytest.mark.slow
def test_what_traced_the_thread_before_is_put_back(tmp_path: Path) -> None:
    def tracer(*_: object) -> None:
        """Traces nothing."""

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        finding(tmp_path, "output-unchanged", ("return x\n", "return x * 2\n"))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


@pytest.mark.slow
def test_a_mistake_in_a_helper_file_is_named_with_that_file(tmp_path: Path) -> None:
    (tmp_path / "helper_of_followed.py").write_text(
        "def summed(x):\n    total = x.mean()\n    return total\n\n\nSEEN = []\n"
    )
    changes = [
        ("from flax import nnx", "from flax import nnx\nimport helper_of_followed"),
        ("last_x.sum()", "helper_of_followed.summed(last_x)"),
        ("    model =", "    helper_of_followed.SEEN.append(1)\n    model ="),
        ("jnp.array([model.count.value,", "jnp.array([model.count.value + len(helper_of_followed.SEEN) - 1,"),
    ]

    report = check(str(written(tmp_path, *changes)), max_examples=12)

    found = next(found for found in report.findings if found.check == "fresh-state-per-run")
    assert (str(found.line), told(found)) == ("helper_of_followed.py:6", "SEEN = []")
    assert found.cause == "`SEEN` at module level outlives the call, which changes it (followed_solution.py:17)"


@pytest.mark.parametrize(
    ("write", "shown"),
    [
        ('self.__dict__["count"] = self.count.value', 'self.__dict__["count"] = self.count.value'),
        ("del self.count\n        self.count = 1.0", "self.count = 1.0"),
        ("self.forget()", "delattr(self, 'count'); vars(self).update(count=0.0)"),
    ],
)
def test_a_wrapper_lost_without_an_assignment_is_named_with_its_line(tmp_path: Path, write: str, shown: str) -> None:
    raising = "self.count.value = self.count.value + 1.0"
    method = f"return x\n\n    def forget(self):\n        {shown}\n" if "forget" in write else "return x\n"
    result = ("model.count.value, ", "n_calls, ")

    found = finding(tmp_path, "wrapper-kept", (raising, f"{raising}\n        {write}"), ("return x\n", method), result)

    assert told(found) == shown
    assert str(found.case) == "seed=0.0  x=[0.]  n_calls=1.0"


def test_the_first_of_two_returns_is_named_when_it_is_the_one_that_ran(tmp_path: Path) -> None:
    early = "    if x.size > 1:\n        return jnp.array([n_calls, 0.0, 0.0])\n    return jnp.array([model"

    found = finding(tmp_path, "returns-pair", ("    return jnp.array([model", early))

    assert told(found) == "return jnp.array([n_calls, 0.0, 0.0])"


def test_a_closure_that_outlives_the_call_is_named(tmp_path: Path) -> None:
    made = textwrap.dedent("""
        def made():
            runs = 0

            def later():
                nonlocal runs
                runs += 1
                return runs - 1

            return later


        later = made()


        def mutability_increment_count(""").lstrip()
    changes = [
        ("def mutability_increment_count(", made),
        ("model.count.value, last", "model.count.value + later(), last"),
    ]

    found = finding(tmp_path, "fresh-state-per-run", *changes)

    assert found.cause.startswith("`runs` in a closure outlives the call, which changes it")
    assert told(found) == "def later():"


def test_a_right_candidate_is_never_followed(tmp_path: Path) -> None:
    spying = "    import sys\n    assert sys.gettrace() is None\n    model = Counter("

    report = check(loaded(written(tmp_path, ("    model = Counter(", spying))), max_examples=12)

    assert report.verdict == "conforms"
