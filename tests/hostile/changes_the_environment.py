"""Changes every variable that a process started later would read."""

import os

os.environ.update(
    JAX_PLATFORMS="tpu",
    JAX_ENABLE_X64="1",
    PYTHONPATH="@outside@",
    PYTHONSTARTUP="@outside@/x.py",
    LD_PRELOAD="@outside@/x.so",
    HOME="@outside@",
    TMPDIR="/",
    PATH="@outside@",
)


def mutability_increment_count(seed, x, n_calls):
    os.environ.clear()
    return None
