"""Lies in wait in every hook that Python has: trace, profile, audit, gc, atexit, excepthook, import."""

import atexit
import gc
import os
import sys
import threading


def leave(*args, **kwargs):
    os._exit(0)


def hook(*args, **kwargs):
    return hook


def mutability_increment_count(seed, x, n_calls):
    atexit.register(leave)
    sys.excepthook = sys.unraisablehook = threading.excepthook = leave
    sys.settrace(hook)
    sys.setprofile(hook)
    sys.meta_path.insert(0, type("Finder", (), {"find_spec": staticmethod(leave)}))
    gc.callbacks.append(leave)
    sys.displayhook = sys.breakpointhook = leave
    gc.collect()
    return None
