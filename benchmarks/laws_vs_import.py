"""All module laws on `nnx.BatchNorm`, with the default budget, against the time of importing JAX and Flax.

`python benchmarks/laws_vs_import.py` measures both in one run, in fresh processes. It fails where those of one device
take more than 30 times as long, or those of two devices more than 15 times beside them.
"""

from __future__ import annotations

import subprocess
import sys
import time

LIMIT, OF_DEVICES = 30.0, 15.0
IMPORT = "import jax, flax.nnx"
JUDGE = """
import nnx_conformance
from nnx_conformance.core import contracts

devices = ("sharded-agrees", "sharding-stable", "shard-map-agrees")
laws = tuple(law.id for law in contracts.get("module-laws").checks if {all} or law.id not in devices)
print(nnx_conformance.check_module("nnx_reference.subject:subject", checks=laws).verdict)
"""


def seconds(code: str) -> float:
    """How long a fresh interpreter takes for some code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
    return time.perf_counter() - start


def main() -> int:
    """Measure, and tell."""
    seconds(IMPORT)  # reads the files once
    imported = min(seconds(IMPORT) for _ in range(3))
    alone, judged = (seconds(JUDGE.replace("{all}", each)) for each in ("False", "True"))
    times, more = alone / imported, (judged - alone) / imported
    print(f"importing jax and flax {imported:.2f} s; the laws of one device {alone:.2f} s: {times:.1f} times")
    print(f"with those of two devices {judged:.2f} s: {more:.1f} times more")
    return 0 if times < LIMIT and more < OF_DEVICES else 1


if __name__ == "__main__":
    sys.exit(main())
