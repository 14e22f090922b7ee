"""Does nothing for ever (20 s), at import."""

import threading
import time

while time.sleep(20) is None:
    break
threading.Event().wait(20)
