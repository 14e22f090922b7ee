"""The files that a candidate must be able to read: the interpreter, its libraries, and the settings that they read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from nnx_conformance.sandbox import compile_cache

SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/opt", "/nix", "/proc", "/sys", "/run/opengl-driver",
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
)  # fmt: skip
#: The names in /etc that libraries read. Not all of /etc, because root may read the passwords and keys in it.
SETTINGS = (
    "alternatives", "gai.conf", "group", "host.conf", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "ld.so.preload", "locale.alias", "locale.conf", "localtime", "mime.types", "nsswitch.conf", "os-release", "passwd",
    "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip


def libraries(hidden: Iterable[str]) -> tuple[str, ...]:
    """The paths that a candidate may read.

    Args:
        hidden: absolute paths of folders that it must not read, such as that of the right solutions.
    """
    interpreter = os.path.dirname(os.path.realpath(sys.executable))
    cache = os.environ.get(compile_cache.TRUSTED, "")
    settings = [os.path.join("/etc", name) for name in SETTINGS]
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, interpreter, cache)
    roots = {
        os.path.realpath(path) for path in (*SYSTEM, *settings, *prefixes, *sys.path) if path and os.path.exists(path)
    }
    secret = [os.path.realpath(path) for path in hidden]
    return tuple(sorted({path for root in roots for path in _without(root, secret)}))


def _without(root: str, secret: list[str]) -> Iterator[str]:
    """The root; or, if a secret is below it, the paths below it that contain no secret."""
    if any(_lies_in(root, folder) for folder in secret):
        return
    if not any(_lies_in(folder, root) for folder in secret):
        yield root
        return
    for name in os.listdir(root):
        yield from _without(os.path.join(root, name), secret)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
