"""Reports as JSON, see `as_json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from nnx_conformance import as_json
from nnx_conformance.report import Report


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one document of all reports."""
    file.write(as_json.document(list(reports)))
