"""What this host gives for a jail, and the ground on which it is built: once for each zygote."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass

from nnx_conformance.isolation import landlock, linux, namespaces, rlimits, seccomp
from nnx_conformance.isolation.jail import LEVELS, Jail, Level, Obtained
from nnx_conformance.isolation.readable import libraries


@dataclass(frozen=True)
class Ground:
    """Where jails are built.

    Attributes:
        base: a directory that is removed in the end; a candidate's private one is this, or lies in it.
        namespaces: whether candidates get namespaces of their own.
        processes: a descriptor of this process's own process namespace; -1 without namespaces.
        tasks: how many tasks the user ran before.
        readable: what a candidate may read that may not read everything.
    """

    obtained: Obtained
    base: str
    namespaces: bool
    processes: int
    tasks: int
    readable: tuple[str, ...]


def obtain(jail: Jail) -> Obtained:
    """What of the jail can be had here, as far as can be told without entering anything."""
    if not linux.LINUX:
        return _told(jail, "process", (), {"limits": f"they are known for Linux alone, and this is {sys.platform}"})
    missing = {}
    parts = []
    try:
        parts.append(f"Landlock {landlock.version()}")
    except OSError as error:
        missing["Landlock"] = f"{error.strerror}; it needs Linux 5.13 with `landlock` among its security modules"
    if seccomp.supported():
        parts.append("seccomp")
    else:
        missing["seccomp"] = f"the system calls of {linux.MACHINE} are not known to the kit"
    return _told(jail, "limits" if missing else "sandbox", tuple(parts), missing)


def _told(jail: Jail, strongest: Level, parts: tuple[str, ...], missing: dict[str, str]) -> Obtained:
    level = jail.level or strongest
    parts = parts if level == "sandbox" else ()
    if LEVELS.index(level) <= LEVELS.index(strongest):
        return Obtained(level, parts, missing)
    return Obtained(strongest, parts, missing, "; ".join(f"{name}: {why}" for name, why in missing.items()))


def settle(jail: Jail) -> Ground:
    """Prepare the ground. Returns in the process that is to fork the candidates' processes; others wait for it.

    The caller is a young process with a single thread. Candidates' processes that outlive their parents become its
    children, so that it can end them.
    """
    obtained = obtain(jail)
    base = tempfile.mkdtemp(prefix="nnx-conformance-")
    tasks = rlimits.running_tasks() if obtained.level != "process" else 0
    reason = _enter_namespaces(base) if obtained.level == "sandbox" else "not asked for"
    if linux.LINUX:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    readable = libraries(jail.hidden) if jail.reads == "libraries" else ()
    if reason:
        missing = {**obtained.missing, "namespaces": reason} if obtained.level == "sandbox" else obtained.missing
        return Ground(dataclasses.replace(obtained, missing=missing), base, False, -1, tasks, readable)
    obtained = dataclasses.replace(obtained, parts=(*obtained.parts, "namespaces"))
    mine = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    return Ground(obtained, base, True, mine, tasks, readable)


def _enter_namespaces(base: str) -> str:
    """Why it cannot be done; empty if it was."""
    try:
        namespaces.become_alone()
    except OSError as error:
        return f"{error.strerror}; the host forbids user namespaces"
    first = os.fork()
    if first:
        _wait_for(first, base)
    linux.die_with_parent()
    try:
        namespaces.close_off()
    except OSError as error:
        return f"{error.strerror}; the host restricts what user namespaces may do"
    return ""


def _wait_for(child: int, base: str) -> None:
    """Live as long as the child, clean up after it, and end as it did."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(child, 0)
    shutil.rmtree(base, ignore_errors=True)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
