"""A bed for hostile candidates: what they may attack, and how to see from outside what became of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core import contracts
from nnx_conformance.core.report import Settings
from nnx_conformance.grading import run
from nnx_conformance.grading.first_tier import first_tier
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.grader import Grader
from nnx_conformance.grading.tasks import GradingPlan, Task
from nnx_conformance.process.limits import Limits
from nnx_conformance.reports.json import report_data
from nnx_conformance.sandbox.jail import MIB, Jail

HOSTILE = Path(__file__).parent / "hostile"
GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
ENTRY = "def mutability_increment_count"
FOLLOWS = "The right candidate follows."
#: Handed in under another name.
TWIN = "The right candidate follows, under another name."
SECRET = "the-secret-of-a-neighbour"
NAMES = tuple(sorted(path.stem for path in HOSTILE.glob("*.py")))

#: Tells a file which signals it gets; lives for a minute.
VICTIM = """
import signal, sys, time
def note(number, _):
    with open(sys.argv[1], "a") as file:
        file.write(f"{number} ")
for number in (signal.SIGUSR1, signal.SIGWINCH):
    signal.signal(number, note)
open(sys.argv[1], "w").close()
time.sleep(float(sys.argv[2]))
"""


@dataclass(frozen=True)
class Bed:
    """What candidates may attack.

    Attributes:
        outside: a folder of others, with a submission in it.
        mark: stands in whatever the candidates leave, send or tell.
        victim: a process of somebody else.
        listeners: sockets to which nobody should talk, by name.
    """

    outside: Path
    mark: str
    victim: subprocess.Popen[bytes]
    listeners: dict[str, socket.socket]

    def source(self, name: str) -> bytes:
        """The source of a hostile candidate, aimed at this bed."""
        text = (HOSTILE / f"{name}.py").read_text()
        places = {
            "outside": self.outside,
            "mark": self.mark,
            "digits": int(self.mark[-6:], 16),
            "victim": self.victim.pid,
            "judge": os.getpid(),
            "tcp": self.listeners["tcp"].getsockname()[1],
            "udp": self.listeners["udp"].getsockname()[1],
            "stream": self.listeners["stream"].getsockname(),
            "datagram": self.listeners["datagram"].getsockname(),
            "abstract": self.mark,
        }
        for place, value in places.items():
            text = text.replace(f"@{place}@", str(value))
        if TWIN in text:
            return (text + GOOD.replace(ENTRY, "def twin")).encode()
        return (text + "\n\n" + GOOD if FOLLOWS in text else text).encode()

    def signals(self) -> str:
        """The signals that the victim got."""
        return (self.outside / "signals").read_text()

    def heard(self) -> list[str]:
        """The listeners that somebody talked to since the last time."""
        ready, _, _ = select.select(list(self.listeners.values()), [], [], 0)
        for one in ready:
            one.accept()[0].close() if one.type == socket.SOCK_STREAM else one.recv(100)
        return [name for name, one in self.listeners.items() if one in ready]

    def running(self) -> list[str]:
        """The command lines of processes that a candidate left running."""
        digits = str(int(self.mark[-6:], 16)).encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                if digits in line and b"sleep" in line:
                    found.append(line.decode())
        return found


@contextlib.contextmanager
def bed(folder: Path) -> Iterator[Bed]:
    """A fresh bed in an empty folder."""
    mark = f"hostile-{uuid.uuid4().hex[:12]}"
    for name in ("neighbour", "truncated", "renamed", "removed"):
        (folder / f"{name}.py").write_text(SECRET)
    (folder / "results.sqlite3").write_bytes(SECRET.encode())
    command = [sys.executable, "-c", VICTIM, str(folder / "signals"), "600"]
    victim = subprocess.Popen(command, env={**os.environ, "NNX_HOSTILE_SECRET": SECRET})
    try:
        while not (folder / "signals").exists():
            time.sleep(0.01)
        with contextlib.ExitStack() as stack:
            listeners = {name: stack.enter_context(one) for name, one in _listeners(folder, mark)}
            yield Bed(folder, mark, victim, listeners)
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()


def _listeners(folder: Path, mark: str) -> Iterator[tuple[str, socket.socket]]:
    addresses: dict[str, tuple[int, int, str | tuple[str, int]]] = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "stream": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream")),
        "datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram")),
        "abstract stream": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{mark}"),
        "abstract datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{mark}.datagram"),
    }
    for name, (family, kind, address) in addresses.items():
        one = socket.socket(family, kind)
        one.bind(address)
        if kind == socket.SOCK_STREAM:
            one.listen()
        yield name, one


def plan(level: str, *, cache: str = "", memory: int = 1024, run_seconds: float = 20) -> GradingPlan:
    """How `grade` judges, on few cases and with little patience."""
    contract = contracts.get("mutability")
    hidden = tuple(contracts.reference_folders(contract))
    jail = Jail(level=level, memory=memory * MIB, cpu_seconds=60)  # type: ignore[arg-type]
    jail = dataclasses.replace(run.settled(jail), reads="libraries", hidden=hidden)
    limits = Limits(5, run_seconds, load_seconds=10, wall=1.5)
    few = Settings(10, shrink=False)
    return GradingPlan("mutability", contract.version, few, limits, jail, cache, tier=first_tier(contract))


def graded(grader: Grader, source: bytes) -> Grade:
    """The outcome of one candidate."""
    return grader.grade(Task("key", "candidate.py", source))


def told(outcome: Grade) -> str:
    """All text of an outcome."""
    report = json.dumps(report_data(outcome.report), ensure_ascii=False) if outcome.report else ""
    return f"{outcome.reason}\n{report}"
