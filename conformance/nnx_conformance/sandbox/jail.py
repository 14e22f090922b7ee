"""The jail as data: the limits requested, and the isolation that a host provides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["process", "limits", "sandbox"]
#: From the weakest to the strongest.
LEVELS: tuple[Level, ...] = ("process", "limits", "sandbox")

MIB = 1024 * 1024


@dataclass(frozen=True)
class Jail:
    """The limits of a candidate's process.

    Attributes:
        level: the level requested; empty for the strongest that the host provides.
        memory: bytes of data, by RLIMIT_DATA, because RLIMIT_AS also counts what JAX merely reserves.
        cpu_seconds: processor seconds of one process; more than the judge allows, for the case that the judge is gone.
        file_bytes: the size of the largest file, including captured output.
        open_files: how many descriptors.
        tasks: how many processes and threads besides those of the user. It does not bind root.
        temporary_bytes: the size of the private folder, if that is a file system of its own.
        reads: whether it may read everything that the user may, or only what Python needs; in the sandbox.
        hidden: folders of libraries that it may not read, if `reads` is `libraries`.
        pass_env: names of environment variables that it gets besides the harmless ones; from level `limits` on.
    """

    level: Level | Literal[""] = ""
    memory: int = 2048 * MIB
    cpu_seconds: int = 864_000
    file_bytes: int = 16 * MIB
    open_files: int = 256
    tasks: int = 512
    temporary_bytes: int = 64 * MIB
    reads: Literal["everything", "libraries"] = "everything"
    hidden: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()


#: The strongest level that the host provides, with default limits.
ANY_JAIL = Jail()


@dataclass(frozen=True)
class Obtained:
    """The isolation that a host provides.

    Attributes:
        level: the level requested, or the strongest one available.
        parts: the mechanisms of the sandbox, such as `Landlock 7`.
        missing: the mechanisms that the host lacks, each with the reason.
        refused: why the level requested is not available; empty if it is.
    """

    level: Level
    parts: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.level} ({', '.join(self.parts)})" if self.parts else self.level
