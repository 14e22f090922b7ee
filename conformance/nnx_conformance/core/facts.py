"""Facts: what a candidate did in its runs, as plain data without judgement.

They cross a process boundary (see `wire`), so each field is a string, a number, a NumPy array, or a tuple or dataclass
of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.core.plan import Changed, Moment
from nnx_conformance.core.search.conditions import Watched
from nnx_conformance.core.trail import Line as Line
from nnx_conformance.core.trail import Trail


@dataclass(frozen=True, eq=False)
class Value:
    """A value that the candidate or one of its modules returned.

    Attributes:
        type: `jax.Array`, `numpy.ndarray`, `tracer`, or the qualified name of its class.
        array, text: its contents if it is a concrete array of a numeric dtype; otherwise a short text of it.
    """

    type: str
    array: np.ndarray | None
    text: str


@dataclass(frozen=True)
class Raised:
    """An exception: `frames` are the candidate's, outermost first, and `line` is the innermost."""

    type: str
    message: str
    line: Line | None
    frames: tuple[Line, ...]
    about_trace: bool  # state was changed across a trace, or a module was passed to a plain transform


@dataclass(frozen=True)
class Slot:
    """A leaf of a module's state.

    Attributes:
        path, type: its path, such as `inner.count`, and its class, such as `nnx.Variable`.
        variable: whether the framework treats it as state: an NNX Variable, a leaf of a Linen collection, a PyTorch
            parameter or buffer.
        param: whether optimisers train it.
        rng: whether it belongs to an `nnx.Rngs`.
        history: whether it keeps its autograd history, as a PyTorch tensor may.
        saved: whether the framework saves it with the model; False for a non-persistent buffer.
    """

    path: str
    type: str
    variable: bool
    param: bool
    rng: bool
    history: bool = False
    saved: bool = True

    @property
    def counts(self) -> bool:
        """Whether the module's own state may be here: in a Variable outside of any Rngs."""
        return self.variable and not self.rng


@dataclass(frozen=True)
class Snapshot:
    """The state of a module at one moment.

    Attributes:
        layout: the position of its layout in the run's `layouts`.
        numbers: the number in each slot of the layout; None for a slot that holds no single number.
        traced: the positions of the slots that hold a tracer.
        arrays: for each slot the position of its array in the run's `arrays`, -1 if it holds none; empty if the
            observer records no arrays.
    """

    layout: int
    numbers: tuple[float | None, ...]
    traced: tuple[int, ...]
    arrays: tuple[int, ...] = ()


@dataclass(frozen=True)
class Module:
    """A module that the run made or called.

    Attributes:
        name: its class.
        constructed, created: whether the run called its class; whether the run made it, by merging or copying, too.
        line: where the candidate constructed it.
        start: its state right after construction, or when the kit first saw it.
        end: its state after the candidate returned.
        framework: `nnx`, `linen` or `torch`. All modules of a Linen class count as one, because they hold no state.
        mapping: the `nnx.vmap` or `jax.vmap` call that constructed it, numbered from 0 within the run; -1 outside.
    """

    name: str
    constructed: bool
    created: bool
    line: Line | None
    start: Snapshot | None
    end: Snapshot | None
    framework: str = "nnx"
    mapping: int = -1


@dataclass(frozen=True)
class Call:
    """A call of an outermost module: no other module's call was running when the candidate made it.

    Attributes:
        module, line: the module's position in the run's `modules`; where the candidate made the call.
        traced: whether it ran inside a trace.
        before, after: the module's state before and after it; `after` is None if the call raised.
        returned: the position of its output in the run's `returns`; None if the call raised.
        across: whether it raised because it changed state across a trace.
        through: the transforms around it, outermost first, such as `jax.jit` or `nnx.vmap`; empty for a plain call.
        compilation: the compilation that traced it, numbered from 0 within the run; -1 if none did.
        mutable: whether it may change the state; False for a Linen `apply` without `mutable=`.
        mapping: the outermost `nnx.vmap` or `jax.vmap` call around it, numbered from 0 within the run; -1 without one.
        as_given: whether it returned its first argument itself, the same object.
        within: the Flax transforms that the call entered and that changed the state, by name; recorded only for
            concrete calls, and only if the observer records arrays.
        uncompiled: whether the candidate had turned compilation off with `jax.disable_jit`.
    """

    module: int
    line: Line | None
    traced: bool
    across: bool
    before: Snapshot
    after: Snapshot | None
    returned: int | None
    through: tuple[str, ...] = ()
    compilation: int = -1
    mutable: bool = True
    mapping: int = -1
    as_given: bool = False
    within: tuple[str, ...] = ()
    uncompiled: bool = False


@dataclass(frozen=True)
class Write:
    """An assignment in the candidate's code to the attribute that holds a Variable, or to the Variable's contents.

    Attributes:
        target: `Counter.count` or `Variable.value`.
        before, after, lost: the types before and after; whether it replaced a Variable by something else.
        augmented: whether the statement was an augmented assignment, such as `+=`.
        call: the position of the outermost module call during which it ran; -1 outside of all calls.
    """

    line: Line | None
    target: str
    before: str
    after: str
    lost: bool
    augmented: bool
    call: int


@dataclass(frozen=True)
class RngsBuilt:
    """An `nnx.Rngs` that the run built.

    Attributes:
        seeds: each seed as a tuple: one integer, or the words of a key.
        traced: whether it was built inside a trace, where we cannot count draws.
        drawn: how many keys the constructors of modules drew from it.
    """

    seeds: tuple[tuple[int, ...], ...]
    traced: bool
    drawn: int


@dataclass(frozen=True)
class Warned:
    """A warning that a line of the candidate caused; `by` is the package that issued it."""

    category: str
    message: str
    line: Line | None
    by: str


@dataclass(frozen=True, eq=False)
class ArgumentAfter:
    """An argument after the run: whether its buffer is alive (not deleted or donated), and its contents if so."""

    name: str
    alive: bool
    array: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Run:
    """One run of the candidate on one case.

    Attributes:
        requested_calls: how many calls of its module the case asks for.
        trail: what each line changed, if the run was followed line by line.
        arrays: the arrays of all snapshots; equal arrays are stored once.
    """

    requested_calls: int
    result: Value | None
    raised: Raised | None
    modules: tuple[Module, ...]
    calls: tuple[Call, ...]
    layouts: tuple[tuple[Slot, ...], ...]
    returns: tuple[Value, ...]
    writes: tuple[Write, ...]
    rngs: tuple[RngsBuilt, ...]
    warnings: tuple[Warned, ...]
    arguments: tuple[ArgumentAfter, ...]
    trail: Trail | None = None
    arrays: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Rerun:
    """The outcome of a further run of the same case."""

    result: Value | None
    raised: Raised | None


@dataclass(frozen=True, eq=False)
class Intervention:
    """An intervention: a run in which the kit changed the state or an output, and its outcome.

    Attributes:
        changed, moment: what the kit changed, and when.
        amount: the number that it added; the least of them if each number got its own (`apart`).
        applied: whether there was anything to change at that moment.
        end: the numbers in the counting Variables after the last call, in the order of their paths.
        calls: how many module calls the run made. If the plain run made another number, the candidate decides by the
            state whether to call.
        undone: whether the state ended as in the plain run, because the candidate overwrote the change.
        apart: whether each number got an amount of its own, see `nnx_conformance.core.plan.remainder`.
        exact: whether each changed number rose by exactly this amount; in a narrow dtype it may wrap or round.
    """

    changed: Changed
    moment: Moment
    amount: int
    applied: bool
    outcome: Rerun
    end: tuple[float | None, ...]
    calls: int
    undone: bool = False
    apart: bool = False
    exact: bool = True


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of one case.

    Attributes:
        run, again: the plain run, and the same once more.
        untraced: the case under `jax.disable_jit`, made when the plain run traced or hid calls.
        reported: the case with traced calls that report each execution of their trace, made when `untraced` does not
            show the calls either.
        shifts: the interventions; empty if the plan has none.
        base_end: `Intervention.end` of the plain run.
        bypassed: whether the candidate called modules through a `__call__` that it had kept before we wrapped it.
        output: what the candidate wrote to stdout and stderr.
        watched: what the conditions of the source compared; the plan then asks for nothing else.
        foreign: if the run made no NNX module, the base class of a module of another framework that it made.
    """

    run: Run
    again: Rerun | None
    untraced: Run | None
    shifts: tuple[Intervention, ...]
    base_end: tuple[float | None, ...]
    bypassed: bool
    output: str
    foreign: str = ""
    reported: Run | None = None
    watched: Watched | None = None

    @property
    def runs(self) -> tuple[Run, ...]:
        """The plain run, then those of the others that were made: without traces, with reporting traces."""
        return tuple(run for run in (self.run, self.untraced, self.reported) if run is not None)
