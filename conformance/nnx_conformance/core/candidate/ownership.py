"""Which files are the candidate's own: those in its folder, in its project, and in packages installed as editable.

The candidate's process asks this of each frame, to name the line of a finding; the judge asks it of each line that
comes back, for a candidate's process may name any file.
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

#: By one of these a folder is a project's root.
MARKS = ("pyproject.toml", ".git")
INSTALLED = ("site-packages", "dist-packages")
#: Never a candidate's, though they may lie in its project or be installed as editable: the kit, and what it is for.
OTHERS = ("nnx_conformance", "nnx_strategies", "nnx_reference", "flax", "jax", "jaxlib", "hypothesis", "chex", "optax")


def roots(file: str, packages: Iterable[str] = ()) -> tuple[str, ...]:
    """The folders whose files belong to a candidate, besides its own folder.

    Args:
        file: the candidate's; may be a name such as `<stdin>`, which lies in no project.
        packages: the import names of further packages that are its own.
    """
    if not os.path.isabs(file):
        return ()
    found = [root] if (root := project_root(file)) else []
    return tuple(dict.fromkeys([*found, *editable(), *filter(None, map(_folder, packages))]))


def project_root(file: str) -> str:
    """The nearest folder above a file that holds a pyproject.toml or is a repository's root; empty if none is."""
    folder = os.path.dirname(os.path.realpath(file))
    while not any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    return folder


@functools.cache
def editable() -> tuple[str, ...]:
    """The folders of the projects that are installed as editable, without the kit's own."""
    found = []
    for distribution in distributions():
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            about = json.loads(distribution.read_text("direct_url.json") or "{}")
            if about.get("dir_info", {}).get("editable") and distribution.metadata["Name"] != "nnx-conformance":
                found.append(os.path.realpath(unquote(urlsplit(about["url"]).path)))
    return tuple(found)


def _folder(package: str) -> str:
    """The folder of a package that may be installed; empty if it is not found. Imports nothing."""
    spec = PathFinder.find_spec(package, ["", *sys.path])
    places = list(spec.submodule_search_locations or ()) if spec else []
    return os.path.realpath(places[0]) if places else ""


@functools.cache
def _foreign() -> tuple[str, ...]:
    """The folders of what is never a candidate's, wherever it lies."""
    libraries = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return tuple(os.path.realpath(path) + os.sep for path in (*libraries, *map(_folder, OTHERS)) if path)


def within(path: str, owned: Iterable[str]) -> bool:
    """Whether a file lies in one of these folders, and in no library below it."""
    real = os.path.realpath(path)
    if real.startswith(_foreign()):
        return False
    return any(_lies_in(real, root) for root in owned)


def _lies_in(path: str, root: str) -> bool:
    below = path.removeprefix(root.rstrip(os.sep) + os.sep)
    if below == path:
        return False
    # A virtual environment, or Python itself, may lie in the project.
    prefixes = (os.path.realpath(prefix) + os.sep for prefix in {sys.prefix, sys.base_prefix})
    inner = [prefix for prefix in prefixes if prefix.startswith(root) and not root.startswith(prefix)]
    return not set(INSTALLED) & set(below.split(os.sep)) and not path.startswith(tuple(inner))
