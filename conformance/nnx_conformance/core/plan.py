"""What the judge asks: a case, and the runs to make of it. The judge alone decides which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case


class Probe(StrEnum):
    """A further run that a check may need.

    `AGAIN` runs the same case once more, `SHIFTS` makes the interventions on the state, and `OUTPUTS` makes the one
    that also changes what calls return, traced calls among them.
    """

    AGAIN = "again"
    SHIFTS = "shifts"
    OUTPUTS = "outputs"


AGAIN, SHIFTS, OUTPUTS = Probe.AGAIN, Probe.SHIFTS, Probe.OUTPUTS


class Changed(StrEnum):
    """What an intervention changes."""

    STATE = "state"
    OUTPUT = "output"


class Moment(StrEnum):
    """When it does so; with `LAST_CALL_BUT_PARAMS` only where the calls move Params and other Variables."""

    CONSTRUCTION = "after construction"
    FIRST_CALL = "after the first call"
    LAST_CALL = "after the last call"
    EVERY_CALL = "after every call"
    LAST_CALL_BUT_PARAMS = "after the last call, Params left alone"


class Untraced(StrEnum):
    """Whether the case also runs under `jax.disable_jit`, which shows every call."""

    NEVER = "never"
    WHERE_HIDDEN = "where the plain run shows fewer calls than the case asks for"
    ALWAYS = "always"


@dataclass(frozen=True)
class RunPlan:
    """The runs to make of one case.

    Attributes:
        probes: the further runs that checks need.
        untraced: whether to run without traces, too.
        compile_anew: whether to forget first what earlier cases have compiled: how often something is compiled then
            shows again.
        retrace: whether to compile anew where no run shows a call: a trace of an earlier case may hold them.
        bypass: whether to find out, where no run shows a call, if calls pass the spies by.
        follow: whether to follow the runs line by line, for the lines of a finding.
        watch: whether to make one run alone, of which what its conditions compare is recorded; it is judged by nobody.
    """

    probes: tuple[Probe, ...] = ()
    untraced: Untraced = Untraced.WHERE_HIDDEN
    compile_anew: bool = False
    retrace: bool = True
    bypass: bool = True
    follow: bool = False
    watch: bool = False


#: What an intervention adds to a number.
AMOUNT = 3
#: The elements of an output are shifted by this much more or less than `AMOUNT`, in turn.
SPREAD = 11
#: What it adds while calls are left to make: a loop that waits for its count would make up for a small number.
FAR = 100
#: A prime; its remainders fit into most dtypes of a count.
REMAINDERS = 251


def own_amounts(size: int) -> np.ndarray:
    """What an intervention adds to each of so many elements: whole numbers of 3 to 13, and every third is taken away.

    The first is 3, and their sum is positive.
    """
    at = np.arange(size)
    return (AMOUNT + 7 * at % SPREAD) * np.where(at % 3 == 2, -1, 1)


def own_amount(at: int) -> int:
    """What it adds to the element at a position."""
    return int(own_amounts(at + 1)[at])


def remainder(values: Any, numpy: Any) -> Any:
    """A whole number of 0 to 250, the same for the same values in any order, zeros left out.

    An intervention adds it to what a call wrote, to tell apart calls that differ in nothing but their values.

    Args:
        values: numbers, any shape and dtype.
        numpy: the module that computes it, `numpy` or, inside a trace, `jax.numpy`.
    """
    finite = numpy.nan_to_num(values.astype("float32"), nan=0.0, posinf=0.0, neginf=0.0)
    return numpy.sum(numpy.floor(numpy.abs(finite)) % REMAINDERS) % REMAINDERS


@dataclass(frozen=True, eq=False)
class File:
    """A file on its way from one process to the next: its path in a folder of its own, and its bytes, uint8."""

    path: str
    data: np.ndarray


@dataclass(frozen=True, eq=False)
class Request:
    """A case to observe. The same request is always observed in the same way.

    Attributes:
        case: the input.
        plan: the runs to make of it.
        calls: how many calls of the module the case asks for; where fewer are observed, a trace may hide them.
        done: how much of the case earlier processes have done, if it is one that goes on in a new process.
        files: what the last of them handed over.
    """

    case: Case
    plan: RunPlan
    calls: int
    done: int = 0
    files: tuple[File, ...] = ()
