"""A property-based test and conformance kit for stateful JAX code written with Flax NNX.

The public names are imported when they are first used, so that importing the kit imports no JAX.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from nnx_conformance.core.candidate.subject import Subject as Subject
    from nnx_conformance.core.errors import AdviceWarning as AdviceWarning
    from nnx_conformance.core.errors import KitError as KitError
    from nnx_conformance.core.errors import Misuse as Misuse
    from nnx_conformance.core.report import Finding as Finding
    from nnx_conformance.core.report import Report as Report
    from nnx_conformance.judging.check import check as check
    from nnx_conformance.judging.check import check_module as check_module
    from nnx_conformance.pytest_plugin.parametrize import parametrize_with_checks as parametrize_with_checks

_HOMES = {
    "AdviceWarning": "core.errors",
    "Finding": "core.report",
    "KitError": "core.errors",
    "Misuse": "core.errors",
    "Report": "core.report",
    "Subject": "core.candidate.subject",
    "check": "judging.check",
    "check_module": "judging.check",
    "parametrize_with_checks": "pytest_plugin.parametrize",
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
    if name == "__version__":
        return version("nnx-conformance")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("Report", "check", "check_module"):
        import_module(f"{__name__}.reports.notebook")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def load_ipython_extension(shell: Any) -> None:
    """Add `%%nnx_conformance` to IPython: `%load_ext nnx_conformance` calls this."""
    from nnx_conformance.cli import cell_magic

    cell_magic.register(shell)


def __dir__() -> list[str]:
    return sorted(__all__)
