"""Takes the limits off itself again. The right candidate follows."""

import resource

raised = []
for name in ("AS", "CPU", "DATA", "FSIZE", "NOFILE", "NPROC"):
    kind = getattr(resource, f"RLIMIT_{name}")
    soft, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(kind, (hard + 1, hard + 1))
        raised.append(name)
    except (OSError, ValueError):
        pass
if raised:
    print("@mark@", raised)
