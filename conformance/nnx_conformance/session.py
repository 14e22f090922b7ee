"""A loaded candidate as the judge sees it: questions in, observations out, in order, whatever runs behind it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nnx_conformance.loaded import Loaded, NotLoaded, Versions
from nnx_conformance.plain_text import plain
from nnx_conformance.request import Request

if TYPE_CHECKING:
    from nnx_conformance.observer import Observer

OUTPUT_LENGTH = 4096


@dataclass(frozen=True)
class Ended(Exception):
    """The candidate's process came to an end, or had to be ended.

    Attributes:
        kind: `crashed`, `timed out` or `malformed`.
        reason: one sentence about the candidate.
    """

    kind: str
    reason: str

    def __str__(self) -> str:
        return self.reason


class Session(Protocol):
    """One candidate, loaded and ready to be observed. `isolated`: whether another session knows nothing of this one."""

    isolated: bool

    @property
    def isolation(self) -> str:
        """What the candidate is kept to; empty in process."""

    @property
    def versions(self) -> Versions:
        """The versions that it runs on."""

    @property
    def loaded(self) -> Loaded | NotLoaded:
        """The candidate, or why there is none; waits for it."""

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer) -> None:
        """Begin to load the candidate: called `entry` where the target names none, to take these parameters."""

    def submit(self, request: Request) -> None:
        """Ask for an observation; several may be under way."""

    def collect(self) -> Any:
        """The observation of the oldest request that is under way.

        Raises:
            Ended: if the candidate's process did not live to answer.
        """
        ...

    def close(self) -> None:
        """End whatever runs, leaving nothing behind."""


Opener = Callable[[], Session]

#: Told what is done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


class InProcess:
    """A Python object, observed in this very process. Nothing limits its time, its memory or its output."""

    isolated = False
    isolation = ""

    def __init__(self, value: Any, name: str) -> None:
        from nnx_conformance import flax_versions

        self.versions = flax_versions.versions()
        self.loaded: Loaded | NotLoaded = NotLoaded(True, "It is not loaded yet.")
        self._requests: deque[Request] = deque()
        self._value, self._name = value, name
        self._candidate: Any = None
        self._code: Any = None

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer) -> None:
        self._code = importlib.import_module(observer.code)
        made = self._code.adopt(self._value, self._name, parameters)
        if isinstance(made, NotLoaded):
            self.loaded = made
        else:
            self._candidate, self.loaded = made

    def submit(self, request: Request) -> None:
        self._requests.append(request)

    def collect(self) -> Any:
        streams = io.StringIO()
        with contextlib.redirect_stdout(streams), contextlib.redirect_stderr(streams):
            seen = self._code.observe(self._candidate, self._requests.popleft())
        return dataclasses.replace(seen, output=plain(streams.getvalue()[:OUTPUT_LENGTH]))

    def close(self) -> None:
        self._requests.clear()
