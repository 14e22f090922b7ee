"""What one run of a candidate did: facts only, plain data, no judgement.

Everything here crosses a process boundary (see `wire`), so fields are strings, numbers, NumPy arrays, tuples and
dataclasses of these.
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
    """Something a candidate returned.

    Attributes:
        type: `jax.Array`, `numpy.ndarray`, `tracer`, or the qualified name of its class.
        array, text: its contents, where it is a concrete array of a numeric dtype; else a short text.
    """

    type: str
    array: np.ndarray | None
    text: str


@dataclass(frozen=True)
class Raised:
    """An exception: `frames` are those of the candidate, outermost first; `line` is the last of them."""

    type: str
    message: str
    line: Line | None
    frames: tuple[Line, ...]
    about_trace: bool


@dataclass(frozen=True)
class Slot:
    """What sits at one path of a module's state, e.g. path `inner.count`, type `nnx.Variable`.

    Attributes:
        path, type: where, and of which class.
        variable: whether the framework keeps it as state: a Variable of NNX, a leaf of a Linen collection, a parameter
            or buffer of PyTorch.
        param: whether optimisers train it.
        rng: whether it belongs to an `nnx.Rngs`.
        history: whether it holds on to the computation that made it, as a tensor of PyTorch may.
        saved: whether the framework saves it with the model; not so for a buffer that is not persistent.
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
        """Whether a module's own state may sit here: a Variable that is not one of an Rngs."""
        return self.variable and not self.rng


@dataclass(frozen=True)
class Snapshot:
    """The state of a module at one moment.

    Attributes:
        layout: which of the run's layouts it has.
        numbers: for each slot of the layout the number it holds, None where it holds no single number.
        traced: the positions of the slots that hold a tracer.
        arrays: for each slot the position of its array among the run's `arrays`, -1 where it holds none; empty where
            arrays are not looked at.
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
        constructed, created: whether its class was called in the run; whether it came to be then, by merge, too.
        line: where it was constructed.
        start: its state right after construction, or when it was first observed.
        end: its state when the candidate had returned.
        framework: `nnx`, `linen` or `torch`. The modules of a Linen class count as one: their state is outside of them.
        mapping: in which use of `nnx.vmap` or `jax.vmap` in the run it was constructed, from 0; -1 outside of all.
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
    """One call of an outermost module: a call made while no other module's call was under way.

    Attributes:
        module, line: position in the run's modules, and where the candidate made the call.
        traced: whether it ran inside a trace.
        before, after: the module's state around it; `after` is None where the call raised.
        returned: position in the run's `returns`; None where the call raised.
        across: whether it raised because state was touched across a trace.
        through: the transforms under which it ran, outermost first, as `jax.jit` or `nnx.vmap`; those of a plain call
            outside any trace are not looked for.
        compilation: in which compilation of the run it was traced, from 0; -1 where none was.
        mutable: whether it may change the state; not so for a Linen `apply` without `mutable=`.
        mapping: in which use of `nnx.vmap` or `jax.vmap` in the run it happened, the outermost, from 0; else -1.
        as_given: whether it returned its first argument itself.
        within: the transforms of Flax that the call itself entered and in which the state changed, by name; only where
            arrays of the state are kept, and for calls outside of any trace.
        uncompiled: whether the candidate itself had turned compilation off, by `jax.disable_jit`.
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
    """An assignment by the candidate's code to a Variable's place or contents.

    Attributes:
        target: `Counter.count` or `Variable.value`.
        before, after, lost: the types that sat there; whether a Variable gave way to something that is none.
        augmented: whether the statement was an augmented assignment, such as `+=`.
        call: the call of an outermost module during which it happened, from 0; -1 outside all.
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
    """An `nnx.Rngs`: the integers it was seeded from (for a key, its words), and the keys drawn from it.

    Attributes:
        seeds: for each seed its value, or the words of its key.
        traced: whether it was built inside a trace, where draws cannot be counted.
        drawn: how many keys were drawn from it during construction of a module.
    """

    seeds: tuple[tuple[int, ...], ...]
    traced: bool
    drawn: int


@dataclass(frozen=True)
class Warned:
    """A warning caused by a line of the candidate; `by` is the package that gave it."""

    category: str
    message: str
    line: Line | None
    by: str


@dataclass(frozen=True, eq=False)
class ArgumentAfter:
    """What became of an argument: whether it is alive (not deleted or donated), and its contents if so."""

    name: str
    alive: bool
    array: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Run:
    """One run of the candidate on one case.

    Attributes:
        asked: how many calls of its module the case asks for.
        trail: which line changed what, where the run was followed line by line.
        arrays: those of the snapshots; equal ones once.
    """

    asked: int
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
    """What a further run on the same case came to."""

    result: Value | None
    raised: Raised | None


@dataclass(frozen=True, eq=False)
class Intervention:
    """An intervention: a run in which the kit changed something, and what came of it.

    Attributes:
        changed, moment: what the kit changed, and when.
        amount: the number added, or taken away where it is negative; the least of them where they are `apart`.
        applied: whether there was anything to change at that moment.
        end: the numbers that the counting Variables held after the last call, in the order of their paths.
        calls: how many calls of modules were made; another number than without it shows that the candidate decides by
            the state whether to call.
        undone: whether the state ended as it does without it, because the candidate set it anew.
        apart: whether each number was changed by another one, see `nnx_conformance.core.plan.remainder`.
        exact: whether each number that was changed became larger by just this amount: a narrow dtype wraps or rounds.
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
    """All that was observed of one case.

    Attributes:
        run, again: the case, and once more.
        untraced: the same case under `jax.disable_jit`, where calls ran inside a trace or stayed hidden.
        reported: the same case, where that does not show the calls either: each traced call reported itself whenever
            its trace ran.
        shifts: the interventions; empty where none was asked for.
        base_end: what `Intervention.end` is without one.
        bypassed: whether calls went through a reference from before the spies.
        output: what it wrote to stdout and stderr.
        watched: what the run compared, where that alone was asked for.
        foreign: where the run made no module of NNX, the base class of one of another framework that it made.
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
        """The case as it is, and what else shows its calls."""
        return tuple(run for run in (self.run, self.untraced, self.reported) if run is not None)
