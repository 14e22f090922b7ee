"""JAX's persistent compilation cache: one of its own for each candidate's process, with what trusted code has compiled.

What is jitted anew in each call is then compiled once. JAX runs what it finds in a cache, so who writes to it runs
code in every process that reads it: candidates write to their own alone, in their private directory. Of the trusted
one, which there is once for each grading, as what is compiled depends on the machine, it holds links; in the sandbox
candidates can follow them and not write there.
"""

from __future__ import annotations

import contextlib
import os

#: Whatever was compiled is kept, and its key does not depend on the folder.
SETTINGS = {
    "JAX_ENABLE_COMPILATION_CACHE": "true",
    "JAX_COMPILATION_CACHE_DIR": "",
    "JAX_COMPILATION_CACHE_MAX_SIZE": "-1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
}
#: The variable that names the trusted cache's folder to processes that only read it.
TRUSTED = "NNX_CONFORMANCE_COMPILED"
FOLDER, ENTRY = "compiled", "-cache"
#: Of its own a process keeps no more: what is left of the private directory is the candidate's. `st_blocks` are of 512.
MOST_BYTES, BLOCK = 16 * 1024 * 1024, 512


def environment(folder: str, *, fill: bool) -> dict[str, str]:
    """What a fork server gets for a trusted cache; nothing if there is none.

    Args:
        folder: where it is; may be empty.
        fill: whether its processes are trusted and write to it.
    """
    if not folder:
        return {}
    return {"JAX_COMPILATION_CACHE_DIR" if fill else TRUSTED: folder}


class OwnCache:
    """The cache of this process, if it does not fill a trusted one. JAX is imported; nothing is compiled yet.

    Args:
        home: the private directory.
    """

    def __init__(self, home: str) -> None:
        import jax

        self._folder, self._looked_at = "", 0
        if jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
            return
        self._folder = os.path.join(home, FOLDER)
        os.mkdir(self._folder)
        self._link(os.environ.get(TRUSTED, ""))
        jax.config.update("jax_compilation_cache_dir", self._folder)  # type: ignore[no-untyped-call]

    def _link(self, trusted: str) -> None:
        for name in os.listdir(trusted) if trusted else ():
            if name.endswith(ENTRY):  # JAX 0.4 writes beside each one when it was read
                os.symlink(os.path.join(trusted, name), os.path.join(self._folder, name))

    def keep_small(self) -> None:
        """Forget what this process compiled itself if that is too much; JAX compiles it again."""
        if not self._folder:
            return
        with contextlib.suppress(OSError):  # whatever the candidate has done to its directory
            changed = os.stat(self._folder).st_mtime_ns
            if changed != self._looked_at:  # listing it takes as long as a short case
                self._looked_at = changed
                self._forget_much()

    def _forget_much(self) -> None:
        with os.scandir(self._folder) as entries:
            own = [entry for entry in entries if not entry.is_symlink()]
        if sum(entry.stat().st_blocks for entry in own) * BLOCK > MOST_BYTES:
            for entry in own:
                os.unlink(entry.path)
