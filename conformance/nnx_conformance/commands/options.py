"""Options that several commands have: how they are validated, and where output goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def writing(option: str, output: Path) -> Iterator[None]:
    """Say of a file that cannot be written which option named it."""
    try:
        yield
    except OSError as error:
        raise expected("a file that can be written", option, str(output), f"{error.strerror}.") from error


def writable(option: str, output: Path) -> None:
    """Find out before the work is done that its result cannot be written."""
    with writing(option, output), output.open("a"):
        pass
