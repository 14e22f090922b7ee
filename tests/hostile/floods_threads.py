"""Starts 900 threads with small stacks. The right candidate follows."""

import threading

stop = threading.Event()
threading.stack_size(64 * 1024)
held = []
try:
    for _ in range(900):
        held.append(threading.Thread(target=stop.wait, args=(20,), daemon=True))
        held[-1].start()
    print("@mark@")
except (RuntimeError, MemoryError):
    held.pop()
stop.set()
for thread in held:
    thread.join()
threading.stack_size(0)
