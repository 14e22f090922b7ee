"""Sessions: the judge sends requests to a loaded candidate and gets its facts in order, wherever it runs."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nnx_conformance.core.candidate.loaded import End, Loaded, NotLoaded, Versions
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.plan import Request
from nnx_conformance.process.interrupts import passed_on

if TYPE_CHECKING:
    from nnx_conformance.core.observer import Observer

OUTPUT_LENGTH = 4096


@dataclass(frozen=True)
class Ended(Exception):
    """The candidate's process ended, or had to be ended; `reason` is one sentence about the candidate.

    Attributes:
        over: whether no time is left for further cases, because that of the whole run or of the import is up.
        option: the option that allows more time, if time was up.
    """

    end: End
    reason: str
    over: bool = False
    option: str = ""

    def __str__(self) -> str:
        return self.reason


class Session(Protocol):
    """A session with one candidate. `isolated`: whether sessions cannot influence each other."""

    isolated: bool

    @property
    def isolation(self) -> str:
        """What confines the candidate's process; empty if it runs in this process."""

    @property
    def versions(self) -> Versions:
        """The versions that it runs on."""

    @property
    def loaded(self) -> Loaded | NotLoaded:
        """The candidate, or why it could not be loaded; waits for it."""

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer, devices: int = 1) -> None:
        """Begin to load the candidate.

        Args:
            entry: the name of its function, if the target names none.
            parameters: the parameters that the function must take.
            observer: how to load and observe it.
            devices: how many devices JAX must have there; a session in this process has those that exist.
        """

    def submit(self, request: Request) -> None:
        """Send a request; several may be pending."""

    def collect(self) -> Any:
        """The facts of the oldest pending request.

        Raises:
            Ended: if the candidate's process ended before it answered.
        """
        ...

    def close(self) -> None:
        """End the candidate's process."""


Opener = Callable[[], Session]

#: Called with the name of an activity, how much of it is done, and the total.
Progress = Callable[[str, int, int], None]


def silent(_: str, __: int, ___: int) -> None:
    """Report no progress."""


class InProcess:
    """A session with a Python object in this process. Nothing limits its time, its memory or its output.

    Args:
        value, name: the object, and its name in reports.
        packages: the import names of further packages of its author.
    """

    isolated = False
    isolation = ""

    def __init__(self, value: Any, name: str, packages: tuple[str, ...] = ()) -> None:
        from nnx_conformance.observe import flax_versions

        self.versions = flax_versions.versions()
        self.loaded: Loaded | NotLoaded = NotLoaded(True, "It is not loaded yet.")
        self._requests: deque[Request] = deque()
        self._value, self._name, self._packages = value, name, packages
        self._candidate: Any = None
        self._code: Any = None

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer, devices: int = 1) -> None:
        self._code = importlib.import_module(observer.code)
        adopted = self._code.adopt(self._value, self._name, parameters, self._packages)
        if isinstance(adopted, NotLoaded):
            self.loaded = adopted
        else:
            self._candidate, self.loaded = adopted

    def submit(self, request: Request) -> None:
        self._requests.append(request)

    def collect(self) -> Any:
        streams = io.StringIO()
        with passed_on(), contextlib.redirect_stdout(streams), contextlib.redirect_stderr(streams):
            facts = self._code.observe(self._candidate, self._requests.popleft())
        return dataclasses.replace(facts, output=plain(streams.getvalue()[:OUTPUT_LENGTH]))

    def close(self) -> None:
        self._requests.clear()
