"""What carrying out a program showed: for each step what the subject did, and what its twin did. Facts only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnx_conformance.core.facts import Line, Raised, Warned
from nnx_conformance.core.plan import File
from nnx_conformance.core.search.conditions import Met
from nnx_conformance.core.trail import Change


@dataclass(frozen=True, eq=False)
class Leaf:
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

    outputs: tuple[Leaf, ...] = ()
    state: tuple[Leaf, ...] = ()
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
class Write:
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
    writes: tuple[Write, ...]


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
class Visit:
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
    before: tuple[Leaf, ...]
    after: tuple[Leaf, ...]
    outputs: tuple[Leaf, ...] = ()
    raised: Raised | None = None
    again: tuple[Leaf, ...] = ()
    repeated: tuple[Side, ...] = ()
    seeds: tuple[Side, ...] = ()
    writes: tuple[Write, ...] = ()


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


@dataclass(frozen=True, eq=False)
class StepFacts:
    """One operation of a program.

    Attributes:
        operation: its name.
        skipped: why it was not carried out; empty if it was.
        subject, twin: what they did.
        noise: for outputs and then state of the twin, leaf by leaf, how far its call moves them when its input moves in
            the last bit; -1 where that was not measured.
        pairs: further sides to compare.
        graph_changed: whether a plain call changed the structure of the subject's graph.
        grads: the paths that were differentiated.
        drifts: what moves steadily.
        touched: which inputs were changed, or deleted.
        shared: Variables that the subject shares with another instance, or that are attributes of a class; in
            `donate`, those that hold one array.
        warnings: those that lines of the subject caused.
        traces: how often a transform traced the call.
        inputs: the numbers of its inputs, where it takes several.
        shapes: those of its input, in a word; equal for equal ones.
        writes: what the twin's call wrote, if that was followed line by line; `outliving` what it changed then that
            outlives it and hangs on no module, shared random generators among that.
        depends: in `reseed`, the paths of the state on which a call's outputs depend, and of streams that decide what
            it writes.
        lost: in `watch`, the updates that were lost in a call of a module of the same history.
        unwatched: in `watch`, why that call was not watched; empty if it was.
        untrained: in `derive`, the paths of Params that the call uses and no gradient of an output depends on.
        untraced: in `derive`, why that is not known; empty if it is.
        recompiled: in `second`, how often the call was traced for the other instance; `apart`, the plain values in
            which the two differ.
        reused: in `keys`, the error of JAX's checker where a key was used a second time.
        outside: in `bounds`, that of an index which was out of bounds, and the line of the subject that computes it.
        products: in `types`, the products of a call; `slopes` in `slopes`; `refusals` in `represent`.
        proofs: in `trace`, what holds for every value, by mode; `moved` what two traces of it do not agree on,
            `conditions` how those of the trace came out, `visits` where they came out as nowhere else.
        axes: the axes of the mesh that an operation on several devices ran on, and their sizes; `divided`: the one over
            which the batch was split, if it was.
        placements: in `place`, for each leaf that its Variable places, where that is and where the first call that put
            it elsewhere has put it, or the last one has left it.
        unasked: in these and in `modes` and `rows`, why what they ask cannot be known; empty if it can.
        forms: the forms of checkpoint from which it was restored, and of the others why it was not.
    """

    operation: str
    skipped: str
    subject: Side = NOTHING
    twin: Side = NOTHING
    noise: tuple[float, ...] = ()
    pairs: tuple[Pair, ...] = ()
    graph_changed: bool = False
    grads: tuple[str, ...] = ()
    drifts: tuple[Drift, ...] = ()
    touched: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    traces: int = 0
    inputs: tuple[int, ...] = ()
    shapes: str = ""
    depends: tuple[str, ...] = ()
    forms: tuple[Entry, ...] = ()
    recompiled: int = 0
    apart: tuple[str, ...] = ()
    reused: Raised | None = None
    outside: Raised | None = None
    writes: tuple[Write, ...] = ()
    outliving: tuple[Change, ...] = ()
    lost: tuple[Lost, ...] = ()
    unwatched: str = ""
    untrained: tuple[str, ...] = ()
    untraced: str = ""
    products: tuple[Product, ...] = ()
    slopes: tuple[Slope, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    proofs: tuple[Proof, ...] = ()
    moved: tuple[MovedConstant, ...] = ()
    conditions: tuple[Met, ...] = ()
    visits: tuple[Visit, ...] = ()
    axes: tuple[Entry, ...] = ()
    divided: str = ""
    placements: tuple[Placement, ...] = ()
    unasked: str = ""

    @property
    def returned(self) -> bool:
        """Whether it was carried out, and the twin's call returned."""
        return not self.skipped and self.twin.raised is None


@dataclass(frozen=True, eq=False)
class Part:
    """One short program of those that run in tree mode: what `ProgramFacts` has of a program of its own."""

    start: tuple[Leaf, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    twin_start: tuple[Leaf, ...] = ()
    unmade: Raised | None = None


@dataclass(frozen=True, eq=False)
class Input:
    """An input that a program used: its number, the arguments in one line, and as Python; empty if that is too long.

    `streams`: whether random streams or keys are among the arguments.
    """

    number: int
    text: str
    source: str
    streams: bool = False


@dataclass(frozen=True, eq=False)
class ProgramFacts:
    """What carrying out one program showed.

    Attributes:
        start: the state of the subject right after it was made.
        steps: as far as the program came: it ends with a step that raised.
        traits: what the subject declares.
        inputs: the inputs that the program used.
        mode: `graph` or `tree`; empty where the installed Flax has only one.
        skipped: why the program was not carried out at all; empty if it was.
        where: where the subject can be imported from, `file::name` or `module:name`; empty if it cannot.
        warnings: those that lines of the subject caused when it was tried out, before any program.
        output: what was written to stdout and stderr.
        files: what is to be handed over to a new process, which is to go on; empty if the program has come to its end.
        twin_start: the state of the twin right after it was made.
        unmade: what the subject's factory raised; None if it made a module.
        parts: in tree mode, the short programs, in place of `start`, `steps`, `twin_start` and `unmade`.
    """

    start: tuple[Leaf, ...]
    steps: tuple[StepFacts, ...]
    traits: tuple[Entry, ...]
    inputs: tuple[Input, ...]
    mode: str
    skipped: str
    where: str
    warnings: tuple[Warned, ...]
    output: str = ""
    files: tuple[File, ...] = ()
    twin_start: tuple[Leaf, ...] = ()
    unmade: Raised | None = None
    parts: tuple[Part, ...] = ()

    def of_part(self, part: Part) -> ProgramFacts:
        """The facts of one short program."""
        start, twin_start, unmade = part.start, part.twin_start, part.unmade
        return replace(self, start=start, steps=part.steps, twin_start=twin_start, unmade=unmade, parts=())

    def trait(self, name: str) -> str:
        """The value of a trait as text; empty if it is not declared."""
        return next((trait.value for trait in self.traits if trait.name == name), "")

    def declares(self, name: str) -> bool:
        """Whether a capability is declared."""
        return self.trait(name) == "True"
