"""A candidate in a process of its own: frames over two pipes, and the judge's clock."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from nnx_conformance import wire
from nnx_conformance.errors import CannotObserve, KitError
from nnx_conformance.loaded import Loaded, NotLoaded, Versions
from nnx_conformance.messages import Answer, Question
from nnx_conformance.observer import Observer
from nnx_conformance.plain_text import plain
from nnx_conformance.request import Request
from nnx_conformance.session import Ended
from nnx_conformance.target import Target
from nnx_conformance.zygote import Zygote

CHUNK = 1 << 16
START_SECONDS, LEAVING_SECONDS = 120.0, 5.0
NOT_ASKED = "its process sent an answer that was not asked for"


@dataclass(frozen=True)
class Limits:
    """What a candidate may take: seconds for one case (all its probes), and for the whole run."""

    case_seconds: float = 30.0
    run_seconds: float = 600.0


class Clock:
    """How long one candidate may take in all, over all processes that it is given; starts with its first case."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._deadline: float | None = None

    def start(self) -> None:
        """Start, unless it runs already."""
        self._deadline = self._deadline or time.monotonic() + self.limits.run_seconds

    @property
    def deadline(self) -> float:
        """On the scale of `time.monotonic`."""
        return self._deadline or float("inf")


class Process:
    """A `Session` whose candidate runs in a fresh process, forked from a zygote. Starting returns at once."""

    isolated = True

    def __init__(self, target: Target, clock: Clock, zygote: Zygote) -> None:
        self._target = target
        self._zygote = zygote
        self._clock = clock
        self._limits = clock.limits
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._waiting: deque[int] = deque()
        self._requests: deque[Request] = deque()
        self._number = 0
        self._since = time.monotonic()
        self._versions: Versions | None = None
        self._loaded: Loaded | NotLoaded | None = None
        self._observer: Observer | None = None
        self._start()

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer) -> None:
        """Ask the process to load the candidate, without waiting."""
        self._observer = observer
        self._ask(code=observer.code, target=self._target, entry=entry, parameters=parameters)

    def _start(self) -> None:
        questions, self._to = os.pipe()
        self._from, answers = os.pipe()
        self._output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._process = self._zygote.fork(questions, answers, self._output.fileno())
        for descriptor in (questions, answers):
            os.close(descriptor)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def isolation(self) -> str:
        """What the host gave of the jail."""
        return str(self._zygote.obtained)

    @property
    def versions(self) -> Versions:
        """The versions in the candidate's process; waits until it has started."""
        if self._versions is None:
            assert self._zygote.obtained
            ready = self._answer(0, START_SECONDS)
            self._since = time.monotonic()
            if ready.versions is None:
                raise KitError("The candidate's process did not start as it should.")
            self._versions = ready.versions
            self._clock.start()
        return self._versions

    @property
    def loaded(self) -> Loaded | NotLoaded:
        """The candidate, or why there is none; waits for it."""
        if self._loaded is None and self.versions:
            answer = self._answer(self._waiting.popleft(), self._limits.case_seconds)
            self._since = time.monotonic()
            self._loaded = answer.loaded or answer.not_loaded
            if isinstance(self._loaded, NotLoaded) and self._loaded.misuse and self._target.source is not None:
                raise Ended("malformed", NOT_ASKED)  # a file among many names no function that could be missing
        if self._loaded is None:
            raise Ended("malformed", NOT_ASKED)
        return self._loaded

    def submit(self, request: Request) -> None:
        """Send a request, without waiting."""
        if not self._waiting:
            self._since = time.monotonic()
        self._requests.append(request)
        self._ask(request=request)

    def collect(self) -> Any:
        """Wait for the oldest answer."""
        if isinstance(self.loaded, NotLoaded):
            raise Ended("crashed", f"it loaded once, and then no more: {self.loaded.reason}")
        answer = self._answer(self._waiting.popleft(), self._limits.case_seconds)
        self._since = time.monotonic()
        if answer.observation is None:
            raise Ended("malformed", NOT_ASKED)
        return self._checked(answer.observation, self._requests.popleft())

    def close(self) -> None:
        """Kill the process and all that it started."""
        if self._to >= 0:
            self._end(0.0)

    def _end(self, grace: float) -> tuple[int, bool]:
        for descriptor in (self._to, self._from):
            os.close(descriptor)
        self._to = self._from = -1
        try:
            return self._zygote.end(self._process, grace)
        finally:
            self._last = self._last_words()
            self._output.close()

    def _ask(self, **question: Any) -> None:
        self._number += 1
        self._waiting.append(self._number)
        self._outgoing += wire.dumps(Question(self._number, **question))
        self._pump(0.0)

    def _answer(self, number: int, seconds: float) -> Answer:
        deadline = min(self._since + seconds, self._clock.deadline)
        while (frame := self._frame()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._timed_out(seconds)
            if not self._pump(left):
                raise self._crashed()
        answer = self._parsed(*frame)
        if answer.failure is not None:
            raise CannotObserve(f"The kit failed while it observed the candidate:\n{answer.failure}")
        if answer.number != number:
            raise Ended("malformed", NOT_ASKED)
        return answer

    def _parsed(self, text: bytes, body: bytes) -> Answer:
        try:
            return wire.loads(Answer, text, body, trusted=False)
        except wire.Malformed as error:
            raise self._no_observation(error) from error

    def _checked(self, observation: wire.Later, request: Request) -> Any:
        assert self._observer
        try:
            return self._observer.consistent(wire.parsed(self._observer.kind, observation), request)
        except wire.Malformed as error:
            raise self._no_observation(error) from error
        except ValueError as error:
            raise Ended("malformed", f"its process sent an observation that contradicts itself ({error})") from error

    def _no_observation(self, error: wire.Malformed) -> Ended:
        return Ended("malformed", f"its process sent data that are no observation ({error})")

    def _frame(self) -> tuple[bytes, bytes] | None:
        """Take the next whole frame out of what has come in."""
        head = wire.HEAD.size
        if len(self._incoming) < head:
            return None
        try:
            text, body = wire.sizes(bytes(self._incoming[:head]))
        except wire.Malformed as error:
            raise self._no_observation(error) from error
        if len(self._incoming) < head + text + body:
            return None
        taken = bytes(self._incoming[head : head + text + body])
        del self._incoming[: head + text + body]
        return taken[:text], taken[text:]

    def _pump(self, seconds: float) -> bool:
        """Move bytes both ways until some came in or time is up; False when the other side has hung up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            if self._outgoing:
                selector.register(self._to, selectors.EVENT_WRITE)
            for key, _ in selector.select(seconds):
                if key.fd == self._from and not self._take():
                    return False
                if key.fd == self._to:
                    self._give()
        return True

    def _take(self) -> bool:
        data = os.read(self._from, CHUNK * 16)
        self._incoming += data
        return bool(data)

    def _give(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # the reading side then sees the end
            sent = os.write(self._to, self._outgoing[:CHUNK])
            del self._outgoing[:sent]

    def _timed_out(self, seconds: float) -> Ended:
        if time.monotonic() >= self._clock.deadline:
            return Ended("timed out", f"the whole run took longer than {self._limits.run_seconds:g} s")
        return Ended("timed out", f"it ran longer than {seconds:g} s on one case")

    def _crashed(self) -> Ended:
        status, killed = self._end(LEAVING_SECONDS)
        if killed:
            return Ended("crashed", "it closed the connection to the judge")
        if status < 0:
            return Ended("crashed", f"its process was killed by {_signal_name(-status)}")
        return Ended("crashed", f"it left its process with exit status {status}{self._last}")

    def _last_words(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        text = os.pread(self._output.fileno(), 2000, max(0, size - 2000)).decode("utf-8", "replace").strip()
        return f"; it last wrote: {plain(text.splitlines()[-1][:200])}" if text else ""


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
