"""The privileges of root, which no candidate keeps, whoever grades it."""

from __future__ import annotations

import ctypes
import os

from nnx_conformance.sandbox import linux

#: Whom root's candidates run as: the kernel does not count what root starts. The number is nobody's on every Linux.
NOBODY = 65534
TO_BE_NOBODY = frozenset({linux.CAP_CHOWN, linux.CAP_DAC_READ_SEARCH, linux.CAP_SETGID, linux.CAP_SETUID})


def drop(home: str) -> None:
    """Drop every capability; root keeps that of reading what it could read before, and becomes nobody where it can.

    Args:
        home: the private directory, which is then nobody's.
    """
    capabilities = linux.capabilities()
    kept = capabilities & {linux.CAP_DAC_READ_SEARCH} if os.geteuid() == 0 else frozenset()
    if os.geteuid() == 0 and capabilities >= TO_BE_NOBODY:
        _become_nobody(home)
    linux.keep_capabilities(kept)
    linux.prctl(linux.PR_SET_DUMPABLE, ctypes.c_ulong(1))  # or it could not read what /proc says of itself
    linux.die_with_parent()  # a change of user undoes it


def _become_nobody(home: str) -> None:
    os.chown(home, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_KEEPCAPS, ctypes.c_ulong(1))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def drop_limits() -> None:
    """Drop the capability by which root exceeds the limits that were set."""
    if linux.MACHINE in linux.CAPSET:
        linux.keep_capabilities(linux.capabilities() - {linux.CAP_SYS_RESOURCE})
