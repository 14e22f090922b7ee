"""JAX's persistent compilation cache: filled by trusted code alone, read by candidates.

JAX runs what it finds there, so who writes to it runs code in every later process. Candidates get it only in the
sandbox, where they cannot write to it. One for each grading, as what is compiled depends on the machine.
"""

from __future__ import annotations

#: JAX stores what took at least so many seconds to compile: everything, or nothing.
EVERYTHING, NOTHING = "0", "1000000"


def environment(folder: str, *, fill: bool) -> dict[str, str]:
    """What makes JAX use a cache; empty if there is none.

    Args:
        folder: where it is; may be empty.
        fill: whether what is compiled is stored there, too.
    """
    if not folder:
        return {}
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": EVERYTHING if fill else NOTHING,
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
