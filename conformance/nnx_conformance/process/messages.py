"""What the judge and a candidate's process say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded, Versions
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.plan import Request
from nnx_conformance.core.wire import Later


@dataclass(frozen=True, eq=False)
class Load:
    """Load a target: by which module, see `observer.Observer`; `entry` and `parameters` are those of the contract.

    `devices`: how many devices JAX is to have in the process, from its start on.
    """

    code: str
    target: Target
    entry: str
    parameters: tuple[str, ...]
    devices: int = 1


@dataclass(frozen=True, eq=False)
class Question:
    """To the candidate's process. `number` counts the questions of a session; the answer repeats it."""

    number: int
    content: Load | Request


@dataclass(frozen=True, eq=False)
class Observed:
    """The facts of a request, of the kind that the contract's observer names."""

    facts: Later


@dataclass(frozen=True, eq=False)
class Failure:
    """The kit itself failed in the candidate's process; its traceback."""

    traceback: str


@dataclass(frozen=True, eq=False)
class Answer:
    """From the candidate's process; it gives its versions without being asked, as answer 0."""

    number: int
    content: Versions | Loaded | NotLoaded | Observed | Failure
