"""Sets limits, priority and cores of another process. The right candidate follows."""

import os
import resource

VICTIM = int("@victim@")

for act in (
    lambda: resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (77, 77)),
    lambda: os.setpriority(os.PRIO_PROCESS, VICTIM, 19),
    lambda: os.sched_setaffinity(VICTIM, {min(os.sched_getaffinity(0))}),
    lambda: os.sched_setscheduler(VICTIM, os.SCHED_BATCH, os.sched_param(0)),
):
    try:
        act()
    except (OSError, ValueError):
        pass
