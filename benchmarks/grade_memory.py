"""Whether memory grows with the number of candidates: one judge grades many, and so does its fork server.

Candidates are the mutants of `nnx_reference`, made different by a comment, each judged on a few cases. Memory is what
the processes hold after a candidate has ended (VmRSS). Run: python benchmarks/grade_memory.py
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Iterator
from importlib.metadata import version

import nnx_reference
from nnx_conformance.core.report import Settings
from nnx_conformance.grading.grader import Grader
from nnx_conformance.grading.run import compilations, settled
from nnx_conformance.grading.tasks import GradingPlan, Task
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail

STEPS = (10, 100, 300, 1000, 3000, 10000)


def main() -> None:
    """Grade, and print what is held at some steps."""
    parser = argparse.ArgumentParser(description="Measure the memory of a judge and its fork server.")
    parser.add_argument("--candidates", type=int, default=1000, help="how many to grade (default: 1000)")
    parser.add_argument("--cases", type=int, default=5, help="cases for each (default: 5)")
    options = parser.parse_args()
    if min(options.candidates, options.cases) < 1:
        parser.error("Expected whole numbers >= 1. Leave the options out for 1000 and 5.")
    jail = dataclasses.replace(settled(Jail()), reads="libraries")
    order = GradingPlan("mutability", "1", Settings(options.cases, shrink=False), Limits(), jail)
    with compilations(order) as folder, Grader(dataclasses.replace(order, cache=folder)) as grader:
        grader.prepare()
        for number, source in enumerate(sources(options.candidates), 1):
            grader.grade(Task(str(number), f"{number}.py", source))
            if number in STEPS or number == options.candidates:
                held = ", ".join(f"{name} {resident(pid):.1f} MiB" for name, pid in processes())
                print(f"{number:6} candidates: {held}", flush=True)


def sources(count: int) -> Iterator[bytes]:
    """As many sources, all different."""
    known = [one.path.read_text() for one in nnx_reference.mutants() if one.applies_to(version("flax"))]
    for number in range(count):
        yield f"{known[number % len(known)]}\n# {number}\n".encode()


def processes() -> Iterator[tuple[str, int]]:
    """The judge, which is this process, and those below it: the fork server, and the process that waits for it."""
    yield "judge", os.getpid()
    below = children(os.getpid())
    for child in below:
        inner = children(child)
        yield "fork_server", inner[0] if inner else child


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(text) for text in file.read().split()]


def resident(pid: int) -> float:
    """What a process holds, in MiB."""
    with open(f"/proc/{pid}/status") as file:
        (line,) = [line for line in file if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
