"""System calls without a Python function. Each raises OSError with the kernel's reason."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
from collections.abc import Iterable

LINUX = sys.platform.startswith("linux")
MACHINE = platform.machine()

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER = 1, 4, 8, 22, 36
PR_SET_NO_NEW_PRIVS = 38
MS_REC, MS_PRIVATE, MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x4000, 1 << 18, 1, 2, 4, 8
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
#: The same on every machine.
MOUNT_SETATTR = 442
CAPGET, CAPSET = {"x86_64": 125, "aarch64": 90}, {"x86_64": 126, "aarch64": 91}
CAPABILITIES = 0x20080522
CAP_CHOWN, CAP_DAC_READ_SEARCH, CAP_SETGID, CAP_SETUID, CAP_SYS_RESOURCE = 0, 2, 6, 7, 24


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Capabilities(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(name: str, number: int, *arguments: object) -> int:
    """A system call by its number."""
    return _checked(_libc().syscall(ctypes.c_long(number), *arguments), name)


def prctl(option: int, *arguments: object) -> int:
    """`prctl(2)`."""
    padded = [*arguments, *[ctypes.c_ulong(0)] * (4 - len(arguments))]
    return _checked(_libc().prctl(option, *padded), "prctl")


def unshare(flags: int) -> None:
    """`unshare(2)`."""
    _checked(_libc().unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """`setns(2)`."""
    _checked(_libc().setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """`mount(2)`."""
    texts = [text.encode() for text in (source, target, kind)]
    _checked(_libc().mount(*texts, ctypes.c_ulong(flags), data.encode()), f"mount {kind or source} on {target}")


def read_only_mounts() -> None:
    """Make all mounts of this mount namespace read-only."""
    attributes = _MountAttributes(attr_set=MOUNT_ATTR_RDONLY)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    syscall("mount_setattr", MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(attributes), size)


def capabilities() -> frozenset[int]:
    """The permitted capabilities of this process, among the first 32."""
    header, data = _CapabilityHeader(CAPABILITIES, 0), (_Capabilities * 2)()
    syscall("capget", CAPGET[MACHINE], ctypes.byref(header), ctypes.byref(data))
    return frozenset(number for number in range(32) if data[0].permitted >> number & 1)


def keep_capabilities(kept: Iterable[int]) -> None:
    """Drop every capability but these."""
    header, bits = _CapabilityHeader(CAPABILITIES, 0), sum(1 << number for number in kept)
    data = (_Capabilities * 2)(_Capabilities(bits, bits, 0), _Capabilities(0, 0, 0))
    syscall("capset", CAPSET[MACHINE], ctypes.byref(header), ctypes.byref(data))


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    import signal

    prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
