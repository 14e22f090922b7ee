"""What one step of a program may show: leaves, sides, pairs, writes, proofs, placements. Facts only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.core.facts import Line, Raised


@dataclass(frozen=True, eq=False)
class LeafFacts:
    """One value that hangs on a module, or that a call returned.

    Attributes:
        path: where, `norm.mean` or `cache['k']`; of contents that are trees, with the way into them.
        kind: `nnx.BatchStat`, `jax.Array`, `int`, ...: the class of the Variable, or of the value where there is none.
        variable, param, rng: whether it sits in a Variable, in a Param, or belongs to a random stream.
        state: whether it is state of NNX: a Variable, or an array that is an attribute of a node.
        traced: whether it is a tracer.
        dtype: of its array; empty for other values.
        weak: whether that is weakly typed.
        array: its contents; of a random key, its data. None for what holds no numbers.
        text: what has no array, in a few words.
        shared: where the same Variable hangs first, if it hangs on several attributes.
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
    """What a module did in one step: the `outputs` of its call, if there was one, and its `state` after that."""

    outputs: tuple[LeafFacts, ...] = ()
    state: tuple[LeafFacts, ...] = ()
    raised: Raised | None = None


NOTHING = Side()


@dataclass(frozen=True, eq=False)
class Pair:
    """Two sides besides subject and twin that must agree; or differ, where they are `unlike`: of two seeds.

    `law` is the check that this belongs to, `name` that of the module, such as `lane 1` or `the original`.
    """

    law: str
    name: str
    got: Side
    wanted: Side
    unlike: bool = False


@dataclass(frozen=True, eq=False)
class Drift:
    """A number in the state that every call moves by the same amount.

    Attributes:
        path, dtype: of the state that holds it.
        amount: by which one call moves it.
        near: what the kit set it to, near the end of the horizon or of its dtype's range.
        after: what it was after one more call.
        calls: how many calls would have led there.
    """

    path: str
    dtype: str
    amount: float
    near: float
    after: float
    calls: float


@dataclass(frozen=True, eq=False)
class LeafWrite:
    """A leaf of a module that a call in plain Python changed, and the line that did so first."""

    path: str
    line: Line


@dataclass(frozen=True, eq=False)
class Lost:
    """A write into a Variable, or into a copy of it, that a call did not keep.

    Attributes:
        path, kind: of the Variable.
        through: what made the copy, `jax.jit` or `nnx.merge`; `rounding` where the Variable itself was written; empty
            if that is not known.
        held: what the Variable holds before and after the call.
        written: what was written.
        line: where the transform was applied or the copy made, or where the fraction was lost.
        called: where the transformed function was called, if elsewhere.
        wrote: where the copy was written.
    """

    path: str
    kind: str
    through: str
    held: str
    written: str
    line: Line | None
    called: Line | None
    wrote: Line | None


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix product or convolution of a call: the dtypes of its floating operands, and its line."""

    dtypes: tuple[str, ...]
    line: Line | None


@dataclass(frozen=True, eq=False)
class Slope:
    """How a call's outputs change with a Param, in one direction.

    Attributes:
        path: of the Param.
        derivative: what JAX says; NaN if that is no number.
        measured: what differences say: of a step to both sides, and of half of one, both sides, forward and back.
        noise: how much of that may be rounding.
    """

    path: str
    derivative: float
    measured: tuple[float, ...]
    noise: float


@dataclass(frozen=True, eq=False)
class Proof:
    """What the trace of a call shows to hold for every value of its state and its input.

    Attributes:
        types: of the input, such as `float32[2,3]`.
        evaluating: whether the module was in eval mode.
        kept: the paths of the state that hold after the call what they held before.
        stable: whether structure, shapes, dtypes and weak types are those from before.
        certain: whether outputs and state, apart from random streams, do not depend on these.
        writes: of other paths, the line that computes what they come to hold.
    """

    types: str
    evaluating: bool
    kept: tuple[str, ...]
    stable: bool
    certain: bool
    writes: tuple[LeafWrite, ...]


@dataclass(frozen=True, eq=False)
class MovedConstant:
    """A constant of the trace of a call that is another one once the module was called further.

    `before` and `after` are both values, as text; `line` is where it is used, if the subject says so.
    """

    line: Line | None
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class Placement:
    """A leaf of the state on a mesh: where its Variable says that it lies, and where a call has put it."""

    path: str
    said: str
    after: str


@dataclass(frozen=True, eq=False)
class ConditionVisit:
    """A plain call of a module where a condition of its trace came out as in no call of a program.

    Attributes:
        condition: as it stands in the source, `not (...)` where it is false; empty where a library compares.
        line: where it stands.
        where: how that was reached, such as `in call 4094`.
        reached: whether calls, inputs or training lead there; else the kit has set state that is no Param.
        evaluating: whether the module was in eval mode.
        before, after: the state.
        outputs: what it returned; `raised` what it raised instead.
        again: in eval mode, what a second call on the input returned.
        repeated: of a module that draws randomness, the states before this and two further calls, and what these
            returned; `seeds` the same of modules with the keys of other seeds.
        writes: the lines that compute what the state comes to hold.
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
    """What raised, and by what: `repr`, `nnx.tabulate`."""

    name: str
    raised: Raised


@dataclass(frozen=True, eq=False)
class Entry:
    """A value as text by its name, such as a trait that the subject declares: `("grows", "True")`."""

    name: str
    value: str
