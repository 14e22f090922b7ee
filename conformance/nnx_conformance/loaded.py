"""What became of loading a candidate, and on which versions."""

from __future__ import annotations

from dataclasses import dataclass

from nnx_conformance.observation import Raised, Warned


@dataclass(frozen=True)
class Loaded:
    """A candidate that was loaded: what its import wrote and warned, and how it can be called."""

    name: str
    file: str
    output: str
    warnings: tuple[Warned, ...]


@dataclass(frozen=True)
class NotLoaded:
    """A candidate that could not be loaded.

    Attributes:
        misuse: whether the target is wrong (no such name, say) and not the candidate's code.
        reason: one sentence.
        cause: why, in one line.
        raised: the exception of the candidate's code, if it was one.
        output: what was written to stdout and stderr.
    """

    misuse: bool
    reason: str
    cause: str = ""
    raised: Raised | None = None
    output: str = ""


@dataclass(frozen=True)
class Versions:
    """The versions that a report speaks of."""

    python: str
    jax: str
    flax: str
    kit: str
