"""How many candidates a minute `grade` judges, against the usual practice and against the bare floor.

Sides, measured in turn on one machine, with the same number of processes at a time and the same mix of candidates, half
of them right and half of them wrong, chosen by chance from `nnx_reference`:

- `grade`: every check on every case, causes and smallest cases, each candidate isolated as the host allows;
- `pytest`: the usual practice, one pytest process for each candidate with a hand-written Hypothesis test of the same
  number of examples. Two such tests are measured. The lean one draws short vectors and few calls, and asserts the
  result's shape, count and sum. The careful one draws what the contract promises, any length up to 1,024 and up to 64
  calls, and also asserts the dtype, that `x` is left alone, and that the same call gives the same again. Neither looks
  at the module, which is what most checks of the kit are about;
- `floor`: a process forked from one that has imported JAX and Flax, which calls the candidate as often as `grade` does
  (each core case, those that run again, and the edge cases) and judges nothing, with a filled compilation cache.
  Beside it one that calls it once on each core case, and on nothing else.

Besides candidates a minute, it prints the processor time of each: on a machine that others use, too, it tells more.
pytest is slow, so it measures fewer candidates. Run: python benchmarks/grade_throughput.py
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import random
import resource
import sqlite3
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
LEAN = """
finite = st.floats(-100, 100, width=32, allow_subnormal=False)
vectors = hnp.arrays(np.float32, st.integers(1, 64), elements=finite)


@settings(max_examples={cases}, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**31 - 1), vectors, st.integers(1, 8))
def test_solution(seed, x, n_calls):
    result = solution.mutability_increment_count(seed, jnp.asarray(x), n_calls)
    assert result.shape == (2,)
    assert float(result[0]) == n_calls
    np.testing.assert_allclose(float(result[1]), x.astype(np.float64).sum(), rtol=1e-4, atol=1e-3)
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
    parser.add_argument("--candidates", type=int, default=40, help="for `grade` and the floor (default: 40)")
    parser.add_argument("--pytest", type=int, default=8, help="for each test of the pytest side (default: 8)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--floor", nargs=3, metavar=("FOLDER", "CASES", "JOBS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(Path(options.floor[0]), Path(options.floor[1]), int(options.floor[2]))
        return
    if min(options.candidates, options.pytest, options.jobs) < 1:
        parser.error("Expected whole numbers >= 1. Leave the options out for 40, 8 and 2.")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Time the sides in turn."""
    jobs = options.jobs
    sources = candidates(options.candidates)
    many, few = folder / "many", folder / "few"
    write(sources, many)
    write(sources[: options.pytest], few)
    once, same = folder / "once.pickle", folder / "same.pickle"
    dump(once, same)
    packages = ", ".join(f"{name} {version(name)}" for name in ("flax", "jax", "hypothesis"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    print(f"{len(sources)} candidates, {jobs} at a time, {CASES} cases each; pytest measures {options.pytest}")
    own = rate("grade, its start included", len(sources), lambda: grade(many, folder, jobs))
    going = once_started(folder / "results.sqlite3")
    print(f"  {'grade, once it has started':40} {going:7.1f} a minute")
    run_floor(few, same, folder, jobs)  # fills the cache
    floors = rate("floor, the same calls", len(sources), lambda: run_floor(many, same, folder, jobs))
    cores = rate("floor, each core case once", len(sources), lambda: run_floor(many, once, folder, jobs))
    measured = min(options.pytest, len(sources))
    careful = rate("pytest, a careful test", measured, lambda: pytest(few, CAREFUL, folder, jobs))
    lean = rate("pytest, a lean test", measured, lambda: pytest(few, LEAN, folder, jobs))
    print("grade, by processor time (and by the clock, once started):")
    for name, other in (("careful", careful), ("lean", lean)):
        print(f"  {other[1] / own[1]:.1f} ({going / other[0]:.1f}) times as many as pytest with the {name} test")
    print(f"  {floors[1] / own[1]:.2f} ({going / floors[0]:.2f}) of the floor with the same calls")
    print(f"  {cores[1] / own[1]:.2f} ({going / cores[0]:.2f}) of the floor with each core case once")


def candidates(count: int) -> list[str]:
    """Sources that differ, right and wrong in turns."""
    from nnx_reference import exercises

    here = version("flax")
    known = exercises.rights(), exercises.mutants()
    kinds = [[one.path.read_text() for one in kind if one.applies_to(here)] for kind in known]
    for kind in kinds:
        random.Random(0).shuffle(kind)
    return [f"{kinds[number % 2][number // 2 % len(kinds[number % 2])]}\n# {number}\n" for number in range(count)]


def write(sources: list[str], folder: Path) -> None:
    """One file each."""
    folder.mkdir()
    for number, source in enumerate(sources):
        (folder / f"candidate_{number:05}.py").write_text(source)


def rate(name: str, count: int, act: Callable[[], None]) -> tuple[float, float]:
    """Candidates a minute, and the seconds of processor time that each took."""
    started, used = time.perf_counter(), processor()
    act()
    seconds, each = time.perf_counter() - started, (processor() - used) / count
    print(f"  {name:40} {60 * count / seconds:7.1f} a minute  {each:6.2f} s of processor time each", flush=True)
    return 60 * count / seconds, each


def processor() -> float:
    """The processor time of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def once_started(results: Path) -> float:
    """Candidates a minute between the first result and the last: what a long grading comes to."""
    with sqlite3.connect(results) as database:
        first, last, count = database.execute("SELECT min(at), max(at), count(*) FROM outcomes").fetchone()
    return 60 * (count - 1) / (last - first) if count > 1 else float("nan")


def grade(folder: Path, work: Path, jobs: int) -> None:
    """The kit."""
    command = str(Path(sys.executable).with_name("nnx-conformance"))
    results = ["--results", str(work / "results.sqlite3"), "--jobs", str(jobs), "--format", "csv"]
    subprocess.run([command, "grade", str(folder), *results], stdout=subprocess.DEVNULL, check=False)


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


def dump(once: Path, same: Path) -> None:
    """The core cases, and all calls that `grade` makes without interventions, as the kit draws and repeats them."""
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
    once.write_bytes(pickle.dumps(core))
    same.write_bytes(pickle.dumps([*core, *repeated, *edges]))


if __name__ == "__main__":
    main()
