"""Leaves threads behind that write to every descriptor for 20 s."""

import os
import threading
import time


def write():
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for descriptor in range(1, 16):
            try:
                os.write(descriptor, b"conforms")
            except OSError:
                pass


def mutability_increment_count(seed, x, n_calls):
    for _ in range(4):
        threading.Thread(target=write).start()
    return None
