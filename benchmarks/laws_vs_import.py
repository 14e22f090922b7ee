"""All module laws on `nnx.BatchNorm`, with the default budget, against the time of importing JAX and Flax.

`python benchmarks/laws_vs_import.py` measures both in one run, in fresh processes, and fails above 30 times.
"""

from __future__ import annotations

import subprocess
import sys
import time

LIMIT = 30.0
IMPORT = "import jax, flax.nnx"
JUDGE = "import nnx_conformance\nprint(nnx_conformance.check_module('nnx_reference.subject:subject').verdict)"


def seconds(code: str) -> float:
    """How long a fresh interpreter takes for some code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
    return time.perf_counter() - start


def main() -> int:
    """Measure, and tell."""
    seconds(IMPORT)  # reads the files once
    imported = min(seconds(IMPORT) for _ in range(3))
    judged = seconds(JUDGE)
    times = judged / imported
    print(f"importing jax and flax {imported:.2f} s; all laws on nnx.BatchNorm {judged:.2f} s: {times:.1f} times")
    return 0 if times < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
