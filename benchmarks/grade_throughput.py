"""What `grade` costs for each candidate, against the usual practice and against the bare floor, by processor time.

Sides, measured in turn on one machine, with the same number of processes at a time, on the same right candidates and
then on the same wrong ones, chosen by chance from `nnx_reference`; the cost of a mix follows from the two:

- `grade`: in two tiers, each candidate isolated as the host allows;
- `grade --complete`: every check on every case, of wrong candidates too;
- `pytest`: the usual practice, one pytest process for each candidate with a careful hand-written Hypothesis test of the
  same number of examples. It draws what the contract promises, any length up to 1,024 and up to 64 calls, and asserts
  shape, dtype, count and sum, that `x` is left alone, and that the same call gives the same again. It does not look at
  the module, which is what most checks of the kit are about;
- `floor`: a process forked from one that has imported JAX and Flax, which calls the candidate as often as a complete
  `grade` does (each core case, those that run again, and the edge cases) and judges nothing, with a filled compilation
  cache.

What starting costs once, and grading a thousand does not notice, is measured by a candidate that does nothing, and
taken off. Processor time tells more than the clock on a machine that others use, too.
Run: python benchmarks/grade_throughput.py
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

CASES = 200

HEAD = """
import importlib.util
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

spec = importlib.util.spec_from_file_location("solution", {path!r})
solution = importlib.util.module_from_spec(spec)
spec.loader.exec_module(solution)
"""
CAREFUL = """
finite = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
vectors = hnp.arrays(np.float32, st.integers(1, 1024), elements=finite)


@settings(max_examples={cases}, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), vectors, st.integers(1, 64))
def test_solution(seed, x, n_calls):
    given = jnp.asarray(x)
    result = solution.mutability_increment_count(float(seed), given, float(n_calls))
    assert result.shape == (2,)
    assert jnp.issubdtype(result.dtype, jnp.floating)
    assert float(result[0]) == n_calls
    values = x.astype(np.float64)
    np.testing.assert_allclose(float(result[1]), values.sum(), rtol=1e-5, atol=1e-6 * np.abs(values).sum())
    np.testing.assert_array_equal(np.asarray(given), x)
    again = solution.mutability_increment_count(float(seed), given, float(n_calls))
    np.testing.assert_array_equal(np.asarray(again), np.asarray(result))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare `grade` with pytest and with the bare floor.")
    parser.add_argument("--candidates", type=int, default=20, help="of each kind, right and wrong (default: 20)")
    parser.add_argument("--pytest", type=int, default=4, help="of each kind, for the pytest side (default: 4)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--floor", nargs=3, metavar=("FOLDER", "CASES", "JOBS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(Path(options.floor[0]), Path(options.floor[1]), int(options.floor[2]))
        return
    if min(options.candidates, options.pytest, options.jobs) < 1:
        parser.error("Expected whole numbers >= 1. Leave the options out for 20, 4 and 2.")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Time the sides in turn, and print what they cost and what mixes come to."""
    jobs = options.jobs
    packages = ", ".join(f"{name} {version(name)}" for name in ("flax", "jax", "hypothesis"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    print(f"{options.candidates} candidates of each kind, {jobs} at a time, {CASES} cases; pytest: {options.pytest}")
    cases, nothing = folder / "cases.pickle", folder / "nothing"
    dump(cases)
    write([""], nothing)
    started = spent("starting `grade`", 1, lambda: grade(nothing, folder, jobs))
    costs: dict[str, dict[str, float]] = {}
    for kind, sources in candidates(options.candidates).items():
        many, few = folder / f"{kind}-many", folder / f"{kind}-few"
        write(sources, many)
        write(sources[: options.pytest], few)
        count, fewer = len(sources), min(options.pytest, len(sources))
        once = started / count
        run_floor(few, cases, folder, jobs)  # fills the cache
        costs[kind] = {
            "grade": spent(f"{kind}: grade", count, lambda: grade(many, folder, jobs)) - once,  # noqa: B023
            "complete": spent(f"{kind}: grade --complete", count, lambda: grade(many, folder, jobs, "--complete"))  # noqa: B023
            - once,
            "floor": spent(f"{kind}: floor", count, lambda: run_floor(many, cases, folder, jobs)),  # noqa: B023
            "pytest": spent(f"{kind}: pytest", fewer, lambda: pytest(few, CAREFUL, folder, jobs)),  # noqa: B023
        }
    right, wrong = costs["right"], costs["wrong"]
    print("by processor time, starting `grade` taken off:")
    print("  wrong   grade  --complete  pytest  times pytest  times --complete")
    for share in (0.2, 0.5, 0.8):
        mix = {side: share * wrong[side] + (1 - share) * right[side] for side in right}
        times = f"{mix['pytest'] / mix['grade']:12.1f} {mix['complete'] / mix['grade']:17.1f}"
        print(f"  {share:5.0%} {mix['grade']:7.2f} {mix['complete']:11.2f} {mix['pytest']:7.2f} {times}")
    print(f"  right candidates: {right['floor'] / right['grade']:.2f} of the floor")


def candidates(count: int) -> dict[str, list[str]]:
    """Sources that differ, right ones and wrong ones."""
    from nnx_reference import exercises

    here = version("flax")
    chosen: dict[str, list[str]] = {}
    for kind, known in (("right", exercises.rights()), ("wrong", exercises.mutants())):
        sources = [one.path.read_text() for one in known if one.applies_to(here)]
        random.Random(0).shuffle(sources)
        chosen[kind] = [f"{sources[number % len(sources)]}\n# {number}\n" for number in range(count)]
    return chosen


def write(sources: list[str], folder: Path) -> None:
    """One file each."""
    folder.mkdir()
    for number, source in enumerate(sources):
        (folder / f"candidate_{number:05}.py").write_text(source)


def spent(name: str, count: int, act: Callable[[], None]) -> float:
    """The seconds of processor time for each of so many candidates."""
    started, used = time.perf_counter(), processor()
    act()
    seconds, each = time.perf_counter() - started, (processor() - used) / count
    print(f"  {name:28} {each:6.2f} s of processor time each, {60 * count / seconds:6.1f} a minute", flush=True)
    return each


def processor() -> float:
    """The processor time of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def grade(folder: Path, work: Path, jobs: int, *more: str) -> None:
    """The kit."""
    command = str(Path(sys.executable).with_name("nnx-conformance"))
    options = ["--results", str(work / "results.sqlite3"), "--jobs", str(jobs), "--format", "csv", *more]
    subprocess.run([command, "grade", str(folder), *options], stdout=subprocess.DEVNULL, check=False)


def pytest(folder: Path, test: str, work: Path, jobs: int) -> None:
    """One pytest process for each candidate, each in a folder of its own."""

    def one(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=work) as own:
            (Path(own) / "test_solution.py").write_text((HEAD + test).format(path=str(path), cases=CASES))
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            subprocess.run(command, cwd=own, env=cpu(), capture_output=True, check=False)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, sorted(folder.iterdir())))


def run_floor(folder: Path, cases: Path, work: Path, jobs: int) -> None:
    """The floor, in a process of its own."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(work / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, __file__, "--floor", str(folder), str(cases), str(jobs)]
    silent = subprocess.DEVNULL  # some candidates print each call
    subprocess.run(command, env={**cpu(), **cache}, check=True, stdout=silent, stderr=silent)


def cpu() -> dict[str, str]:
    """This environment, on the CPU."""
    return {**os.environ, "JAX_PLATFORMS": "cpu"}


def floor(folder: Path, cases: Path, jobs: int) -> None:
    """Fork a process for each candidate, so many at a time; what it calls is not judged."""
    import flax.nnx
    import jax.numpy

    from nnx_conformance.observe.run import given_as

    assert flax.nnx and jax.numpy and given_as.__name__  # all imported before the first fork
    drawn = pickle.loads(cases.read_bytes())
    running = 0
    for path in sorted(folder.iterdir()):
        if running == jobs:
            os.wait()
            running -= 1
        if os.fork() == 0:
            try:
                call_all(path, drawn)
            finally:
                os._exit(0)
        running += 1
    for _ in range(running):
        os.wait()


def call_all(path: Path, drawn: list[Any]) -> None:
    """One call for each case."""
    import runpy

    import numpy as np

    from nnx_conformance.observe.run import given_as

    function = runpy.run_path(str(path))["mutability_increment_count"]
    for case in drawn:
        try:
            np.asarray(function(*map(given_as, case.arguments)))
        except Exception:  # noqa: BLE001 - a wrong candidate
            continue


def dump(file: Path) -> None:
    """All calls that a complete `grade` makes without interventions, as the kit draws and repeats them."""
    from nnx_conformance.contracts.counter.mutability import CONTRACT
    from nnx_conformance.core.observer import Sight
    from nnx_conformance.core.plan import AGAIN
    from nnx_conformance.core.report import Settings
    from nnx_conformance.judging.drawn import drawn

    found: dict[str, list[Any]] = {domain.name: [] for domain in CONTRACT.domains}
    for domain in CONTRACT.domains:
        drawn(domain, Settings(CASES), found[domain.name].append)
    core = found.pop("core")
    repeated = [case for at, case in enumerate(core) if AGAIN in CONTRACT.observer.plan(at, True, Sight()).probes]
    edges = [case for cases in found.values() for case in cases]
    file.write_bytes(pickle.dumps([*core, *repeated, *edges]))


if __name__ == "__main__":
    main()
