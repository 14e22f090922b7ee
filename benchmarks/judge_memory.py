"""How much memory the judge takes, by number of cases: it must not grow with them.

Each figure is the peak resident memory of a judge in a process of its own. The candidate runs in a further process,
which is not counted. Run: python benchmarks/judge_memory.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

COUNTS = (200, 1000, 3000)


def main() -> None:
    """Print the peak for each number of cases, and its ratio to the first."""
    if len(sys.argv) == 2:
        judge(int(sys.argv[1]))
        return
    first = 0.0
    for count in COUNTS:
        peak = _peak(count)
        first = first or peak
        print(f"{count:5} cases  peak {peak:7.1f} MiB  ratio to {COUNTS[0]} cases {peak / first:.3f}", flush=True)


def judge(count: int) -> None:
    """Judge the reference solution on this many core cases and print the peak in KiB."""
    from nnx_conformance import check

    found = find_spec("nnx_reference")
    assert found is not None and found.origin is not None
    report = check(str(Path(found.origin).with_name("solution.py")), max_examples=count)
    assert report.verdict == "conforms", report.verdict
    print(_kibibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def _kibibytes(peak: int) -> int:
    return peak // 1024 if sys.platform == "darwin" else peak  # macOS counts bytes


def _peak(count: int) -> float:
    command = [sys.executable, str(Path(__file__).resolve()), str(count)]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            command, cwd=folder, env={**os.environ, "JAX_PLATFORMS": "cpu"}, capture_output=True, text=True
        )
    if ended.returncode:
        sys.exit(f"judging {count} cases ended with status {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return int(ended.stdout) / 1024


if __name__ == "__main__":
    main()
