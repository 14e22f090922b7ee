"""What became of loading a candidate, on which versions, and how its process ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nnx_conformance.core.facts import Raised, Warned


@dataclass(frozen=True)
class Loaded:
    """A candidate that was loaded: what its import wrote and warned, and how it can be called.

    Attributes:
        conditions: whether its source holds any, so that watching what they compare may lead to further cases.
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
        misuse: whether the target is wrong (no such name, say) and not the candidate's code.
        reason: one sentence.
        cause: why, in one line.
        raised: the exception of the candidate's code, if it was one.
        output: what was written to stdout and stderr.
        remedy: how to fix it, of a candidate that was imported and raises as soon as it is used.
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


#: By the name that is imported: what it is called, and the extra of this distribution that brings it.
EXTRAS = {"torch": ("PyTorch", "torch")}


def missing(raised: Raised | None) -> str:
    """How to install what an import did not find; empty if that is not what was raised, or it is no extra."""
    if raised is None or raised.type not in ("ModuleNotFoundError", "ImportError"):
        return ""
    for module, (name, extra) in EXTRAS.items():
        if f"No module named '{module}" in raised.message:
            return f"{name} is not installed here: pip install 'nnx-conformance[{extra}]'"
    return ""


class End(StrEnum):
    """The values are the words of reports: `observed`, and `ended` in JSON."""

    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    MALFORMED = "malformed"

    @property
    def cause(self) -> str:
        """Why a process ends in this way, in one line."""
        return _CAUSES[self]


_CAUSES = {
    End.CRASHED: "the process was ended from within: os._exit, a crash of native code, or a limit, such as `--memory`",
    End.TIMED_OUT: "a loop that does not end, or more work than the limit allows",
    End.MALFORMED: "the candidate meddles with its own observation, or its result is too large to hand on",
}
