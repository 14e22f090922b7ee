"""Landlock: limits the files that a process and its descendants can access, without root. See landlock(7)."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterable

from nnx_conformance.sandbox import linux

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
#: The rights to remove and make files of every kind.
CHANGES = sum(1 << bit for bit in range(4, 13))
#: The rights to make devices, which would bypass all other limits.
MAKE_DEVICES = (1 << 6) | (1 << 11)
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
CONNECT_AND_BIND_TCP = 3
SIGNALS_AND_ABSTRACT_SOCKETS = 3

ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
#: Devices that a candidate may write to.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scoped")]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock's interface.

    Raises:
        OSError: if the kernel has no Landlock.
    """
    return linux.syscall("landlock_create_ruleset", CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG)


def restrict(writable: str, readable: Iterable[str] | None) -> None:
    """Let this process write inside one folder only, and read these paths; needs `no_new_privs`.

    Args:
        writable: the folder.
        readable: the paths that it may read besides; everything if None.
    """
    abi = version()
    writing = WRITE_FILE | CHANGES | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)
    writing |= IOCTL_DEV if abi >= 5 else 0
    reading = EXECUTE | READ_FILE | READ_DIR if readable is not None else 0
    rules = _Ruleset(
        writing | reading, CONNECT_AND_BIND_TCP if abi >= 4 else 0, SIGNALS_AND_ABSTRACT_SOCKETS if abi >= 6 else 0
    )
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = linux.syscall(
        "landlock_create_ruleset", CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    try:
        _allow(ruleset, writable, (writing & ~IOCTL_DEV & ~MAKE_DEVICES) | reading)
        for device in DEVICES:
            _allow(ruleset, device, WRITE_FILE)
        for path in readable or ():
            _allow(ruleset, path, reading)
        linux.syscall("landlock_restrict_self", RESTRICT_SELF, ruleset, ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            allowed = rights if os.path.isdir(path) else rights & ON_FILES
            rule = _PathBeneath(allowed, descriptor)
            linux.syscall("landlock_add_rule", ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0))
        finally:
            os.close(descriptor)
