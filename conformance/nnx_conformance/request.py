"""What can be asked about a case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import Case

#: Run the same case once more.
AGAIN = "again"
#: Make the interventions.
SHIFTS = "shifts"
#: Make one also on what calls return, where traced calls are part of what is asked for.
OUTPUTS = "outputs"
#: Follow the run line by line, for the places of a finding.
LINES = "lines"
#: Look into what a trace may hide, or do not, whatever other cases have shown: a case asked again shows the same.
LOOK, NO_LOOK = "look", "no look"
#: Run without traces, whether or not the run as it is leaves anything to look for.
UNTRACED = "untraced"
#: Forget first what earlier cases have compiled: how often something is compiled then shows again.
FORGET = "forget"


@dataclass(frozen=True, eq=False)
class File:
    """A file on its way from one process to the next: its path in a folder of its own, and its bytes, uint8."""

    path: str
    data: np.ndarray


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked about a case.

    Attributes:
        case: the input.
        probes: which further runs are wanted, of `AGAIN`, `SHIFTS`, `OUTPUTS`, `LINES`, `FORGET`, `UNTRACED`,
            and `LOOK` or `NO_LOOK`.
        calls: how many calls of the module the case asks for; when others were seen, they may be hidden in a trace.
        done: how much of the case earlier processes have done, if it is one that goes on in a new process.
        files: what the last of them handed over.
    """

    case: Case
    probes: tuple[str, ...]
    calls: int
    done: int = 0
    files: tuple[File, ...] = ()
