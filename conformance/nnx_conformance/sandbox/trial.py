"""Tries a jail: a process enters it and attempts, harmlessly, what a hostile candidate would.

Run as `python -P -m nnx_conformance.sandbox.trial LEVEL`; prints the isolation provided and which attempts it stopped.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable

from nnx_conformance.sandbox import isolation
from nnx_conformance.sandbox.isolation import Isolation
from nnx_conformance.sandbox.jail import Jail

#: The discard service of this machine; we send nothing to it.
NEARBY = ("127.0.0.1", 9)


def main() -> None:
    """Make the attempts, and print one JSON object."""
    jail = Jail(level=sys.argv[1])  # type: ignore[arg-type]
    prepared = isolation.prepare(jail, tempfile.mkdtemp(prefix=isolation.PREFIX))
    tried = _in_child(jail, prepared)
    print(json.dumps({"obtained": dataclasses.asdict(prepared.obtained), "tried": tried}), flush=True)
    if not prepared.namespaces:  # otherwise the waiting parent removes it
        os.rmdir(prepared.base)


def _in_child(jail: Jail, prepared: Isolation) -> dict[str, bool]:
    """Whether each attempt was stopped, by its description."""
    reads, writes = os.pipe()
    outside = os.path.join(tempfile.gettempdir(), f"nnx-conformance-trial-{os.getpid()}")
    child = os.fork()
    if child == 0:
        try:
            isolation.enter(jail, prepared, prepared.base)
            attempts = _attempts(jail, outside, prepared.base)
            stopped = {description: _stopped(attempt) for description, attempt in attempts.items()}
            os.write(writes, json.dumps(stopped).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {}


def _attempts(jail: Jail, outside: str, home: str) -> dict[str, Callable[[], object]]:
    return {
        "write to a file outside": lambda: _write(outside),
        "reach the network": _connect,
        "start a process": _start,
        "signal another process": lambda: os.kill(os.getppid() or 1, 0),
        "take more memory than it may": lambda: bytearray(jail.memory + jail.memory // 4),
        "write a file larger than it may": lambda: _large(os.path.join(home, "large"), jail.file_bytes),
    }


def _stopped(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError):
        return True
    return False


def _write(path: str) -> None:
    with open(path, "w"):
        os.unlink(path)


def _connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(NEARBY)


def _start() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _large(path: str, size: int) -> None:
    try:
        with open(path, "wb") as file:
            file.seek(size)
            file.write(b"x")
    finally:
        os.unlink(path)


if __name__ == "__main__":
    main()
