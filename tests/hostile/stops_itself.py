"""Stops, as by Ctrl-Z, so that nothing it is sent but SIGKILL and SIGCONT arrives."""

import os
import signal


def mutability_increment_count(seed, x, n_calls):
    os.kill(os.getpid(), signal.SIGSTOP)
