"""Runs tests or a script in a process of its own, and reads its recording.

For a script, that process is `python -m nnx_conformance.adopt.recording RECORDED PACKAGE SCRIPT ARGUMENT...`. It runs
the script as `python SCRIPT` does, and exits with its status.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nnx_conformance.adopt.records import Recording, read, save
from nnx_conformance.core.errors import Misuse, expected

#: The exit status of pytest if all tests pass, and if some fail: either way they ran.
RAN = (0, 1)


def of_tests(arguments: Sequence[str], package: str) -> tuple[Recording, int]:
    """The recording of a pytest run, and its exit status.

    Args:
        arguments: of pytest.
        package: records only its modules; all but Flax's if empty.

    Raises:
        Misuse: if pytest did not run its tests; its own output says why.
    """
    with tempfile.TemporaryDirectory(prefix="nnx-conformance-") as folder:
        recorded = Path(folder, "session")
        options = [f"--nnx-laws={package}", f"--nnx-recorded={recorded}"]
        status = subprocess.run([sys.executable, "-m", "pytest", *arguments, *options], check=False).returncode
        if status not in RAN or not recorded.exists():
            fix = f"Make `python -m pytest {' '.join(arguments)}` run first: its output is above."
            raise expected("tests that run to their end", "exit status of pytest", status, fix)
        return read(recorded), status


def of_script(script: str, arguments: Sequence[str], package: str) -> tuple[Recording, int]:
    """The recording of a script, and its exit status.

    Args:
        script: its path.
        arguments: the script's.
        package: records only its modules; all but Flax's if empty.

    Raises:
        Misuse: if there is no such script, or its process ended before we could record anything.
    """
    if not Path(script).is_file():
        raise expected("a Python script that exists", "--run", script, "Give its path, `--run train.py`.")
    with tempfile.TemporaryDirectory(prefix="nnx-conformance-") as folder:
        recorded = Path(folder, "session")
        command = [sys.executable, "-m", "nnx_conformance.adopt.recording", str(recorded), package, script, *arguments]
        status = subprocess.run(command, check=False).returncode
        if not recorded.exists():
            raise Misuse(f"{script} ended with status {status} before anything could be recorded.")
        return read(recorded), status


def main() -> None:
    """Run the script that the command line names, and record it."""
    from nnx_conformance.adopt.recorder import ConstructionRecorder  # imports JAX, which only this process needs

    recorded, package, script, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    recorder = ConstructionRecorder(package)
    try:
        with recorder.recording():
            runpy.run_path(script, run_name="__main__")
    finally:
        save(recorder.session, Path(recorded))


if __name__ == "__main__":
    main()
