"""How much `pytest --nnx-laws` adds to the time of the tests themselves: recording alone, without judging.

`python benchmarks/adopt_overhead.py [--pairs N] [PYTEST_ARGUMENT...]` runs the tests by turns with and without, in
fresh processes, and compares processor times, which other work on the machine leaves alone. Without arguments it runs
tests of its own: modules of four kinds, constructed, called, compiled and trained as ordinary tests do. It fails where
recording adds a third or more.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1 / 3
TESTS = """
import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx


class Mlp(nnx.Module):
    def __init__(self, width, *, rngs):
        self.first, self.second = nnx.Linear(8, width, rngs=rngs), nnx.Linear(width, 8, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        return self.second(self.dropout(nnx.relu(self.first(x))))


class Normed(nnx.Module):
    def __init__(self, *, rngs):
        self.mlp, self.norm = Mlp(16, rngs=rngs), nnx.BatchNorm(8, rngs=rngs)

    def __call__(self, x):
        return x + self.norm(self.mlp(x))


class Block(nnx.Module):
    def __init__(self, *, rngs):
        self.attention = nnx.MultiHeadAttention(num_heads=2, in_features=8, decode=False, rngs=rngs)
        self.norm, self.mlp = nnx.LayerNorm(8, rngs=rngs), Mlp(32, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.mlp(x)


class Recurrent(nnx.Module):
    def __init__(self, *, rngs):
        self.cell = nnx.GRUCell(8, 8, rngs=rngs)

    def __call__(self, xs):
        carry = jnp.zeros(xs[:, 0].shape)
        for step in range(xs.shape[1]):
            carry, y = self.cell(carry, xs[:, step])
        return y


KINDS = [lambda rngs: Mlp(16, rngs=rngs), lambda rngs: Normed(rngs=rngs), lambda rngs: Block(rngs=rngs)]
KINDS += [lambda rngs: Recurrent(rngs=rngs)]
X = jnp.ones((4, 6, 8))


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_calls(make, seed):
    module = make(nnx.Rngs(seed))
    for _ in range(5):
        assert jnp.isfinite(module(X)).all()


@pytest.mark.parametrize("make", KINDS)
def test_compiled(make):
    module, call = make(nnx.Rngs(0)), nnx.jit(lambda module, x: module(x))
    for _ in range(20):
        assert jnp.isfinite(call(module, X)).all()


@pytest.mark.parametrize("make", KINDS)
def test_trains(make):
    module = make(nnx.Rngs(0))
    optimizer = nnx.Optimizer(module, optax.adam(1e-2), wrt=nnx.Param)

    @nnx.jit
    def step(module, optimizer):
        loss, gradient = nnx.value_and_grad(lambda module: jnp.mean(module(X) ** 2))(module)
        optimizer.update(module, gradient)
        return loss

    assert [step(module, optimizer) for _ in range(20)]
"""


def processor_seconds(arguments: list[str], folder: Path) -> float:
    """What one run of pytest takes, with all its processes.

    Raises:
        SystemExit: if the tests do not pass.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure by turns, and print the ratio of each pair."""
    with tempfile.TemporaryDirectory() as name:
        parser = argparse.ArgumentParser()
        parser.add_argument("--pairs", type=int, default=5)
        options, own = parser.parse_known_args()
        folder = Path(name)
        (folder / "test_modules.py").write_text(TESTS)
        where, tests = (Path.cwd(), own) if own else (folder, ["test_modules.py"])
        # The plugin only writes what it recorded, and judges nothing.
        recording = [*tests, "--nnx-laws", "--nnx-recorded", str(folder / "recorded")]
        processor_seconds(tests, where)  # reads the files once
        ratios = []
        for _ in range(options.pairs):
            plain, recorded = processor_seconds(tests, where), processor_seconds(recording, where)
            ratios.append(recorded / plain)
            print(f"tests {plain:.1f} s; recorded {recorded:.1f} s: {recorded / plain - 1:+.0%}", flush=True)
    added = statistics.median(ratios) - 1
    print(f"recording adds {added:.0%} in the median of {options.pairs} pairs; at most {LIMIT:.0%} may be added")
    return 0 if added < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
