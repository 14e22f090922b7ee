"""Drops the privileges of root, which no candidate keeps even if root grades it."""

from __future__ import annotations

import ctypes
import os

from nnx_conformance.sandbox import linux

#: The user that root's candidates run as, because the kernel does not limit root's tasks; `nobody` on every Linux.
NOBODY = 65534
TO_BE_NOBODY = frozenset({linux.CAP_CHOWN, linux.CAP_DAC_READ_SEARCH, linux.CAP_SETGID, linux.CAP_SETUID})


def drop(home: str) -> None:
    """Drop every capability. Root keeps the one to read all files, and becomes `nobody` if it can.

    Args:
        home: the private folder, which then belongs to `nobody`.
    """
    capabilities = linux.capabilities()
    kept = capabilities & {linux.CAP_DAC_READ_SEARCH} if os.geteuid() == 0 else frozenset()
    if os.geteuid() == 0 and capabilities >= TO_BE_NOBODY:
        _become_nobody(home)
    linux.keep_capabilities(kept)
    linux.prctl(linux.PR_SET_DUMPABLE, ctypes.c_ulong(1))  # otherwise it could not read its own /proc entries
    linux.die_with_parent()  # again, because a change of user undoes it


def _become_nobody(home: str) -> None:
    os.chown(home, NOBODY, NOBODY)
    linux.prctl(linux.PR_SET_KEEPCAPS, ctypes.c_ulong(1))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def drop_limits() -> None:
    """Drop the capability to exceed resource limits, which root has."""
    if linux.MACHINE in linux.CAPSET:
        linux.keep_capabilities(linux.capabilities() - {linux.CAP_SYS_RESOURCE})
