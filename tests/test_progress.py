"""The line of progress: on a terminal alone, overwritten, and gone at the end, also where an interrupt ends it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CHECK = """
import os, signal, sys, time
from rich.console import Console
from nnx_conformance.cli.options import progress_on
with progress_on(Console(stderr=True, quiet="--quiet" in sys.argv), "[b]solution.py") as progress:
    progress("cases", 3, 9)
    time.sleep(0.3)
    if "--interrupt" in sys.argv:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        os.kill(os.getpid(), signal.SIGINT)
"""
GRADE = """
import sys, time
from rich.console import Console
from nnx_conformance.grading.listing import progress_on
with progress_on(Console(stderr=True)) as progress:
    progress(3, 9)
    time.sleep(0.3)
"""


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def shown(script: str, *options: str, **variables: str) -> str:
    """What a script writes to its terminal."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CI", "FORCE_COLOR")}
    with terminal() as (ours, theirs):
        ran = subprocess.Popen(
            [sys.executable, "-c", script, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env={**kept, "TERM": "xterm", "COLUMNS": "100", **variables},
        )
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 4096):
                text += part
        except OSError:  # Linux says so where the other side is closed
            pass
        ran.wait(timeout=30)
    return text.decode()


def test_a_line_counts_cases_and_seconds_and_is_removed() -> None:
    text = shown(CHECK)
    assert "[b]solution.py" in text
    assert "3/9" in text
    assert "0:00:00" in text
    assert text.count("\n") <= 1
    assert text.rstrip("\r").endswith("\x1b[2K")  # the line is cleared
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


def test_a_grading_has_such_a_line() -> None:
    assert "3/9" in shown(GRADE)


def test_an_interrupt_leaves_a_clean_line() -> None:
    text = shown(CHECK, "--interrupt")
    line, _, rest = text.rpartition("\x1b[2K")
    assert "3/9" in line
    assert "solution.py" not in rest.partition("Traceback")[0]
    assert rest.lstrip("\r").startswith("Traceback")


@pytest.mark.parametrize(
    ("options", "variables"),
    [(("--quiet",), {}), ((), {"NO_COLOR": "1"}), ((), {"CI": "true"}), ((), {"TERM": "dumb"})],
)
def test_there_is_none_where_nobody_wants_it(options: tuple[str, ...], variables: dict[str, str]) -> None:
    assert shown(CHECK, *options, **variables) == ""


def test_there_is_none_without_a_terminal() -> None:
    ran = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=30)
    assert (ran.stdout, ran.stderr) == ("", "")
