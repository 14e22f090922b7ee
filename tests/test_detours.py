"""Right by a detour, and wrong in a way of its own: what the kit does inside a call must not decide the verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnx_conformance.contracts.counter.narrow import narrow
from nnx_conformance.core import contracts
from nnx_conformance.core.case import array_text
from nnx_conformance.core.current import current
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits

COUNTER = """
import jax
import jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    dtype = jnp.float32

    def __init__(self, rngs):
        rngs.params()
        self.one = jnp.ones((), self.dtype)
        self.count = nnx.Variable(jnp.zeros((), self.dtype))

    def __call__(self, x):
        self.count.value = self.count.value + self.one
        return x
"""
GUARDED = """

def candidate(seed, x, n_calls):
    model, out = Counter(nnx.Rngs(int(seed))), x
    with jax.transfer_guard("disallow"), jax.debug_nans(True), jax.checking_leaks():
        for _ in range(int(n_calls)):
            out = model(x)
    return jnp.stack([model.count.value, out.sum()])
"""
LANES = """

@nnx.jit
def advance(models, xs):
    return nnx.vmap(lambda model, x: model(x))(models, xs)


def part(keys, xs, n_calls):
    models, ys = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(keys), xs
    for _ in range(n_calls):
        ys = advance(models, xs)
    return jnp.stack([models.count.value.astype(jnp.float32), ys.sum(axis=1)], axis=1)
"""
LEAKS_CHECKED = """

def candidate(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), len(xs))
    with jax.checking_leaks():
        return part(keys, xs, int(n_calls))
"""
TWO_HALVES = """

def candidate(seed, xs, n_calls):
    keys, middle = jax.random.split(jax.random.key(int(seed)), len(xs)), len(xs) // 2
    halves = [slice(0, middle), slice(middle, None)]
    return jnp.concatenate([part(keys[half], xs[half], int(n_calls)) for half in halves if len(xs[half])])
"""
TRAINER = """

class Statistic(nnx.Module):
    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch, momentum):
        self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)


class Trainer(nnx.Module):
    def __init__(self, features):
        self.statistic = Statistic(features)

    def __call__(self, batches, momentum):
        for batch in batches:
            self.statistic(jnp.asarray(batch, jnp.float32), momentum)
        return self.statistic.mean.value


def candidate(seed, batches, momentum):
    return Trainer(batches.shape[2])(batches, momentum)
"""
ONE_TOO_MANY = """

def candidate(seed, x, n_calls):
    model, out = Counter(nnx.Rngs(int(seed))), x
    step = nnx.jit(lambda module, value: module(value))
    for number in range(int(n_calls)):
        if number == 2:
            out = model(x)  # one too many
        out = step(model, x)
    return jnp.stack([model.count.value, out.sum()])
"""
NARROW = """

def candidate(seed, x, n_calls):
    model, out = Counter(nnx.Rngs(int(seed))), None
    if not n_calls:
        raise ValueError("n_calls out of range")
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.stack([model.count.value.astype(jnp.float32), out.sum()])
"""


def judged(folder: Path, name: str, source: str, examples: int = 20) -> Report:
    path = folder / "candidate.py"
    path.write_text(COUNTER + source.replace("candidate", contracts.get(name).entry))
    return judge_target(str(path), name, Settings(max_examples=examples, shrink=False), Limits())


@pytest.mark.medium
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("mutability", GUARDED),
        pytest.param("lifted", LANES + LEAKS_CHECKED, marks=pytest.mark.slow),
        pytest.param("lifted", LANES + TWO_HALVES, marks=pytest.mark.slow),
        pytest.param("running-mean", TRAINER, marks=pytest.mark.slow),
    ],
    ids=["guarded", "leaks-checked", "two-halves", "trainer"],
)
def test_what_is_right_by_a_detour_conforms(tmp_path: Path, name: str, source: str) -> None:
    report = judged(tmp_path, name, source)

    assert [finding.what for finding in report.findings if finding.level == "MUST"] == []
    assert (report.verdict, report.failure) == ("conforms", "")


@pytest.mark.slow
def test_a_count_in_float8_conforms_but_for_many_calls(tmp_path: Path) -> None:
    source = LANES.replace("@nnx.jit", "Counter.dtype = jnp.float8_e4m3fn\n\n\n@nnx.jit", 1)
    report = judged(tmp_path, "lifted", source + LEAKS_CHECKED.replace("with jax.checking_leaks()", "if True"))

    assert report.verdict == "conforms"
    assert "many-calls" in [finding.check for finding in report.findings]


@pytest.mark.slow
def test_an_eager_call_between_compiled_ones_is_counted_with_them_and_has_the_line(tmp_path: Path) -> None:
    report = judged(tmp_path, "mutability", ONE_TOO_MANY)
    finding = report.findings[0]

    assert finding.check == "one-increment-per-call"
    assert finding.line is not None and finding.line.source == "out = model(x)  # one too many"
    assert finding.cause == "this line makes an extra call"
    assert "counts-in-variable" not in [other.check for other in report.findings]


@pytest.mark.slow
def test_a_narrow_count_says_where_it_stops_and_remedies_go_by_what_happened(tmp_path: Path) -> None:
    report = judged(tmp_path, "mutability", "\nCounter.dtype = jnp.bfloat16\n" + NARROW)
    found = {finding.check: finding for finding in report.findings}

    assert report.verdict == "conforms"
    assert found["many-calls"].cause == "`count` stops at 256: its dtype holds no number that is larger by 1"
    assert found["many-calls"].remedy.startswith("Keep the count in float32: float8 stops at 16, bfloat16 at 256")
    assert found["zero-calls"].remedy == 'Let this case pass `raise ValueError("n_calls out of range")`.'


def test_only_a_dtype_explains_where_a_count_stops_or_wraps_around() -> None:
    assert narrow("count", 16, 16) == "`count` stops at 16: its dtype holds no number that is larger by 1"
    assert narrow("count", 127, -128) == "`count` wraps around after 127, the largest number that its dtype holds"
    assert narrow("count", 12, 12) == narrow("count", 4, 4) == narrow("count", 16, 18) == ""


def test_code_is_shown_in_the_form_of_the_installed_flax() -> None:
    assert current("Return `nnx.merge(a, b).count.value`.", "0.12.8") == "Return `nnx.merge(a, b).count[...]`."
    assert current("self.count.value = self.count.value + 1.0", "0.10.7") == "self.count.value = self.count.value + 1.0"
    linen = 'mean = self.variable("batch_stats", "mean", jnp.zeros, n)\nmean.value = mean.value'
    assert current(linen, "0.12.8") == linen
    assert current("no attribute `.value`", "0.12.8") == "no attribute `.value`"
    assert current("self.rows[...] = self.rows[...].at[0].set(x)", "0.8.5") == (
        "self.rows.value = self.rows.value.at[0].set(x)"
    )
    assert current("self.count[...] = x", "0.10.7") == "self.count[...] = x"
    assert current("self.buffer.get_value()[0] += 1", "0.11.2") == "self.buffer.value[0] += 1"


def test_an_array_of_many_short_sides_is_shown_by_its_ends() -> None:
    assert array_text(np.arange(96, dtype=np.float32).reshape(4, 4, 6)) == (
        "[[[ 0., ...,  5.],  ...,  [18., ..., 23.]], ..., [[72., ..., 77.],  ...,  [90., ..., 95.]]] "
        "(4 x 4 x 6 elements)"
    )
