"""Resource limits of a process and its descendants."""

from __future__ import annotations

import contextlib
import os
import resource

from nnx_conformance.sandbox.jail import MIB, Jail

#: Address space besides the data that the threads of each core reserve and never touch.
RESERVED_PER_CORE = 512 * MIB


def restrict(jail: Jail, running: int) -> None:
    """Set all limits; `running` is how many tasks the user already runs."""
    cores = os.cpu_count() or 1
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, jail.cpu_seconds)
    lower(resource.RLIMIT_DATA, jail.memory)
    lower(resource.RLIMIT_AS, _address_space() + jail.memory + cores * RESERVED_PER_CORE)
    lower(resource.RLIMIT_NOFILE, jail.open_files)
    lower(resource.RLIMIT_NPROC, running + jail.tasks)
    lower(resource.RLIMIT_FSIZE, jail.file_bytes)


def lower(kind: int, value: int) -> None:
    """Set the soft and hard limit of a kind, never above the hard limit in force."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def lower_file_size(value: int) -> None:
    """Set the only limit of the weakest level, which also bounds the file of captured output."""
    lower(resource.RLIMIT_FSIZE, value)


def running_tasks() -> int:
    """How many tasks this user runs; the limit on tasks counts all of them."""
    tasks, user = 0, os.getuid()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
