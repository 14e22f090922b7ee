"""Shows reports in Python: importing this adds the methods that notebooks and `print` call."""

from __future__ import annotations

from typing import Any

from nnx_conformance.core.report import Report


def fragment(report: Report) -> str:
    """The report as a part of a notebook's page."""
    from nnx_conformance.reports import html

    return html.fragment(report)


def text(report: Report) -> str:
    """The report as the terminal shows it."""
    from nnx_conformance.reports import terminal

    return terminal.report_text(report)


def pretty(report: Report, printer: Any, _: bool) -> None:
    """The report in IPython."""
    printer.text(text(report))


# Set here, because a report is plain data and knows nothing of the forms in which it is shown.
setattr(Report, "_repr_html_", fragment)  # noqa: B010 - mypy refuses an assignment to a method that the class has not
setattr(Report, "_repr_pretty_", pretty)  # noqa: B010 - as above
setattr(Report, "__str__", text)  # noqa: B010 - as above
