"""A second, independent import of a subject's file."""

from __future__ import annotations

import importlib.util
import sys

from nnx_conformance.core.candidate.subject import Subject, as_subject


def imported_again(where: str) -> Subject:
    """The subject from a new run of its file, which remembers nothing of earlier calls.

    Raises:
        Exception: whatever the file raises.
    """
    path, _, name = where.rpartition("::")
    known = next(module for module in sys.modules.values() if getattr(module, "__file__", None) == path)
    loader = known.__spec__.loader if known.__spec__ else None
    spec = importlib.util.spec_from_file_location(known.__name__, path, loader=loader)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules[spec.name] = known
    return as_subject(getattr(module, name))
