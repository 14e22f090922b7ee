"""JAX's persistent compilation cache: each candidate's process has its own, with links to one that trusted code filled.

With it, code that a candidate jits again in each call is compiled once. JAX runs what it finds in a cache, so whoever
writes to one runs code in every process that reads it. Therefore candidates write only to their own, in their private
folder. The trusted cache is filled once per grading, because compiled code depends on the machine; candidates in the
sandbox can read it through the links, but not write to it.
"""

from __future__ import annotations

import contextlib
import os

#: Keep all compiled code, under keys that do not depend on the folder.
SETTINGS = {
    "JAX_ENABLE_COMPILATION_CACHE": "true",
    "JAX_COMPILATION_CACHE_DIR": "",
    "JAX_COMPILATION_CACHE_MAX_SIZE": "-1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
}
#: The environment variable with the trusted cache's folder, for processes that only read it.
TRUSTED = "NNX_CONFORMANCE_COMPILED"
FOLDER, ENTRY = "compiled", "-cache"
#: The most bytes of a process's own entries: the rest of the private folder is the candidate's. `st_blocks` count 512.
MOST_BYTES, BLOCK = 16 * 1024 * 1024, 512


def environment(folder: str, *, fill: bool) -> dict[str, str]:
    """The environment of a fork server for a trusted cache.

    Args:
        folder: the cache's folder; empty for none.
        fill: whether the processes are trusted and write to it.
    """
    if not folder:
        return {}
    return {"JAX_COMPILATION_CACHE_DIR" if fill else TRUSTED: folder}


class OwnCache:
    """The cache of this process, unless it fills a trusted one. Make it after importing JAX and before compiling.

    Args:
        home: the private folder.
    """

    def __init__(self, home: str) -> None:
        import jax

        self._folder, self._checked = "", 0
        if jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
            return
        self._folder = os.path.join(home, FOLDER)
        os.mkdir(self._folder)
        self._link(os.environ.get(TRUSTED, ""))
        jax.config.update("jax_compilation_cache_dir", self._folder)  # type: ignore[no-untyped-call]

    def _link(self, trusted: str) -> None:
        for name in os.listdir(trusted) if trusted else ():
            if name.endswith(ENTRY):  # JAX 0.4 also writes a file with the time of the last read beside each
                os.symlink(os.path.join(trusted, name), os.path.join(self._folder, name))

    def keep_small(self) -> None:
        """Remove this process's own entries if they are too large; JAX compiles the code again."""
        if not self._folder:
            return
        with contextlib.suppress(OSError):  # the candidate may have done anything to its folder
            changed = os.stat(self._folder).st_mtime_ns
            if changed != self._checked:  # because listing it takes as long as a short case
                self._checked = changed
                self._remove_if_large()

    def _remove_if_large(self) -> None:
        with os.scandir(self._folder) as entries:
            own = [entry for entry in entries if not entry.is_symlink()]
        if sum(entry.stat().st_blocks for entry in own) * BLOCK > MOST_BYTES:
            for entry in own:
                os.unlink(entry.path)
