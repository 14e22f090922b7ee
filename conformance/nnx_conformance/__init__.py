"""A property-based test and conformance kit for stateful JAX code written with Flax NNX.

The public names are imported when they are first used, so that importing the kit imports no JAX.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnx_conformance.checking import check as check
    from nnx_conformance.checking import check_module as check_module
    from nnx_conformance.errors import AdviceWarning as AdviceWarning
    from nnx_conformance.errors import KitError as KitError
    from nnx_conformance.errors import Misuse as Misuse
    from nnx_conformance.parametrize import parametrize_with_checks as parametrize_with_checks
    from nnx_conformance.report import Finding as Finding
    from nnx_conformance.report import Report as Report
    from nnx_conformance.subject import Subject as Subject

_HOMES = {
    "AdviceWarning": "errors",
    "Finding": "report",
    "KitError": "errors",
    "Misuse": "errors",
    "Report": "report",
    "Subject": "subject",
    "check": "checking",
    "check_module": "checking",
    "parametrize_with_checks": "parametrize",
}

__all__ = [
    "AdviceWarning",
    "Finding",
    "KitError",
    "Misuse",
    "Report",
    "Subject",
    "check",
    "check_module",
    "parametrize_with_checks",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
