"""The jail as data: what is asked for, and what a host really gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["process", "limits", "sandbox"]
#: From the weakest to the strongest.
LEVELS: tuple[Level, ...] = ("process", "limits", "sandbox")

MIB = 1024 * 1024


@dataclass(frozen=True)
class Jail:
    """What a candidate's process is kept to.

    Attributes:
        level: the level that is asked for; empty for the strongest that the host gives.
        memory: bytes of data, by RLIMIT_DATA (it suits JAX; RLIMIT_AS counts what is merely reserved).
        cpu_seconds: of one process, all its threads together: beyond what the judge allows, should that be gone.
        file_bytes: the largest file, captured output included.
        open_files: descriptors.
        tasks: processes and threads beyond those that the user already runs. It does not bind root.
        temporary_bytes: in its private temporary directory, where that is a file system of its own.
        reads: whether it may read everything that the user may, or only what Python needs; in the sandbox.
        hidden: folders of libraries that it may not read all the same, where `reads` is `libraries`.
        pass_env: names of environment variables that it gets beside the harmless ones; `limits` and up.
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


#: The strongest that the host gives.
ANY_JAIL = Jail()


@dataclass(frozen=True)
class Obtained:
    """What a host gives.

    Attributes:
        level: the strongest level, or the one that was asked for.
        parts: the mechanisms of the sandbox that are there, such as `Landlock 7`.
        missing: those that are not, each with the reason.
        refused: why the level that was asked for cannot be had; empty if it can.
    """

    level: Level
    parts: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.level} ({', '.join(self.parts)})" if self.parts else self.level
