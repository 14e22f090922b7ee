"""Which files are the candidate's own: those in its folder, in its project, and in packages installed as editable.

The candidate's process checks each frame, to name the line of a finding. The judge checks each line in the facts,
because a candidate's process may name any file.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import sysconfig
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.metadata import distributions
from urllib.parse import unquote, urlsplit

#: A folder with one of these is a project's root.
MARKS = ("pyproject.toml", ".git")
INSTALLED = ("site-packages", "dist-packages")
#: Packages that are never a candidate's, even in its project or installed as editable.
OTHERS = ("nnx_conformance", "nnx_strategies", "nnx_reference", "flax", "jax", "jaxlib", "hypothesis", "chex", "optax")


def roots(file: str, packages: Iterable[str] = ()) -> tuple[str, ...]:
    """The folders whose files belong to a candidate, besides its own folder.

    Args:
        file: the candidate's file; may be a name such as `<stdin>`, which is in no project.
        packages: the import names of further packages of its author.
    """
    if not os.path.isabs(file):
        return ()
    return tuple(dict.fromkeys(filter(None, [project_root(file), *editable(), *map(_folder, packages)])))


def project_root(file: str) -> str:
    """The nearest folder above a file with a pyproject.toml or a repository; empty if there is none."""
    folder = os.path.dirname(os.path.realpath(file))
    while not any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    return folder


@functools.cache
def editable() -> tuple[str, ...]:
    """The folders of the projects that are installed as editable, without the kit's own."""
    folders = []
    for distribution in distributions():
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            origin = json.loads(distribution.read_text("direct_url.json") or "{}")
            if origin.get("dir_info", {}).get("editable") and distribution.metadata["Name"] != "nnx-conformance":
                folders.append(os.path.realpath(unquote(urlsplit(origin["url"]).path)))
    return tuple(folders)


def _folder(package: str) -> str:
    """The folder of a package; empty if it is not installed. Imports nothing."""
    spec = PathFinder.find_spec(package, ["", *sys.path])
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return os.path.realpath(folders[0]) if folders else ""


@functools.cache
def _foreign() -> tuple[str, ...]:
    """The folders of code that is never a candidate's: the standard library and `OTHERS`."""
    libraries = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return tuple(os.path.realpath(path) + os.sep for path in (*libraries, *map(_folder, OTHERS)) if path)


def within(path: str, owned: Iterable[str]) -> bool:
    """Whether a file is in one of these folders and in no library below it."""
    real = os.path.realpath(path)
    if real.startswith(_foreign()):
        return False
    return any(_lies_in(real, root) for root in owned)


def _lies_in(path: str, root: str) -> bool:
    below = path.removeprefix(root.rstrip(os.sep) + os.sep)
    if below == path:
        return False
    # A virtual environment, or Python itself, may be inside the project.
    prefixes = (os.path.realpath(prefix) + os.sep for prefix in {sys.prefix, sys.base_prefix})
    inner = [prefix for prefix in prefixes if prefix.startswith(root) and not root.startswith(prefix)]
    return not set(INSTALLED) & set(below.split(os.sep)) and not path.startswith(tuple(inner))
