"""Runs Python where the host forbids namespaces: `unshare` fails, as it does in many containers."""

import ctypes
import os
import platform
import struct
import sys

UNSHARE = {"x86_64": 272, "aarch64": 97}
LOAD, EQUAL, RETURN, REFUSE, ALLOW = 0x20, 0x15, 0x06, 0x00050001, 0x7FFF0000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


steps = [(LOAD, 0, 0, 0), (EQUAL, 0, 1, UNSHARE[platform.machine()]), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
code = b"".join(struct.pack("HBBI", *step) for step in steps)
buffer = ctypes.create_string_buffer(code, len(code))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, ctypes.byref(Program(len(steps), ctypes.cast(buffer, ctypes.c_void_p))), 0, 0) != 0:
    sys.exit("no seccomp")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
