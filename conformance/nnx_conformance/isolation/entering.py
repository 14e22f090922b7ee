"""Entering the jail: what a candidate's process does to itself before the first line of the candidate runs."""

from __future__ import annotations

import contextlib
import os
import tempfile

from nnx_conformance.isolation import landlock, linux, namespaces, power, rlimits, seccomp
from nnx_conformance.isolation.host import Ground
from nnx_conformance.isolation.jail import Jail

#: Linux kills the process with the highest score first when memory runs out.
FIRST_TO_GO = "1000"


def enter(jail: Jail, ground: Ground, home: str) -> None:
    """Enter; there is no way back. A step that fails raises, and then nothing of the candidate may run.

    Args:
        jail: what to be kept to.
        ground: what the zygote prepared.
        home: the private directory, which exists.
    """
    os.setsid()
    if linux.LINUX:
        linux.die_with_parent()
    if ground.obtained.level == "process":
        rlimits.lower_file_size(jail.file_bytes)
        return
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(FIRST_TO_GO)
    if ground.namespaces:
        namespaces.furnish(jail, home)
    os.environ.update(HOME=home, TMPDIR=home)
    tempfile.tempdir = None  # what the zygote found is not the candidate's
    rlimits.restrict(jail, ground.tasks)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if ground.obtained.level == "sandbox":
        _sandbox(jail, ground, home)
    else:
        power.give_up_limits()


def _sandbox(jail: Jail, ground: Ground, home: str) -> None:
    power.give_up(home)
    landlock.restrict(home, None if jail.reads == "everything" else ground.readable)
    seccomp.restrict()
