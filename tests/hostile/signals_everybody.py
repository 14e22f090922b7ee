"""Signals everybody whom it may signal, with what is ignored by default. The right candidate follows."""

import os
import signal

try:
    os.kill(-1, signal.SIGWINCH)
except OSError:
    pass
