"""The outcome of loading a candidate, the versions it ran on, and how its process ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nnx_conformance.core.facts import Raised, Warned


@dataclass(frozen=True)
class Loaded:
    """A candidate that was loaded, with what its import wrote and warned.

    Attributes:
        conditions: whether its source holds conditions, which can guide the search for cases.
    """

    name: str
    file: str
    output: str
    warnings: tuple[Warned, ...]
    conditions: bool = False


@dataclass(frozen=True)
class NotLoaded:
    """A candidate that could not be loaded.

    Attributes:
        misuse: whether the target is wrong (an unknown name, say), not the candidate's code.
        reason: what happened, in one sentence.
        cause: why, in one line.
        raised: the exception of the candidate's code, if it raised.
        output: what it wrote to stdout and stderr.
        remedy: how to fix a candidate that can be imported but raises on first use; empty for others.
    """

    misuse: bool
    reason: str
    cause: str = ""
    raised: Raised | None = None
    output: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Versions:
    """The versions that a report speaks of."""

    python: str
    jax: str
    flax: str
    kit: str


#: By import name: the name of the package, and the extra of this distribution that installs it.
EXTRAS = {"torch": ("PyTorch", "torch")}


def missing(raised: Raised | None) -> str:
    """How to install an optional package whose import failed; empty for any other exception."""
    if raised is None or raised.type not in ("ModuleNotFoundError", "ImportError"):
        return ""
    for module, (name, extra) in EXTRAS.items():
        if f"No module named '{module}" in raised.message:
            return f"{name} is not installed here: pip install 'nnx-conformance[{extra}]'"
    return ""


class End(StrEnum):
    """How a candidate's process ended. Reports show the values, as `observed`, and as `ended` in JSON."""

    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    MALFORMED = "malformed"

    @property
    def cause(self) -> str:
        """Why a process ends this way, in one line."""
        return _CAUSES[self]


_CAUSES = {
    End.CRASHED: "the process was ended from within: os._exit, a crash of native code, or a limit, such as `--memory`",
    End.TIMED_OUT: "a loop that does not end, or more work than the limit allows",
    End.MALFORMED: "the candidate meddles with its own observation, or its result is too large to send",
}
