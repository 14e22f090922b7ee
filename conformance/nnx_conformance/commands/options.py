"""Options that several commands have: how they are validated, and where output goes."""

from __future__ import annotations

from pathlib import Path

from nnx_conformance.errors import expected

#: A day.
LONGEST = 86_400


def seconds(option: str, value: float) -> float:
    """A positive number of seconds, of at most a day."""
    if not 0 < value <= LONGEST:
        raise expected(
            f"a number of seconds > 0 and <= {LONGEST}", option, value, f"Leave {option} out for its default."
        )
    return value


def writable(output: Path | None) -> None:
    """Find out before the work is done that its result cannot be written."""
    if output is None:
        return
    try:
        with output.open("a"):
            pass
    except OSError as error:
        raise expected("a file that can be written", "--output", str(output), f"{error.strerror}.") from error
