"""The report for people at a terminal; in a file, 100 columns wide."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console

from nnx_conformance import render
from nnx_conformance.report import Report

WIDTH = 100


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write reports one below the other, and a summary of several."""
    console = Console(file=file, highlight=False, width=None if file is sys.stdout else WIDTH)
    for report in reports:
        render.show(report, console)
    if len(reports) > 1:
        render.summary(list(reports), console)
