"""What root may do that others may not: a candidate may not, whoever grades it."""

from __future__ import annotations

import ctypes
import os

from nnx_conformance.isolation import linux

#: Whom root's candidates run as: the kernel does not count what root starts. The number is nobody's on every Linux.
NOBODY = 65534
TO_BE_NOBODY = frozenset({linux.CAP_CHOWN, linux.CAP_DAC_READ_SEARCH, linux.CAP_SETGID, linux.CAP_SETUID})


def give_up(home: str) -> None:
    """Keep no capability but, as root, that of reading what root could read before; be nobody then, if that can be.

    Args:
        home: the private directory, which is then nobody's.
    """
    held = linux.capabilities()
    kept = held & {linux.CAP_DAC_READ_SEARCH} if os.geteuid() == 0 else frozenset()
    if os.geteuid() == 0 and held >= TO_BE_NOBODY:
        _become_nobody(home)
    linux.keep_capabilities(kept)
    linux.prctl(linux.PR_SET_DUMPABLE, ctypes.c_ulong(1))  # or it could not read what /proc tells of itself
    linux.die_with_parent()  # a change of user undoes it


def _become_nobody(home: str) -> None:
    os.chown(home, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_KEEPCAPS, ctypes.c_ulong(1))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def give_up_limits() -> None:
    """Without this capability root, too, is kept to the limits that were set."""
    if linux.MACHINE in linux.CAPSET:
        linux.keep_capabilities(linux.capabilities() - {linux.CAP_SYS_RESOURCE})
