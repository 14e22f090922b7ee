"""Computes for ever (20 s, should nobody end it), deaf to all signals and exceptions."""

import signal
import time


def mutability_increment_count(seed, x, n_calls):
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            while time.monotonic() < end:
                pass
        except BaseException:
            continue
