"""Limits of the system, set for one process and all that it starts."""

from __future__ import annotations

import contextlib
import os
import resource

from nnx_conformance.sandbox.jail import MIB, Jail

#: Address space beyond the data, for each core: what threads reserve and never touch.
RESERVED_PER_CORE = 512 * MIB


def restrict(jail: Jail, running: int) -> None:
    """Set every limit; `running` is how many tasks the user had before."""
    cores = os.cpu_count() or 1
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, jail.cpu_seconds)
    lower(resource.RLIMIT_DATA, jail.memory)
    lower(resource.RLIMIT_AS, _address_space() + jail.memory + cores * RESERVED_PER_CORE)
    lower(resource.RLIMIT_NOFILE, jail.open_files)
    lower(resource.RLIMIT_NPROC, running + jail.tasks)
    lower(resource.RLIMIT_FSIZE, jail.file_bytes)


def lower(kind: int, value: int) -> None:
    """Set both limits of a kind, never above what is set already."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def lower_file_size(value: int) -> None:
    """The one limit of the weakest level: what is captured of the output is a file, too."""
    lower(resource.RLIMIT_FSIZE, value)


def running_tasks() -> int:
    """How many tasks this user has now: the limit counts them all."""
    tasks, user = 0, os.getuid()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
