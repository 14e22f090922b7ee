"""Namespaces: a view of the system without other processes and network, and with all file systems read-only.

The fork server enters them first, because inside its own user namespace it may do what only root may do outside.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator

from nnx_conformance.sandbox import linux
from nnx_conformance.sandbox.jail import Jail
from nnx_conformance.sandbox.privileges import NOBODY

EVERYBODY = 4_294_967_295


def become_alone() -> None:
    """Enter a user and a process namespace, whose first process is the next child. Needs a single thread.

    Raises:
        OSError: if the host forbids it.
    """
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)
        _write("/proc/self/setgroups", "deny")
        _map("self", user, group, 1)
        return
    # Root keeps all users, so that it can read what it could read before. Only a process outside can map them.
    with _helper(lambda: _map(str(os.getppid()), 0, 0, EVERYBODY)):
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID)


@contextlib.contextmanager
def _helper(act: Callable[[], None]) -> Iterator[None]:
    """Let a child call `act` after the block, outside of the namespaces that this process enters in it.

    Raises:
        OSError: if the call fails.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    os.close(reader)
    try:
        yield
    finally:
        os.close(writer)
        _, status = os.waitpid(child, 0)
    if status:
        raise PermissionError(errno.EPERM, "the users cannot be mapped")


def _map(process: str, user: int, group: int, count: int) -> None:
    _write(f"/proc/{process}/uid_map", f"{user} {user} {count}")
    _write(f"/proc/{process}/gid_map", f"{group} {group} {count}")


def close_off() -> None:
    """Give up network, shared memory and writable mounts; called by the first process of the namespace."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC)
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_PRIVATE)
    linux.read_only_mounts()
    _own_proc()


def furnish(jail: Jail, home: str) -> None:
    """Mount a private folder, and a view of this namespace's processes; called by a candidate's process."""
    linux.unshare(linux.CLONE_NEWNS)
    options = f"size={jail.temporary_bytes},nr_inodes=4096,mode=0700"
    if os.geteuid() == 0:
        options += f",uid={NOBODY},gid={NOBODY}"
    linux.mount("tmpfs", home, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    _own_proc(linux.MS_RDONLY)


def _own_proc(more: int = 0) -> None:
    """Mount /proc. If the host forbids it, as most containers do, other processes stay visible, but out of reach."""
    with contextlib.suppress(OSError):
        linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC | more)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
