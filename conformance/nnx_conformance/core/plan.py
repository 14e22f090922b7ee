"""Requests: a case and the runs to make of it. Only the judge decides which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case


class Probe(StrEnum):
    """A further run that a check may need.

    `AGAIN` repeats the plain run, `SHIFTS` makes the interventions on the state, and `OUTPUTS` makes the intervention
    that also changes what calls return, in traces too.
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
    """When it does so. `LAST_CALL_BUT_PARAMS` is used only if the calls change both Params and other Variables."""

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
        compile_anew: whether to clear JAX's caches first, so that we can count compilations.
        retrace: whether to clear them if no run shows a call: the calls may be in a trace cached by an earlier case.
        bypass: whether to find out, if no run shows a call, whether calls bypass the spies.
        follow: whether to follow the runs line by line, for the lines of a finding.
        watch: whether to make a single run that records what the conditions of the source compare. No check judges it.
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
#: The amounts of an output's elements are `AMOUNT` to `AMOUNT + SPREAD - 1`.
SPREAD = 11
#: What it adds before further calls: a loop that runs until its count is reached would make up for a small number.
FAR = 100
#: A prime; its remainders fit into most dtypes of a count.
REMAINDERS = 251


def own_amounts(size: int) -> np.ndarray:
    """What an intervention adds to each of `size` elements: whole numbers of magnitude 3 to 13, every third negative.

    The first is 3, and their sum is positive.
    """
    positions = np.arange(size)
    return (AMOUNT + 7 * positions % SPREAD) * np.where(positions % 3 == 2, -1, 1)


def own_amount(position: int) -> int:
    """What it adds to the element at a position."""
    return int(own_amounts(position + 1)[position])


def remainder(values: Any, numpy: Any) -> Any:
    """A whole number from 0 to 250 that depends on the values, not on their order or on zeros among them.

    An intervention adds it to what a call wrote, so that calls differ if only their values do.

    Args:
        values: numbers, any shape and dtype.
        numpy: the module that computes it, `numpy` or, inside a trace, `jax.numpy`.
    """
    finite = numpy.nan_to_num(values.astype("float32"), nan=0.0, posinf=0.0, neginf=0.0)
    return numpy.sum(numpy.floor(numpy.abs(finite)) % REMAINDERS) % REMAINDERS


@dataclass(frozen=True, eq=False)
class File:
    """A file that one process hands to the next: its path in a folder of its own, and its bytes, uint8."""

    path: str
    data: np.ndarray


@dataclass(frozen=True, eq=False)
class Request:
    """A case to observe. The same request is always observed in the same way.

    Attributes:
        case: the input.
        plan: the runs to make of it.
        calls: how many calls of the module the case asks for. If a run shows fewer, a trace may hide them.
        done: how many steps of the case earlier processes have done, if a new process continues it.
        files: what the last of them handed over.
    """

    case: Case
    plan: RunPlan
    calls: int
    done: int = 0
    files: tuple[File, ...] = ()
