"""What the judge and a candidate's process say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from nnx_conformance.loaded import Loaded, NotLoaded, Versions
from nnx_conformance.request import Request
from nnx_conformance.target import Target
from nnx_conformance.wire import Later


@dataclass(frozen=True, eq=False)
class Question:
    """To the candidate's process: load this, or observe that.

    Attributes:
        number: counts the questions of a session; the answer repeats it.
        code, target, entry, parameters: what to load, and by which module, see `observer.Observer`.
        request: what to observe.
    """

    number: int
    code: str = ""
    target: Target | None = None
    entry: str = ""
    parameters: tuple[str, ...] = ()
    request: Request | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """From the candidate's process: exactly one of the last five is given.

    Attributes:
        observation: of the kind that the contract's observer tells.
        failure: the kit itself failed there; its traceback.
    """

    number: int
    versions: Versions | None = None
    loaded: Loaded | None = None
    not_loaded: NotLoaded | None = None
    observation: Later | None = None
    failure: str | None = None
