"""A filter that forbids system calls that a function of arrays never needs, but a hostile candidate wants.

Forbidden calls fail with EPERM, so that Python raises PermissionError in the candidate's own line. The filter is a
classic BPF program, see seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from nnx_conformance.sandbox import linux

MODE_FILTER = 2
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
#: The offsets of the call's number, the machine, and the low halves of the arguments.
NUMBER, ARCHITECTURE, ARGUMENTS, WIDTH = 0, 4, 16, 8
X32 = 0x40000000
CLONE_THREAD = 0x10000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NONE = -1

#: Name: number on x86_64, number on aarch64.
FORBIDDEN = {
    # network; `socketpair` stays for streams, which reach nobody else, see below
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # processes; threads go through `clone`, below
    "fork": (57, NONE), "vfork": (58, NONE), "execve": (59, 221), "execveat": (322, 281),
    # other processes
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # memory that other processes can access, or that no limit counts
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semctl": (66, 191),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180),
    "mq_unlink": (241, 181), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    # changes that Landlock does not forbid: modes, owners, times and attributes of files; `truncate` before version 3
    "chmod": (90, NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, NONE),
    "fchown": (93, 55), "lchown": (94, NONE), "fchownat": (260, 54), "utime": (132, NONE), "utimes": (235, NONE),
    "utimensat": (280, 88), "futimesat": (261, NONE), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "truncate": (76, 45),
    # the configuration of the system
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl_fd": (443, 443), "fanotify_init": (300, 262),
    "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    "quotactl": (179, 60), "syslog": (103, 116), "personality": (135, 92), "iopl": (172, NONE), "ioperm": (173, NONE),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)
#: Calls whose first argument must be this process, or 0.
ON_ITSELF = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
#: The first call newer than the lists above. The C library works without newer calls.
UNKNOWN = 463
MMAP, SHARED, ANONYMOUS = (9, 222), 0x01, 0x20
#: A datagram socket of a pair can send to any address; the bit distinguishes datagrams from streams.
SOCKETPAIR, DATAGRAMS = (53, 199), 0x2
#: Commands that let the kernel send a signal, or make other processes wait, on behalf of a descriptor: `F_SETOWN`,
#: `F_SETSIG`, `F_SETOWN_EX`, `F_SETLEASE`, `F_NOTIFY`; `FIOSETOWN`, `SIOCSPGRP`.
FCNTL, FCNTL_FORBIDDEN = (72, 25), (8, 10, 15, 1024, 1026)
IOCTL, IOCTL_FORBIDDEN = (16, 29), (0x8901, 0x8902)
#: `O_TRUNC` empties a file even if it is opened for reading; Landlock forbids that from version 3 on. A filter cannot
#: read the flags of `openat2`.
OPEN, OPENAT, OPENAT2, CUT, WRITING = (2, NONE), (257, 56), (437, 437), 0x200, 0x3


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def supported() -> bool:
    """Whether we know the numbers of this machine's system calls."""
    return linux.MACHINE in ARCHITECTURES


def restrict() -> None:
    """Filter the system calls of this process and all its threads from now on; needs `no_new_privs`."""
    code = program(linux.MACHINE, os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    loaded = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    linux.prctl(linux.PR_SET_SECCOMP, ctypes.c_ulong(MODE_FILTER), ctypes.byref(loaded))


def program(machine: str, pid: int) -> bytes:
    """The filter for a machine and a process."""
    column = list(ARCHITECTURES).index(machine)
    refuse = _step(RETURN, ERRNO | errno.EPERM)
    steps = [
        _step(LOAD, ARCHITECTURE), _step(EQUAL, ARCHITECTURES[machine], yes=1), _step(RETURN, KILL),
        _step(LOAD, NUMBER), _step(AT_LEAST, X32, no=1), refuse,
        # ENOSYS makes the C library fall back to `clone` and `openat`, whose flags a filter can read
        _step(EQUAL, CLONE3[column], no=1), _step(RETURN, ERRNO | errno.ENOSYS),
        _step(EQUAL, OPENAT2[column], no=1), _step(RETURN, ERRNO | errno.ENOSYS),
        _step(EQUAL, CLONE[column], no=4), _step(LOAD, ARGUMENTS), _step(BITS, CLONE_THREAD, no=1),
        _step(RETURN, ALLOW), refuse,
    ]  # fmt: skip
    for numbers in ON_ITSELF.values():
        steps += [_step(EQUAL, numbers[column], no=5), _step(LOAD, ARGUMENTS)]
        steps += [_step(EQUAL, pid, yes=1), _step(EQUAL, 0, no=1), _step(RETURN, ALLOW), refuse]
    steps += _arguments_refused(column)
    for numbers in FORBIDDEN.values():
        if numbers[column] != NONE:
            steps += [_step(EQUAL, numbers[column], no=1), refuse]
    unknown = [_step(AT_LEAST, UNKNOWN, no=1), _step(RETURN, ERRNO | errno.ENOSYS)]
    return b"".join([*steps, *unknown, _step(RETURN, ALLOW)])


def _arguments_refused(column: int) -> list[bytes]:
    """The steps for calls that are refused only with certain arguments."""
    refuse, allow = _step(RETURN, ERRNO | errno.EPERM), _step(RETURN, ALLOW)
    shared = [
        _step(LOAD, ARGUMENTS + 3 * WIDTH),
        _step(BITS, ANONYMOUS, no=2),
        _step(BITS, SHARED, no=1),
        refuse,
        allow,
    ]
    pair = [_step(LOAD, ARGUMENTS + WIDTH), _step(BITS, DATAGRAMS, no=1), refuse, allow]
    cut = [_step(BITS, CUT, no=2), _step(BITS, WRITING, yes=1), refuse, allow]
    opened, opened_at = [_step(LOAD, ARGUMENTS + WIDTH), *cut], [_step(LOAD, ARGUMENTS + 2 * WIDTH), *cut]
    steps = []
    for numbers, block in ((MMAP, shared), (SOCKETPAIR, pair), (OPEN, opened), (OPENAT, opened_at)):
        if numbers[column] != NONE:
            steps += [_step(EQUAL, numbers[column], no=len(block)), *block]
    for numbers, commands in ((FCNTL, FCNTL_FORBIDDEN), (IOCTL, IOCTL_FORBIDDEN)):
        tests = [part for command in commands for part in (_step(EQUAL, command, no=1), refuse)]
        steps += [_step(EQUAL, numbers[column], no=len(tests) + 2), _step(LOAD, ARGUMENTS + WIDTH), *tests, allow]
    return steps


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are the numbers of instructions to skip."""
    return struct.pack("HBBI", code, yes, no, value)
