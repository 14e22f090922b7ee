"""The judge's session with a candidate's process: frames over two pipes, and time limits."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import signal
import tempfile
import time
from collections import deque
from typing import Any

from nnx_conformance.core import wire
from nnx_conformance.core.candidate.loaded import End, Loaded, NotLoaded, Versions
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.errors import CannotObserve, KitError
from nnx_conformance.core.observer import Observer
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.plan import Request
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import FACTOR, LOOK_SECONDS, Clock, TimeWatch
from nnx_conformance.process.messages import Answer, Failure, Load, Observed, Question
from nnx_conformance.process.session import Ended

CHUNK = 1 << 16
#: Long, because a busy machine imports JAX slowly; no code of the candidate has run yet.
START_SECONDS, LEAVING_SECONDS = 600.0, 5.0
WITHOUT_FUNCTION = "the file does not hold the function that the contract asks for"
STARTING, LOADING, CASE = "starting it", "importing it", "on one case it"
NOT_ASKED = "its process sent an answer that was not asked for"


class Process:
    """A `Session` whose candidate runs in a fresh process, forked from a fork server. Starting returns at once."""

    isolated = True

    def __init__(self, target: Target, clock: Clock, fork_server: ForkServer) -> None:
        self._target = target
        self._fork_server = fork_server
        self._clock = clock
        self._limits = clock.limits
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._waiting: deque[int] = deque()
        self._requests: deque[Request] = deque()
        self._number = 0
        self._importing = 0.0
        self._versions: Versions | None = None
        self._loaded: Loaded | NotLoaded | None = None
        self._observer: Observer | None = None
        self._start()

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer, devices: int = 1) -> None:
        """Tell the process to load the candidate, without waiting."""
        self._observer = observer
        self._send(Load(observer.code, self._target, entry, parameters, devices))

    def _start(self) -> None:
        questions, self._to = os.pipe()
        self._from, answers = os.pipe()
        self._output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._process = self._fork_server.fork(questions, answers, self._output.fileno())
        for descriptor in (questions, answers):
            os.close(descriptor)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def isolation(self) -> str:
        """The isolation that the host provides."""
        return str(self._fork_server.obtained)

    @property
    def versions(self) -> Versions:
        """The versions in the candidate's process; waits until it has started."""
        if self._versions is None:
            assert self._fork_server.obtained
            versions = self._answer(0, TimeWatch(STARTING, START_SECONDS, START_SECONDS, time.monotonic()))
            if not isinstance(versions, Versions):
                raise KitError("The candidate's process did not start as it should.")
            self._versions = versions
            self._clock.start()
        return self._versions

    @property
    def loaded(self) -> Loaded | NotLoaded:
        """The candidate, or why it could not be loaded; waits for it."""
        if self._loaded is None and self.versions:
            loaded = self._answer(self._waiting.popleft(), self._watch(LOADING, self._limits.load_seconds))
            if isinstance(loaded, NotLoaded) and loaded.misuse and self._must_define_entry:
                loaded = dataclasses.replace(loaded, misuse=False, cause=loaded.cause or WITHOUT_FUNCTION)
            if isinstance(loaded, Loaded | NotLoaded):
                self._importing = self.used or 0.0
                self._loaded = loaded
        if self._loaded is None:
            raise Ended(End.MALFORMED, NOT_ASKED)
        return self._loaded

    @property
    def _must_define_entry(self) -> bool:
        """Whether a missing function is the candidate's fault, because it is graded by its entry's name."""
        return self._target.source is not None and self._observer is not None and self._observer.by_name

    def submit(self, request: Request) -> None:
        """Send a request, without waiting."""
        self._requests.append(request)
        self._send(request)

    def collect(self) -> Any:
        """Wait for the oldest answer."""
        if isinstance(self.loaded, NotLoaded):
            raise Ended(End.CRASHED, f"it loaded once, and then no more: {self.loaded.reason}")
        observed = self._answer(self._waiting.popleft(), self._watch(CASE, self._limits.case_seconds))
        if not isinstance(observed, Observed):
            raise Ended(End.MALFORMED, NOT_ASKED)
        return self._checked(observed.facts, self._requests.popleft())

    def close(self) -> None:
        """Kill the process and its descendants."""
        if self._to >= 0:
            self._end(0.0)

    def _end(self, grace: float) -> tuple[int, bool]:
        for descriptor in (self._to, self._from):
            os.close(descriptor)
        self._to = self._from = -1
        try:
            status, killed, used = self._fork_server.end(self._process, grace)
            self._note(used)
            return status, killed
        finally:
            self._last = self._last_words()
            self._output.close()

    def _send(self, content: Load | Request) -> None:
        self._number += 1
        self._waiting.append(self._number)
        self._outgoing += wire.dumps(Question(self._number, content))
        self._pump(0.0)

    @property
    def used(self) -> float | None:
        """The processor seconds of its threads and children so far; None if the host does not report them."""
        used = self._fork_server.used(self._process)
        self._note(used or 0.0)
        return used

    def _note(self, used: float) -> None:
        """Count processor time against the clock, without that of the import, which has a limit of its own."""
        if self._loaded is not None:
            self._clock.note(self._process, used - self._importing)

    def _watch(self, doing: str, seconds: float) -> TimeWatch:
        return TimeWatch(doing, seconds, seconds * self._limits.wall, time.monotonic())

    def _answer(self, number: int, watch: TimeWatch) -> Versions | Loaded | NotLoaded | Observed:
        """Wait for the answer to a question, and return its content."""
        look = min(LOOK_SECONDS, watch.seconds / 4)
        due = 0.0 if self._clock.due and watch.doing == CASE else time.monotonic() + look
        while (frame := self._frame()) is None:
            if not self._pump(max(0.0, min(look, due - time.monotonic()))):
                raise self._crashed()
            if time.monotonic() >= due:
                self._check_time(watch)
                due = time.monotonic() + look
        answer = self._parsed(*frame)
        if isinstance(answer.content, Failure):
            raise CannotObserve(f"The kit failed while it observed the candidate:\n{answer.content.traceback}")
        if answer.number != number:
            raise Ended(End.MALFORMED, NOT_ASKED)
        return answer.content

    def _check_time(self, watch: TimeWatch) -> None:
        """Raise if a time is up. For a case, first allow `FACTOR` times the time of the contract's right candidate."""
        used = self.used
        if reason := self._clock.over:
            raise Ended(End.TIMED_OUT, reason, over=True, option="--timeout")
        if not (reason := watch.over(time.monotonic(), used)):
            return
        if watch.doing != CASE:
            raise Ended(End.TIMED_OUT, reason, over=True, option="--import-timeout")
        right = self._clock.reference.seconds(self._requests[0]) if self._clock.reference else 0.0
        if FACTOR * right > watch.seconds:  # true once at most, because `right` is measured once
            watch.wall *= FACTOR * right / watch.seconds
            watch.seconds = FACTOR * right
            return
        reason += f" (the contract's right candidate used {right:.2g} s)" if right else ""
        raise Ended(End.TIMED_OUT, reason, option="--case-timeout")

    def _parsed(self, text: bytes, body: bytes) -> Answer:
        try:
            return wire.loads(Answer, text, body, trusted=False)
        except wire.Malformed as error:
            raise self._no_observation(error) from error

    def _checked(self, facts: wire.Later, request: Request) -> Any:
        assert self._observer
        try:
            return self._observer.consistent(wire.parsed(self._observer.kind, facts), request)
        except wire.Malformed as error:
            raise self._no_observation(error) from error
        except ValueError as error:
            raise Ended(End.MALFORMED, f"its process sent an observation that contradicts itself ({error})") from error

    def _no_observation(self, error: wire.Malformed) -> Ended:
        return Ended(End.MALFORMED, f"its process sent data that are no observation ({error})")

    def _frame(self) -> tuple[bytes, bytes] | None:
        """Take the next whole frame from the received bytes; None if it is incomplete."""
        head = wire.HEAD.size
        if len(self._incoming) < head:
            return None
        try:
            text, body = wire.sizes(bytes(self._incoming[:head]))
        except wire.Malformed as error:
            raise self._no_observation(error) from error
        if len(self._incoming) < head + text + body:
            return None
        content = bytes(self._incoming[head : head + text + body])
        del self._incoming[: head + text + body]
        return content[:text], content[text:]

    def _pump(self, seconds: float) -> bool:
        """Send and receive bytes until some arrive or time is up; False if the process has closed its pipe."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            if self._outgoing:
                selector.register(self._to, selectors.EVENT_WRITE)
            for key, _ in selector.select(seconds):
                if key.fd == self._from and not self._receive():
                    return False
                if key.fd == self._to:
                    self._transmit()
        return True

    def _receive(self) -> bool:
        data = os.read(self._from, CHUNK * 16)
        self._incoming += data
        return bool(data)

    def _transmit(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # `_receive` then notices the end
            sent = os.write(self._to, self._outgoing[:CHUNK])
            del self._outgoing[:sent]

    def _crashed(self) -> Ended:
        status, killed = self._end(LEAVING_SECONDS)
        if killed:
            return Ended(End.CRASHED, "it closed the connection to the judge")
        if status < 0:
            return Ended(End.CRASHED, f"its process was killed by {_signal_name(-status)}")
        return Ended(End.CRASHED, f"it left its process with exit status {status}{self._last}")

    def _last_words(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        text = os.pread(self._output.fileno(), 2000, max(0, size - 2000)).decode("utf-8", "replace").strip()
        return f"; it last wrote: {plain(text.splitlines()[-1][:200])}" if text else ""


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
