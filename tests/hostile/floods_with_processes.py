"""Starts 64 processes that stay for 20 s. The right candidate follows."""

import os
import time

started = 0
for _ in range(64):
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        started += 1
    except OSError:
        break
if started == 64:
    print("@mark@")
