"""The messages between the judge and a candidate's process."""

from __future__ import annotations

from dataclasses import dataclass

from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded, Versions
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.plan import Request
from nnx_conformance.core.wire import Later


@dataclass(frozen=True, eq=False)
class Load:
    """Load a target.

    Attributes:
        code: the module that loads and observes it, see `observer.Observer`.
        entry, parameters: those of the contract.
        devices: how many devices JAX must have in the process.
    """

    code: str
    target: Target
    entry: str
    parameters: tuple[str, ...]
    devices: int = 1


@dataclass(frozen=True, eq=False)
class Question:
    """A message to the candidate's process; `number` counts the questions of a session, and the answer repeats it."""

    number: int
    content: Load | Request


@dataclass(frozen=True, eq=False)
class Observed:
    """The facts of a request, of the kind that the contract's observer names."""

    facts: Later


@dataclass(frozen=True, eq=False)
class Failure:
    """The traceback of the kit's own failure in the candidate's process."""

    traceback: str


@dataclass(frozen=True, eq=False)
class Answer:
    """A message from the candidate's process. It sends its versions first, as answer 0 to no question."""

    number: int
    content: Versions | Loaded | NotLoaded | Observed | Failure
