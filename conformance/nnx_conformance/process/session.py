"""A loaded candidate as the judge has it: requests in, facts out, in order, whatever runs behind it."""

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
    """The candidate's process came to an end, or had to be ended; `reason` is one sentence about the candidate.

    Attributes:
        over: whether there is no time left for any other case: that for all of them is up, or that for its import.
        option: the one that gives more time, where the time was up.
    """

    end: End
    reason: str
    over: bool = False
    option: str = ""

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

    def load(self, entry: str, parameters: tuple[str, ...], observer: Observer, devices: int = 1) -> None:
        """Begin to load the candidate: called `entry` where the target names none, to take these parameters.

        `devices`: how many JAX is to have there. A session in this very process has those that there are.
        """

    def submit(self, request: Request) -> None:
        """Send a request; several may be under way."""

    def collect(self) -> Any:
        """The facts of the oldest request that is under way.

        Raises:
            Ended: if the candidate's process did not live to answer.
        """
        ...

    def close(self) -> None:
        """End whatever runs, leaving nothing behind."""


Opener = Callable[[], Session]

#: Called with what is done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


def silent(_: str, __: int, ___: int) -> None:
    """No progress."""


class InProcess:
    """A Python object, observed in this very process. Nothing limits its time, its memory or its output.

    `packages` are the import names of packages that are its own, wherever they lie.
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
