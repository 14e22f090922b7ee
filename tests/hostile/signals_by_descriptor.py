"""Lets the kernel signal somebody else when one of its own descriptors becomes ready. The right candidate follows."""

import fcntl
import os
import signal
import socket
import struct

VICTIM = int("@victim@")

F_SETSIG = 10
reads, writes = os.pipe()
try:
    fcntl.fcntl(reads, fcntl.F_SETOWN, VICTIM)
    fcntl.fcntl(reads, F_SETSIG, signal.SIGUSR1)
    fcntl.fcntl(reads, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writes, b"x")
except OSError:
    pass
ours, theirs = socket.socketpair()
try:
    fcntl.ioctl(ours, 0x8901, struct.pack("i", VICTIM))
    fcntl.fcntl(ours, F_SETSIG, signal.SIGUSR1)
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)
    theirs.send(b"x")
except OSError:
    pass
