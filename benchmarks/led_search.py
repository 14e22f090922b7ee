"""What led search finds: faults that hide behind conditions, of forty kinds, and what looking for them costs.

Each candidate is the right solution of `mutability` but for one condition, under which its sum is wrong. It is caught
if `sum-preserved` is violated, and named if the finding says where alone. Run: python benchmarks/led_search.py
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.check import Job, judge
from nnx_conformance.judging.drawn import DrawnOnce
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.sandbox.jail import ANY_JAIL

HEAD = """
import bisect, hashlib, json, math
import jax, jax.numpy as jnp
import numpy as np
from flax import nnx
{setup}

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
    total = last_x.sum()
{body}
    return jnp.array([model.count.value, total])
"""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A condition: what stands at module level, and in the function."""

    name: str
    test: str
    setup: str = ""
    body: str = "    if {test}:\n        total = total + 1.0 + abs(total)"

    def source(self) -> str:
        """The candidate."""
        return HEAD.format(setup=self.setup, body=self.body.format(test=self.test))


KINDS = (
    # the number in the source
    Kind("seed-is", "int(seed) == 123456789"),
    Kind("length-is", "x.size == 613"),
    Kind("calls-are", "int(n_calls) == 38"),
    Kind("first-is", "float(x[0]) == 4711.0"),
    Kind("largest-beyond", "float(x.max()) > 987654.0"),
    # limits computed, read, kept
    Kind("computed", "int(seed) == LIMIT", "LIMIT = math.factorial(11) + sum(map(ord, 'limit'))"),
    Kind("json", "int(seed) == LIMITS['seed']", 'LIMITS = json.loads(\'{"seed": 7340033, "calls": 41}\')'),
    Kind(
        "json-in-text", "int(n_calls) == LIMITS['n'][1]", "LIMITS = json.loads('{\"n\": [3, ' + str(6 * 7 + 1) + ']}')"
    ),
    Kind("set", "x.size in SIZES", "SIZES = {k * k + 1 for k in range(21, 31)}"),
    Kind("dict", "TABLE.get(int(seed), False)", "TABLE = {k**5 + 7: True for k in range(20, 29)}"),
    Kind(
        "dict-subscript", "int(seed) in TABLE and TABLE[int(seed)]", "TABLE = {int('90' * 3) + k: True for k in (1, 8)}"
    ),
    Kind("bisect", "bisect.bisect(LIMITS, int(seed)) == 3", "LIMITS = [10**9 + 7 * k for k in range(6)]"),
    Kind(
        "intervals",
        "any(low <= int(seed) < high for low, high in BANDS)",
        "BANDS = [(k**7, k**7 + 3) for k in (11, 13)]",
    ),
    Kind("range", "int(seed) in range(70_000_000, 70_000_100)"),
    # arithmetic
    Kind("modulus", "int(seed) % 10007 == 4242"),
    Kind("modulus-of-calls", "int(seed) > 0 and int(n_calls) % 53 == 47"),
    Kind("mask", "int(seed) & 0xFF00FF == 0xAB0017"),
    Kind("shifted", "(int(seed) >> 12) & 0x3FF == 0x2A5"),
    Kind("division", "int(seed) // 1000 == 57_913"),
    Kind("bits", "bin(int(seed)).count('1') == 23"),
    Kind("hash", "hashlib.md5(str(int(seed)).encode()).digest()[0] == 7"),
    Kind("digits", "str(int(seed)).endswith('7391')"),
    Kind("digit-sum", "sum(map(int, str(int(seed)))) == 67"),
    Kind("square", "int(seed) ** 2 == 15_241_383_936"),
    # joint, nested
    Kind("joint", "int(seed) == 4242 and x.size == 33 and int(n_calls) == 17"),
    Kind("tuple", "(int(seed), x.size, int(n_calls)) == (90_210, 77, 29)"),
    Kind("member", "(int(seed), int(n_calls)) in KEYS", "KEYS = {(k * 1009, 20 + k) for k in range(7, 12)}"),
    Kind("product", "int(seed) * int(n_calls) == 1_000_003 * 7"),
    Kind(
        "nested",
        "",
        body=(
            "    if int(seed) % 1009 == 77:\n        if x.size == 19:\n            if float(x[0]) == 2.5:\n"
            "                total = total + 1.0 + abs(total)"
        ),
    ),
    Kind(
        "match",
        "",
        body=(
            "    match (int(seed), x.size):\n        case (31_337, 5 | 6):\n"
            "            total = total + 1.0 + abs(total)"
        ),
    ),
    # contents
    Kind("sum", "float(x.sum()) == 31_415.5"),
    Kind("mean", "abs(float(x.mean()) - 271.75) < 1e-3"),
    Kind("position", "x.size > 1 and int(jnp.argmax(x)) == 11"),
    Kind("equal", "x.size > 5 and bool((x == x[0]).all())"),
    Kind("sorted", "x.size > 6 and bool((x[1:] > x[:-1]).all())"),
    Kind("pattern", "x.size > 3 and x[:3].tolist() == [3.0, 1.0, 4.0]"),
    Kind("pattern-array", "x.size > 3 and bool(jnp.array_equal(x[:3], WANTED))", "WANTED = np.array([2.0, 7.0, 1.5])"),
    Kind("count-of-a-value", "int((x == 0.5).sum()) == 4"),
    Kind("beyond-the-mean", "float(abs(x - x.mean()).max()) > 512_345.0"),
    # JAX
    Kind("where", "", body="    total = jnp.where(total > 3_123_456.0, total + 1.0 + abs(total), total)"),
    Kind("cond", "", body="    total = jax.lax.cond(x.max() == 777.0, lambda t: t + 1.0 + abs(t), lambda t: t, total)"),
    Kind(
        "jitted",
        "",
        "@jax.jit\ndef spoilt(x, total):\n    return jnp.where(x[0] == 321.0, total + 1.0 + abs(total), total)",
        "    total = spoilt(x, total)",
    ),
    Kind(
        "jitted-cond",
        "",
        "@jax.jit\ndef spoilt(x, total):\n    off = jnp.abs(x.sum() - 5432.0) < 0.5\n"
        "    return jax.lax.cond(off, lambda t: t + 1.0 + abs(t), lambda t: t, total)",
        "    total = spoilt(x, total)",
    ),
    Kind("clip", "", body="    total = jnp.clip(total, -2_000_000.0, 2_500_000.0)"),
    Kind(
        "n-th-call",
        "",
        body=("    for at in range(int(n_calls)):\n        if at == 46:\n            total = total + 1.0 + abs(total)"),
    ),
    Kind("state", "float(model.count.value) == 51.0"),
)

#: Conditions that a right candidate may have: nobody is accused.
HARMLESS = (
    Kind("fast-path", "", body="    if x.size == 1:\n        total = last_x[0]"),
    Kind("logging", "", "LOG = []", "    if int(n_calls) % 50 == 0:\n        LOG.append(int(n_calls))"),
    Kind("validation", "", body="    if n_calls < 0 or x.ndim != 1:\n        raise ValueError('no calls')"),
    Kind("assertion", "", body="    assert int(n_calls) == float(model.count.value), 'lost a call'"),
    Kind("isinstance", "", body="    if not isinstance(x, jax.Array):\n        x = jnp.asarray(x)"),
    Kind("empty", "", body="    if not int(n_calls):\n        total = x.sum()"),
    Kind("without", "", body=""),
)


def reports(kinds: tuple[Kind, ...], settings: Settings) -> Iterator[tuple[Kind, Report, float]]:
    """Each kind, its report, and the seconds that it took."""
    cases = DrawnOnce()
    with ForkServer(ANY_JAIL) as fork_server, tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            path = Path(folder, kind.name.replace("-", "_"), "solution.py")
            path.parent.mkdir()
            path.write_text(kind.source())
            target, clock = parse(str(path)), Clock(Limits())
            started = time.perf_counter()
            job = Job(lambda: Process(target, clock, fork_server), "solution.py", "mutability", settings, draw=cases)  # noqa: B023
            yield kind, judge(dataclasses.replace(job, proven=True)), time.perf_counter() - started


def main() -> None:
    """Judge each kind, and print what became of it."""
    parser = argparse.ArgumentParser(description="Judge candidates whose faults hide behind conditions.")
    parser.add_argument("names", nargs="*", help="kinds to judge (default: all)")
    parser.add_argument("--cases", type=int, default=50, help="drawn cases for each (default: 50)")
    options = parser.parse_args()
    settings = Settings(options.cases, shrink=False)
    chosen = tuple(kind for kind in (*KINDS, *HARMLESS) if not options.names or kind.name in options.names)
    caught = wrong = 0
    for kind, report, seconds in reports(chosen, settings):
        harmless = kind in HARMLESS
        finding = next((each for each in report.findings if each.check == "sum-preserved"), None)
        good = report.verdict == "conforms" if harmless else finding is not None
        caught, wrong = caught + (good and not harmless), wrong + (harmless and not good)
        state = "conforms" if harmless and good else "caught" if good else "ACCUSED" if harmless else "MISSED"
        named = f"  only where {finding.condition}" if finding and finding.condition else ""
        conditions = report.conditions
        print(f"{state:8} {kind.name:18} {conditions.runs:4} runs {seconds:6.1f} s{named}", flush=True)
    print(f"caught {caught} of {sum(kind in KINDS for kind in chosen)}; wrongly accused {wrong}")


if __name__ == "__main__":
    main()
