"""The parts of a step's facts: leaves, sides, pairs, writes, proofs, placements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.core.facts import Line, Raised


@dataclass(frozen=True, eq=False)
class LeafFacts:
    """One value in a module, or in what a call returned.

    Attributes:
        path: `norm.mean` or `cache['k']`; if a Variable holds a tree, the path continues into that.
        kind: the class of the Variable, such as `nnx.BatchStat`; without a Variable, the class of the value.
        variable, param, rng: whether it is in a Variable, in a Param, or part of a random stream.
        state: whether NNX treats it as state: a Variable, or an array that is an attribute of a node.
        traced: whether it is a tracer.
        dtype: of its array; empty for other values.
        weak: whether the dtype is weak.
        array: its numbers; for a random key, the key's data. None if it has no numbers.
        text: a short text of a value without an array.
        shared: the first path of the same Variable, if several attributes hold it.
    """

    path: str
    kind: str
    variable: bool
    param: bool
    rng: bool
    state: bool
    traced: bool
    dtype: str
    weak: bool
    array: np.ndarray | None
    text: str
    shared: str = ""


@dataclass(frozen=True, eq=False)
class Side:
    """What a module did in one step: the `outputs` of its call, if the step calls it, and its `state` afterwards."""

    outputs: tuple[LeafFacts, ...] = ()
    state: tuple[LeafFacts, ...] = ()
    raised: Raised | None = None


NOTHING = Side()


@dataclass(frozen=True, eq=False)
class Pair:
    """Two more sides to compare, besides subject and twin. They must agree, or differ if `unlike` (two seeds).

    `law` is the check that compares them; `name` names the module, such as `lane 1` or `the original`.
    """

    law: str
    name: str
    got: Side
    wanted: Side
    unlike: bool = False


@dataclass(frozen=True, eq=False)
class Drift:
    """A number in the state that every call changes by the same amount.

    Attributes:
        path, dtype: of its leaf.
        amount: the change per call.
        near: the value that we set, near the end of the horizon or of its dtype's range.
        after: its value after one more call.
        calls: how many calls would have reached `near`.
        seldom: whether only some calls change it; we then ran its trace so often.
        line: the line that changes it, if the trace names it.
    """

    path: str
    dtype: str
    amount: float
    near: float
    after: float
    calls: float
    seldom: bool = False
    line: Line | None = None


@dataclass(frozen=True, eq=False)
class LeafWrite:
    """A leaf that a call in plain Python changed, and the first line that changed it."""

    path: str
    line: Line


@dataclass(frozen=True, eq=False)
class Keeper:
    """What keeps something for all modules, such as "`CACHE` at module level", and the line that makes it."""

    name: str
    line: Line | None


@dataclass(frozen=True, eq=False)
class LostWrite:
    """A call wrote to a Variable or to a copy of it, and the Variable holds its old contents afterwards.

    Attributes:
        path, kind: of the Variable.
        through: what made the copy, `jax.jit` or `nnx.merge`; `rounding` if the call wrote to the Variable itself;
            empty if not known.
        contents: the contents of the Variable before and after the call.
        written: the value that was written.
        line: the line that applies the transform, makes the copy or loses the fraction.
        call_line: the line that calls the transformed function, if it is another one.
        write_line: the line that writes to the copy.
    """

    path: str
    kind: str
    through: str
    contents: str
    written: str
    line: Line | None
    call_line: Line | None
    write_line: Line | None


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix product or convolution in a call: the dtypes of its floating operands, and its line."""

    dtypes: tuple[str, ...]
    line: Line | None


@dataclass(frozen=True, eq=False)
class Slope:
    """The derivative of a call's outputs by a Param, along one direction.

    Attributes:
        path: of the Param.
        derivative: as JAX computes it; NaN if it is not finite.
        measured: as finite differences give it: central, then with half the step: central, forward and backward.
        noise: how much of `measured` may be rounding.
    """

    path: str
    derivative: float
    measured: tuple[float, ...]
    noise: float


@dataclass(frozen=True, eq=False)
class Proof:
    """What the trace of a call proves for every value of its state and its input.

    Attributes:
        types: of the input, such as `float32[2,3]`.
        evaluating: whether the module was in eval mode.
        kept: the paths of state that the call leaves as it is.
        stable: whether structure, shapes, dtypes and weak types stay the same.
        certain: whether outputs and state, random streams aside, do not depend on random streams.
        writes: for each path that is not kept, the line that computes its new value.
    """

    types: str
    evaluating: bool
    kept: tuple[str, ...]
    stable: bool
    certain: bool
    writes: tuple[LeafWrite, ...]


@dataclass(frozen=True, eq=False)
class MovedConstant:
    """A constant in the trace of a call whose value differs in a trace after further calls.

    `before` and `after` are the two values as text; `line` is the subject's line that uses it, if known.
    """

    line: Line | None
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class Placement:
    """A leaf of the state on a mesh: the placement that its Variable declares, and the one after a call."""

    path: str
    declared: str
    after: str


@dataclass(frozen=True, eq=False)
class ConditionVisit:
    """A plain call in which a condition of the module's trace has a value that it has in no call of a program.

    Attributes:
        condition: its source, `not (...)` if it is false; empty if a library compares.
        line: its line.
        where: how we got there, such as `in call 4094`.
        reached: whether calls, inputs or training lead there; otherwise we set state other than Params.
        evaluating: whether the module was in eval mode.
        before, after: the state.
        outputs, raised: what the call returned or raised.
        again: in eval mode, the outputs of a second call on the same input.
        repeated: if the module draws randomness, the states before this and two further calls, and their outputs.
        seeds: the same for modules with the keys of other seeds.
        writes: the lines that compute the new state.
    """

    condition: str
    line: Line | None
    where: str
    reached: bool
    evaluating: bool
    before: tuple[LeafFacts, ...]
    after: tuple[LeafFacts, ...]
    outputs: tuple[LeafFacts, ...] = ()
    raised: Raised | None = None
    again: tuple[LeafFacts, ...] = ()
    repeated: tuple[Side, ...] = ()
    seeds: tuple[Side, ...] = ()
    writes: tuple[LeafWrite, ...] = ()


@dataclass(frozen=True, eq=False)
class Refusal:
    """The exception of a function that shows a module: `repr` or `nnx.tabulate`."""

    name: str
    raised: Raised


@dataclass(frozen=True, eq=False)
class Entry:
    """A name and a value as text, such as a trait that the subject declares: `("grows", "True")`."""

    name: str
    value: str
