"""What carrying out a program showed: for each step what the subject did, and what its twin did. Facts only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnx_conformance.contracts.module_laws.evidence import (
    NOTHING,
    ConditionVisit,
    Drift,
    Entry,
    LeafFacts,
    LeafWrite,
    Lost,
    MovedConstant,
    Pair,
    Placement,
    Product,
    Proof,
    Refusal,
    Side,
    Slope,
)
from nnx_conformance.core.facts import Raised, Warned
from nnx_conformance.core.plan import File
from nnx_conformance.core.search.conditions import Met
from nnx_conformance.core.trail import Change


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
    writes: tuple[LeafWrite, ...] = ()
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
    visits: tuple[ConditionVisit, ...] = ()
    axes: tuple[Entry, ...] = ()
    divided: str = ""
    placements: tuple[Placement, ...] = ()
    unasked: str = ""

    @property
    def returned(self) -> bool:
        """Whether it was carried out, and the twin's call returned."""
        return not self.skipped and self.twin.raised is None


@dataclass(frozen=True, eq=False)
class ProgramPart:
    """One short program of those that run in tree mode: what `ProgramFacts` has of a program of its own."""

    start: tuple[LeafFacts, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    twin_start: tuple[LeafFacts, ...] = ()
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

    start: tuple[LeafFacts, ...]
    steps: tuple[StepFacts, ...]
    traits: tuple[Entry, ...]
    inputs: tuple[Input, ...]
    mode: str
    skipped: str
    where: str
    warnings: tuple[Warned, ...]
    output: str = ""
    files: tuple[File, ...] = ()
    twin_start: tuple[LeafFacts, ...] = ()
    unmade: Raised | None = None
    parts: tuple[ProgramPart, ...] = ()

    def of_part(self, part: ProgramPart) -> ProgramFacts:
        """The facts of one short program."""
        start, twin_start, unmade = part.start, part.twin_start, part.unmade
        return replace(self, start=start, steps=part.steps, twin_start=twin_start, unmade=unmade, parts=())

    def trait(self, name: str) -> str:
        """The value of a trait as text; empty if it is not declared."""
        return next((trait.value for trait in self.traits if trait.name == name), "")

    def declares(self, name: str) -> bool:
        """Whether a capability is declared."""
        return self.trait(name) == "True"
