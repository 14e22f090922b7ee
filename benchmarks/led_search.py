"""What led search finds: faults that hide behind conditions, of 48 kinds, and what looking for them costs.

Each candidate is the right solution of `mutability` but for one condition, under which its sum is wrong. It is caught
if `sum-preserved` is violated, and named if the finding says where alone. Each is judged twice, with its conditions
watched and not. Candidates without conditions are judged so in turn, several times. Seconds are processor time, of the
judge and of the candidate's processes together. Run: python benchmarks/led_search.py
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import tempfile
from pathlib import Path

from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.report import Finding, Report, Settings
from nnx_conformance.judging.check import Job, judge
from nnx_conformance.judging.drawn import DrawnOnce
from nnx_conformance.judging.judge import Judging
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.sandbox import processor
from nnx_conformance.sandbox.jail import ANY_JAIL

HEAD = """
import bisect, hashlib, json, math, zlib
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


#: Faults by the kind of their condition.
GROUPS = {
    "a number in the source": (
        Kind("seed-is", "int(seed) == 123456789"),
        Kind("length-is", "x.size == 613"),
        Kind("calls-are", "int(n_calls) == 38"),
        Kind("first-is", "float(x[0]) == 4711.0"),
        Kind("largest-beyond", "float(x.max()) > 987654.0"),
    ),
    "limits computed, read from text, kept in tables": (
        Kind("computed", "int(seed) == LIMIT", "LIMIT = math.factorial(11) + sum(map(ord, 'limit'))"),
        Kind("json", "int(seed) == LIMITS['seed']", 'LIMITS = json.loads(\'{"seed": 7340033, "calls": 41}\')'),
        Kind(
            "json-in-text",
            "int(n_calls) == LIMITS['n'][1]",
            "LIMITS = json.loads('{\"n\": [3, ' + str(6 * 7 + 1) + ']}')",
        ),
        Kind("set", "x.size in SIZES", "SIZES = {k * k + 1 for k in range(21, 31)}"),
        Kind("dict", "TABLE.get(int(seed), False)", "TABLE = {k**5 + 7: True for k in range(20, 29)}"),
        Kind(
            "dict-subscript",
            "int(seed) in TABLE and TABLE[int(seed)]",
            "TABLE = {int('90' * 3) + k: True for k in (1, 8)}",
        ),
        Kind("bisect", "bisect.bisect(LIMITS, int(seed)) == 3", "LIMITS = [10**9 + 7 * k for k in range(6)]"),
        Kind(
            "intervals",
            "any(low <= int(seed) < high for low, high in BANDS)",
            "BANDS = [(k**7, k**7 + 3) for k in (11, 13)]",
        ),
        Kind("range", "int(seed) in range(70_000_000, 70_000_100)"),
    ),
    "modulus, masks, hashes, digits": (
        Kind("modulus", "int(seed) % 10007 == 4242"),
        Kind("modulus-of-calls", "int(seed) > 0 and int(n_calls) % 53 == 47"),
        Kind("mask", "int(seed) & 0xFF00FF == 0xAB0017"),
        Kind("shifted", "(int(seed) >> 12) & 0x3FF == 0x2A5"),
        Kind("division", "int(seed) // 1000 == 57_913"),
        Kind("bits", "bin(int(seed)).count('1') == 23"),
        Kind("hash", "hashlib.md5(str(int(seed)).encode()).digest()[0] == 7"),
        Kind("checksum", "zlib.crc32(b'%d' % int(seed)) % 499 == 13"),
        Kind("palindrome", "len(str(int(seed))) == 7 and str(int(seed)) == str(int(seed))[::-1]"),
        Kind("digits", "str(int(seed)).endswith('7391')"),
        Kind("digit-sum", "sum(map(int, str(int(seed)))) == 67"),
        Kind("square", "int(seed) ** 2 == 15_241_383_936"),
    ),
    "several at once, nested, in `match`": (
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
    ),
    "sums, positions, patterns of the array": (
        Kind("sum", "float(x.sum()) == 31_415.5"),
        Kind("mean", "abs(float(x.mean()) - 271.75) < 1e-3"),
        Kind("position", "x.size > 1 and int(jnp.argmax(x)) == 11"),
        Kind("equal", "x.size > 5 and bool((x == x[0]).all())"),
        Kind("sorted", "x.size > 6 and bool((x[1:] > x[:-1]).all())"),
        Kind("pattern", "x.size > 3 and x[:3].tolist() == [3.0, 1.0, 4.0]"),
        Kind(
            "pattern-array", "x.size > 3 and bool(jnp.array_equal(x[:3], WANTED))", "WANTED = np.array([2.0, 7.0, 1.5])"
        ),
        Kind("count-of-a-value", "int((x == 0.5).sum()) == 4"),
        Kind("beyond-the-mean", "float(abs(x - x.mean()).max()) > 512_345.0"),
    ),
    "in `jnp.where`, `lax.cond`, a jitted helper; the n-th call": (
        Kind("where", "", body="    total = jnp.where(total > 3_123_456.0, total + 1.0 + abs(total), total)"),
        Kind(
            "cond",
            "",
            body="    total = jax.lax.cond(x.max() == 777.0, lambda t: t + 1.0 + abs(t), lambda t: t, total)",
        ),
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
            body=(
                "    for at in range(int(n_calls)):\n        if at == 46:\n            total = total + 1.0 + abs(total)"
            ),
        ),
        Kind("state", "float(model.count.value) == 51.0"),
    ),
}

#: Conditions that a right candidate may have: nobody is accused.
HARMLESS = (
    Kind("fast-path", "", body="    if x.size == 1:\n        total = last_x[0]"),
    Kind("logging", "", "LOG = []", "    if int(n_calls) % 50 == 0:\n        LOG.append(int(n_calls))"),
    Kind("validation", "", body="    if n_calls < 0 or x.ndim != 1:\n        raise ValueError('no calls')"),
    Kind("assertion", "", body="    assert int(n_calls) == float(model.count.value), 'lost a call'"),
    Kind("isinstance", "", body="    if not isinstance(x, jax.Array):\n        x = jnp.asarray(x)"),
    Kind("empty", "", body="    if not int(n_calls):\n        total = x.sum()"),
)
#: Candidates without conditions: what watching costs them is to find that there are none.
WITHOUT = (
    Kind("plain", "", body=""),
    Kind("helper", "", "def added(x):\n    return x.sum()", "    total = added(last_x)"),
    Kind("jitted", "", "@jax.jit\ndef added(x):\n    return jnp.sum(x)", "    total = added(last_x)"),
)


class Bench:
    """Judges candidates, with what is kept from one to the next."""

    def __init__(self, settings: Settings, folder: Path, fork_server: ForkServer) -> None:
        self._settings = settings
        self._folder = folder
        self._fork_server = fork_server
        self._draw = DrawnOnce()

    def judged(self, kind: Kind, *, watched: bool) -> tuple[Report, float]:
        """The report of a candidate, and the seconds that it took."""
        path = self._folder / kind.name.replace("-", "_") / "solution.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(kind.source())
        target, clock = parse(str(path)), Clock(Limits())
        search = None if watched else unwatched
        opener = lambda: Process(target, clock, self._fork_server)  # noqa: E731
        before = processor.seconds(os.getpid())
        report = judge(
            Job(opener, "solution.py", "mutability", self._settings, draw=self._draw, search=search, proven=True)
        )
        return report, processor.seconds(os.getpid()) - before


def unwatched(judging: Judging) -> None:
    """Judge the drawn cases, and look for no others."""
    judging.leads = False
    judging.run()


def caught(report: Report) -> Finding | None:
    """The finding of a fault behind a condition."""
    return next((each for each in report.findings if each.check == "sum-preserved"), None)


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one fault: whether it was caught, after how many runs, and the seconds, with and without."""

    caught: bool
    by_drawing: bool
    runs: int
    seconds: float
    fewer: float


def fault(bench: Bench, kind: Kind) -> Row:
    """Judge a fault both ways, and print what became of it."""
    report, seconds = bench.judged(kind, watched=True)
    bare, fewer = bench.judged(kind, watched=False)
    finding = caught(report)
    row = Row(finding is not None, caught(bare) is not None, report.conditions.runs, seconds, fewer)
    words = ("caught" if row.caught else "MISSED"), ("caught" if row.by_drawing else "missed")
    where = finding.condition if finding else ""
    print(
        f"{kind.name:18} {words[0]:>8} {row.runs:5} {seconds:6.1f}   {words[1]:>11} {fewer:6.1f}  {where}", flush=True
    )
    return row


def table(rows: dict[str, list[Row]]) -> None:
    """Print a row for each kind of condition: how many faults were caught, and the medians of runs and seconds."""
    print("\n| condition | caught | by drawing alone | runs | seconds | not watched |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, group in rows.items():
        counts = f"{sum(row.caught for row in group)} of {len(group)} | {sum(row.by_drawing for row in group)}"
        runs = f"{statistics.median(row.runs for row in group):.0f}, at most {max(row.runs for row in group)}"
        seconds = " | ".join(
            f"{statistics.median(getattr(row, key) for row in group):.1f}" for key in ("seconds", "fewer")
        )
        print(f"| {name} | {counts} | {runs} | {seconds} |")
    print()


def harmless(bench: Bench, kinds: tuple[Kind, ...]) -> None:
    """Print a row for each right candidate with a condition."""
    for kind in kinds:
        report, seconds = bench.judged(kind, watched=True)
        bare, fewer = bench.judged(kind, watched=False)
        assert bare.verdict == "conforms"
        print(
            f"{kind.name:18} {report.verdict:>8} {report.conditions.runs:5} {seconds:6.1f}   {'':11} {fewer:6.1f}",
            flush=True,
        )


def costs(bench: Bench, kinds: tuple[Kind, ...], pairs: int) -> None:
    """Print what watching costs candidates that have no conditions, of so many pairs each."""
    for kind in kinds:
        both = [[bench.judged(kind, watched=watched)[1] for watched in (True, False)] for _ in range(pairs)]
        watched, bare = (statistics.median(column) for column in zip(*both, strict=True))
        percent = statistics.median(100 * (one / other - 1) for one, other in both)
        print(
            f"without: {kind.name:10} {watched:6.2f} s watched, {bare:6.2f} s not watched, {percent:+.1f} %", flush=True
        )


def main() -> None:
    """Judge each kind, and print what became of it."""
    parser = argparse.ArgumentParser(description="Judge candidates whose faults hide behind conditions.")
    parser.add_argument("names", nargs="*", help="kinds to judge (default: all)")
    parser.add_argument("--cases", type=int, default=50, help="drawn cases for each (default: 50)")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs without conditions (default: 5)")
    options = parser.parse_args()

    def chosen(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        return tuple(kind for kind in kinds if not options.names or kind.name in options.names)

    with ForkServer(ANY_JAIL) as fork_server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(Settings(options.cases, shrink=False), Path(folder), fork_server)
        bench.judged(WITHOUT[0], watched=True)  # imports and compiles what the others need
        print(f"{'fault behind':18} {'watched':>8} {'runs':>5} {'s':>6}   {'not watched':>11} {'s':>6}  only where")
        rows = {name: [fault(bench, kind) for kind in chosen(group)] for name, group in GROUPS.items()}
        table({name: group for name, group in rows.items() if group})
        harmless(bench, chosen(HARMLESS))
        costs(bench, chosen(WITHOUT), options.pairs)


if __name__ == "__main__":
    main()
