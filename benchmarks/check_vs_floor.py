"""What judging costs: `nnx-conformance check`, as a whole process, against the floor under any such tool.

The floor is one process that imports JAX, Flax NNX, Hypothesis and chex and calls the candidate once on each of the
same core cases, with no judgement at all. The cases are drawn beforehand by the kit's own strategies and seed; drawing
is not counted to the floor. The kit's side does all that it does for a user: it draws, runs each core case again for
`fresh-state-per-run` and some under interventions, runs the edge domain too, judges every check and writes the report.

Both sides run in turn, pair after pair, so that a busy machine slows both. Run: python benchmarks/check_vs_floor.py
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

CASES = 200


def main() -> None:
    """Measure the pairs and print the ratio of each."""
    parser = argparse.ArgumentParser(description="Time `nnx-conformance check` against its floor, in pairs.")
    parser.add_argument("--pairs", type=int, default=5, help="pairs to measure after one that warms up (default: 5)")
    parser.add_argument("--floor", nargs=2, metavar=("CANDIDATE", "CASES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        floor(*options.floor)
    elif options.pairs < 1:
        parser.error(f"Expected a whole number >= 1 but got --pairs={options.pairs} (type=int). Leave it out for 5.")
    else:
        measure(options.pairs)


def floor(candidate: str, cases: str) -> None:
    """The floor's process: the imports, and one call for each case."""
    import runpy

    import chex  # noqa: F401 - the floor pays for the same imports
    import flax.nnx  # noqa: F401
    import hypothesis  # noqa: F401
    import jax.numpy as jnp
    import numpy as np

    function = runpy.run_path(candidate)["mutability_increment_count"]
    stored = np.load(cases)
    for index in range(CASES):
        seed, n_calls = (stored[f"{name}{index}"].item() for name in ("seed", "n_calls"))
        np.asarray(function(seed, jnp.asarray(stored[f"x{index}"]), n_calls))


def dump(file: Path) -> None:
    """Draw the core cases as the kit does with its default seed, and store them."""
    import numpy as np

    from nnx_conformance.contracts.counter.mutability import CONTRACT
    from nnx_conformance.core.case import Case
    from nnx_conformance.judging import engine

    drawn: list[Case] = []
    engine.draw(CONTRACT.domains[0].parts(0)[0].cases, CASES, 0, drawn.append)
    assert len(drawn) == CASES, f"{len(drawn)} cases were drawn"
    arrays = {f"{name}{index}": case[name] for index, case in enumerate(drawn) for name in ("seed", "x", "n_calls")}
    np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes the names for its own options


def measure(pairs: int) -> None:
    """Time both sides in turn and print."""
    found = find_spec("nnx_reference")
    assert found is not None and found.origin is not None
    candidate = str(Path(found.origin).with_name("solution.py"))
    command = str(Path(sys.executable).with_name("nnx-conformance"))
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder, "cases.npz")
        dump(cases)
        check = [command, "check", candidate, "--max-examples", str(CASES)]
        base = [sys.executable, str(Path(__file__).resolve()), "--floor", candidate, str(cases)]
        print(_machine())
        ratios = [_pair(number, check, base, folder) for number in range(pairs + 1)][1:]
    print(f"ratio  median {statistics.median(ratios):.2f}  min {min(ratios):.2f}  max {max(ratios):.2f}  pairs {pairs}")


def _pair(number: int, check: list[str], base: list[str], folder: str) -> float:
    judged, called = _seconds(check, folder), _seconds(base, folder)
    name = f"pair {number}" if number else "warm-up"
    print(f"{name:8}  check {judged:6.2f} s  floor {called:6.2f} s  ratio {judged / called:.2f}", flush=True)
    return judged / called


def _seconds(command: list[str], folder: str) -> float:
    started = time.perf_counter()
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - started
    if ended.returncode:
        sys.exit(f"{' '.join(command)} ended with status {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return taken


def _machine() -> str:
    packages = ("nnx-conformance", "flax", "jax", "jaxlib", "hypothesis", "chex", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{CASES} core cases; Python {platform.python_version()}, {versions}; {os.cpu_count()} CPUs"


if __name__ == "__main__":
    main()
