"""How many candidates a minute `grade` judges, against the usual practice and against the bare floor.

Three sides, measured in turn on the same candidates, with the same number of processes at a time:

- `grade`: every check on every case, causes and smallest cases, each candidate isolated as the host allows;
- `pytest`: the usual practice, one pytest process for each candidate with a hand-written Hypothesis test of the same
  number of examples (the result's count and sum, the wrapper kept is not even looked at);
- `floor`: a process forked from one that has imported JAX and Flax, which calls the candidate once on each of the same
  core cases and judges nothing; measured with and without the compilation cache that `grade` uses.

Candidates are the right implementations and mutants of `nnx_reference`, in turns, made different by a comment. The
pytest side is slow, so it measures fewer. Run: python benchmarks/grade_throughput.py
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

CASES = 200

PYTEST = """
import importlib.util
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

spec = importlib.util.spec_from_file_location("solution", {path!r})
solution = importlib.util.module_from_spec(spec)
spec.loader.exec_module(solution)

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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare `grade` with pytest and with the bare floor.")
    parser.add_argument("--candidates", type=int, default=40, help="for `grade` and the floor (default: 40)")
    parser.add_argument("--pytest", type=int, default=8, help="for the pytest side (default: 8)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--only-right", action="store_true", help="take only implementations that conform")
    parser.add_argument("--floor", nargs=3, metavar=("FOLDER", "CASES", "JOBS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(Path(options.floor[0]), options.floor[1], int(options.floor[2]))
        return
    if min(options.candidates, options.pytest, options.jobs) < 1:
        parser.error("Expected whole numbers >= 1. Leave the options out for 40, 8 and 2.")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Time the sides in turn."""
    sources = list(candidates(options.candidates, options.only_right))
    many, few = folder / "many", folder / "few"
    write(sources, many)
    write(sources[:: max(1, len(sources) // options.pytest)][: options.pytest], few)
    dump(folder / "cases.npz")
    packages = ", ".join(f"{name} {version(name)}" for name in ("flax", "jax", "hypothesis"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}")
    print(f"{len(sources)} candidates, {options.jobs} at a time, {CASES} cases each")
    own = rate("grade", len(sources), lambda: grade(many, folder, options.jobs))
    bare = rate("floor, a fork and the same calls", len(sources), lambda: run_floor(many, folder, options.jobs, ""))
    cache = str(folder / "cache")
    run_floor(few, folder, options.jobs, cache)
    cached = rate("floor, with a filled cache", len(sources), lambda: run_floor(many, folder, options.jobs, cache))
    usual = rate("pytest, one process each", len(list(few.iterdir())), lambda: pytest(few, folder, options.jobs))
    print(f"grade is {own / usual:.1f} times pytest, {own / bare:.2f} of the floor, {own / cached:.2f} with its cache")


def candidates(count: int, only_right: bool) -> Iterator[str]:
    """Sources that differ, right and wrong in turns."""
    import nnx_reference

    right = [one for one in nnx_reference.rights() if one.applies_to(version("flax"))]
    wrong = [] if only_right else [one for one in nnx_reference.mutants() if one.applies_to(version("flax"))]
    known = [one for pair in zip(right, wrong, strict=False) for one in pair] or right
    for number in range(count):
        yield f"{known[number % len(known)].path.read_text()}\n# candidate {number}\n"


def write(sources: list[str], folder: Path) -> None:
    """One file each."""
    folder.mkdir()
    for number, source in enumerate(sources):
        (folder / f"candidate_{number:05}.py").write_text(source)


def rate(name: str, count: int, act: Callable[[], None]) -> float:
    """Candidates a minute."""
    started = time.perf_counter()
    act()
    seconds = time.perf_counter() - started
    print(f"  {name:34} {60 * count / seconds:7.1f} a minute  ({count} in {seconds:.1f} s)", flush=True)
    return 60 * count / seconds


def grade(folder: Path, work: Path, jobs: int) -> None:
    """The kit."""
    command = str(Path(sys.executable).with_name("nnx-conformance"))
    results = ["--results", str(work / "results.sqlite3"), "--jobs", str(jobs), "--format", "csv"]
    subprocess.run([command, "grade", str(folder), *results], stdout=subprocess.DEVNULL, check=False)


def pytest(folder: Path, work: Path, jobs: int) -> None:
    """One pytest process for each candidate."""

    def one(path: Path) -> None:
        test = work / f"test_{path.stem}.py"
        test.write_text(PYTEST.format(path=str(path), cases=CASES))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
        subprocess.run(command, cwd=work, env=cpu(), capture_output=True, check=False)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, sorted(folder.iterdir())))


def run_floor(folder: Path, work: Path, jobs: int, cache: str) -> None:
    """The floor, in a process of its own."""
    extra = {
        "JAX_COMPILATION_CACHE_DIR": cache,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, __file__, "--floor", str(folder), str(work / "cases.npz"), str(jobs)]
    subprocess.run(command, env={**cpu(), **(extra if cache else {})}, check=True, stderr=subprocess.DEVNULL)


def cpu() -> dict[str, str]:
    """This environment, on the CPU."""
    return {**os.environ, "JAX_PLATFORMS": "cpu"}


def floor(folder: Path, cases: str, jobs: int) -> None:
    """Fork a process for each candidate, so many at a time; what it calls is not judged."""
    import flax.nnx
    import jax.numpy
    import numpy as np

    assert flax.nnx and jax.numpy
    stored = dict(np.load(cases))
    running = 0
    for path in sorted(folder.iterdir()):
        if running == jobs:
            os.wait()
            running -= 1
        if os.fork() == 0:
            try:
                call_all(path, stored)
            finally:
                os._exit(0)
        running += 1
    for _ in range(running):
        os.wait()


def call_all(path: Path, stored: dict[str, object]) -> None:
    """One call for each case."""
    import runpy

    import jax.numpy as jnp
    import numpy as np

    function = runpy.run_path(str(path))["mutability_increment_count"]
    for index in range(CASES):
        seed, n_calls = (np.asarray(stored[f"{name}{index}"]).item() for name in ("seed", "n_calls"))
        try:
            np.asarray(function(seed, jnp.asarray(stored[f"x{index}"]), n_calls))
        except Exception:  # noqa: BLE001 - a wrong candidate
            continue


def dump(file: Path) -> None:
    """The core cases, as the kit draws them."""
    import numpy as np

    from nnx_conformance import engine
    from nnx_conformance.case import Case
    from nnx_conformance.contracts.mutability import CONTRACT

    drawn: list[Case] = []
    engine.draw(CONTRACT.domains[0].parts(0)[0].cases, CASES, 0, drawn.append)
    arrays = {f"{name}{index}": case[name] for index, case in enumerate(drawn) for name in ("seed", "x", "n_calls")}
    np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes the names for its own options


if __name__ == "__main__":
    main()
