"""How a command ends early: by a signal, on a closed pipe, on a full disk.

Standard library alone, so that it holds from the first import on.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from types import FrameType
from typing import Any, TextIO

#: What ends a command in order; a shell reports 128 and the number.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


class Stopped(KeyboardInterrupt):
    """A signal asks the command to end. A KeyboardInterrupt, as libraries let nothing else through."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


def status(stopped: KeyboardInterrupt, kept: str = "no verdict") -> int:
    """Print in one line which signal ended the command and what is `kept`; returns the exit status."""
    number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
    print(f"nnx-conformance: {WORDS[number]}; {kept}", file=sys.stderr, flush=True)
    return 128 + number


def end_on_signals() -> None:
    """Raise `Stopped` on the first signal; ignore later ones, so that cleaning up finishes."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` and shells in the background ignore some
            signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(signal.Signals(number))


def guard_screens() -> None:
    """Make the standard streams write in any terminal's encoding, and ignore a closed pipe."""
    sys.stdout = _guarded(sys.stdout, _Pipe)
    sys.stderr = _guarded(sys.stderr, _Unheard)


def _guarded(stream: TextIO | None, kind: type[_Pipe]) -> Any:
    try:
        number = stream.fileno() if stream else -1
    except (OSError, ValueError):
        return stream  # somebody has put another stream there
    if stream is None or number < 0:
        return open(os.devnull, "w", encoding="utf-8")
    raw = io.BufferedWriter(kind(number, "wb", closefd=False))
    buffered = stream.line_buffering if isinstance(stream, io.TextIOWrapper) else False
    return io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=buffered)


class _Pipe(io.FileIO):
    """A stream that drops writes to a closed pipe, and reports a full disk once."""

    def write(self, data: Any, /) -> Any:
        try:
            return super().write(data)
        except OSError as error:
            with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())  # or what is left in buffers would fail again at the end
            if self.lost(error):
                return memoryview(data).nbytes
            raise

    def lost(self, error: OSError) -> bool:
        """Whether to drop the data silently."""
        return isinstance(error, BrokenPipeError)


class _Unheard(_Pipe):
    """Standard error: drops messages that it cannot write, as it has nowhere to say so."""

    def lost(self, error: OSError) -> bool:
        return True
