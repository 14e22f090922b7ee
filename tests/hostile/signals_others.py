"""Signals a process of somebody else, by every call that there is. The right candidate follows."""

import ctypes
import os
import signal

VICTIM = int("@victim@")

SIGNAL = signal.SIGUSR1
libc = ctypes.CDLL(None)
for act in (
    lambda: os.kill(VICTIM, SIGNAL),
    lambda: os.killpg(VICTIM, SIGNAL),
    lambda: libc.syscall(200, VICTIM, SIGNAL.value),
    lambda: libc.syscall(234, VICTIM, VICTIM, SIGNAL.value),
    lambda: signal.pidfd_send_signal(os.pidfd_open(VICTIM), SIGNAL),
    lambda: libc.sigqueue(VICTIM, SIGNAL.value, None),
):
    try:
        act()
    except (OSError, AttributeError):
        pass
