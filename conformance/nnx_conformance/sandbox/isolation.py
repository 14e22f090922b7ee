"""Isolation: what this host provides, what a fork server prepares, and how a candidate's process enters the jail."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass

from nnx_conformance.sandbox import landlock, linux, namespaces, privileges, rlimits, seccomp
from nnx_conformance.sandbox.jail import LEVELS, Jail, Level, Obtained
from nnx_conformance.sandbox.readable import libraries

#: The score for the out-of-memory killer, which kills the process with the highest score first.
FIRST_TO_GO = "1000"
#: The prefix of fork servers' folders.
PREFIX = "nnx-conformance-"


@dataclass(frozen=True)
class Isolation:
    """The isolation that a fork server has prepared for its candidates.

    Attributes:
        base: a folder that is removed at the end; a candidate's private folder is this one, or inside it.
        namespaces: whether candidates get namespaces of their own.
        processes: a descriptor of the fork server's own process namespace; -1 without namespaces.
        tasks: how many tasks the user was running.
        readable: the paths that a candidate may read, if it may not read everything.
    """

    obtained: Obtained
    base: str
    namespaces: bool
    processes: int
    tasks: int
    readable: tuple[str, ...]


def obtain(jail: Jail) -> Obtained:
    """The isolation that this host can provide for the jail, as far as we can tell without entering it."""
    if not linux.LINUX:
        return _obtained(jail, "process", (), {"limits": f"they are known for Linux only, and this is {sys.platform}"})
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
    return _obtained(jail, "limits" if missing else "sandbox", tuple(parts), missing)


def _obtained(jail: Jail, strongest: Level, parts: tuple[str, ...], missing: dict[str, str]) -> Obtained:
    level = jail.level or strongest
    parts = parts if level == "sandbox" else ()
    if LEVELS.index(level) <= LEVELS.index(strongest):
        return Obtained(level, parts, missing)
    return Obtained(strongest, parts, missing, "; ".join(f"{name}: {why}" for name, why in missing.items()))


def prepare(jail: Jail, base: str) -> Isolation:
    """Prepare the isolation. May fork: then it returns in the child, which serves, and this process waits for it.

    The caller must have a single thread. It adopts the orphans of candidates, so that it can end them.

    Args:
        jail: the limits.
        base: an existing folder.
    """
    obtained = obtain(jail)
    tempfile.gettempdir()  # caches the folder, which Python finds by writing, for imports inside a read-only namespace
    tasks = rlimits.running_tasks() if obtained.level != "process" else 0
    reason = _enter_namespaces(base) if obtained.level == "sandbox" else "not asked for"
    if linux.LINUX:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    readable = libraries(jail.hidden) if jail.reads == "libraries" else ()
    if reason:
        missing = {**obtained.missing, "namespaces": reason} if obtained.level == "sandbox" else obtained.missing
        return Isolation(dataclasses.replace(obtained, missing=missing), base, False, -1, tasks, readable)
    obtained = dataclasses.replace(obtained, parts=(*obtained.parts, "namespaces"))
    mine = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    return Isolation(obtained, base, True, mine, tasks, readable)


def _enter_namespaces(base: str) -> str:
    """Enter namespaces; returns why it failed, or an empty text."""
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
    """Wait for the child, remove its folder, and exit with its status."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(child, 0)
    shutil.rmtree(base, ignore_errors=True)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def enter(jail: Jail, isolation: Isolation, home: str) -> None:
    """Enter the jail for good. If a step raises, no code of the candidate may run.

    Args:
        jail: the limits.
        isolation: what the fork server prepared.
        home: the private folder, which exists.
    """
    os.setsid()
    if linux.LINUX:
        linux.die_with_parent()
    if isolation.obtained.level == "process":
        rlimits.lower_file_size(jail.file_bytes)
        return
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(FIRST_TO_GO)
    if isolation.namespaces:
        namespaces.furnish(jail, home)
    os.environ.update(HOME=home, TMPDIR=home)
    tempfile.tempdir = None  # the candidate has another one than the fork server
    rlimits.restrict(jail, isolation.tasks)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if isolation.obtained.level == "sandbox":
        privileges.drop(home)
        landlock.restrict(home, None if jail.reads == "everything" else isolation.readable)
        seccomp.restrict()
    else:
        privileges.drop_limits()
