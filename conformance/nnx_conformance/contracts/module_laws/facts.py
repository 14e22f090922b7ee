"""The facts of a program: for each step what the subject did, and what its twin did."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnx_conformance.contracts.module_laws.evidence import (
    NOTHING,
    ConditionVisit,
    Drift,
    Entry,
    Keeper,
    LeafFacts,
    LeafWrite,
    LostWrite,
    MovedConstant,
    Pair,
    Placement,
    Product,
    Proof,
    Refusal,
    Side,
    Slope,
)
from nnx_conformance.core.facts import Line, Raised, Warned
from nnx_conformance.core.plan import File
from nnx_conformance.core.search.conditions import Met
from nnx_conformance.core.trail import Change


@dataclass(frozen=True, eq=False)
class StepFacts:
    """One operation of a program.

    Attributes:
        operation: its name.
        skipped: why it was not run; empty if it was.
        subject, twin: what they did.
        noise: for each leaf of the twin's outputs and then of its state, how far it moves when the input moves in the
            last bit; -1 where not measured.
        pairs: more sides to compare.
        graph_changed: whether a plain call changed the structure of the subject's graph.
        grads: the paths that `nnx.grad` differentiated by.
        drifts: numbers that every call changes by the same amount.
        touched: the inputs that the call changed or deleted.
        shared: Variables that the subject shares with another instance, or that are attributes of a class; in
            `donate`, those that hold one array. The empty path: the factory returned one module twice.
        keepers: in `pair`, what keeps these, or what the call changed at class level.
        warnings: those that lines of the subject caused.
        traces: how often a transform traced the call.
        inputs: the numbers of its inputs, if it takes several.
        shapes: a key that inputs of equal shapes share.
        writes: the leaves that the twin's call wrote, if we followed it line by line.
        outliving: what the same call changed that outlives it and is in no module, such as a cache or a shared random
            generator.
        draws: the line that draws from a key, if we followed the call.
        depends: in `reseed`, the paths of state that decide the outputs, and of streams that decide the writes.
        lost: in `watch`, the writes that a call lost.
        unwatched: in `watch`, why we did not watch that call; empty if we did.
        untrained: in `derive`, the paths of Params that the call uses and no output has a gradient for.
        untraced: in `derive`, why we could not find out; empty if we could.
        recompiled, differing: in `second`, how often the call was traced for the other instance, and the paths of plain
            values in which the instances differ; in `pickle` and `deepcopy`, of those that cannot be copied so.
        reused_key: in `keys`, the error of JAX's checker about a key that was used twice.
        out_of_bounds: in `bounds`, the error about an index out of bounds, with the line that computes it.
        products: in `types`, the matrix products of a call.
        slopes: in `slopes`, the derivatives by each Param.
        refusals: in `represent`, the exceptions.
        proofs: in `trace`, what holds for every value, for each mode.
        moved_constants: in `trace`, the constants in which two traces differ.
        conditions: in `trace`, the values of the trace's conditions.
        visits: in `trace`, calls that give a condition a value of its own.
        axes: the axes of the mesh of an operation on several devices, and their sizes.
        divided: the axis over which the batch was split; empty if it was not.
        placements: in `place`, for each leaf whose Variable declares a placement: that, and the first one that differs
            after a call; if none differs, the last one.
        undecided: in `place`, `modes`, `rows` and others, why the operation cannot decide; empty if it can.
        forms: the forms of checkpoint that restored the module, and for the others why not.
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
    keepers: tuple[Keeper, ...] = ()
    warnings: tuple[Warned, ...] = ()
    traces: int = 0
    inputs: tuple[int, ...] = ()
    shapes: str = ""
    depends: tuple[str, ...] = ()
    forms: tuple[Entry, ...] = ()
    recompiled: int = 0
    differing: tuple[str, ...] = ()
    reused_key: Raised | None = None
    out_of_bounds: Raised | None = None
    writes: tuple[LeafWrite, ...] = ()
    outliving: tuple[Change, ...] = ()
    draws: Line | None = None
    lost: tuple[LostWrite, ...] = ()
    unwatched: str = ""
    untrained: tuple[str, ...] = ()
    untraced: str = ""
    products: tuple[Product, ...] = ()
    slopes: tuple[Slope, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    proofs: tuple[Proof, ...] = ()
    moved_constants: tuple[MovedConstant, ...] = ()
    conditions: tuple[Met, ...] = ()
    visits: tuple[ConditionVisit, ...] = ()
    axes: tuple[Entry, ...] = ()
    divided: str = ""
    placements: tuple[Placement, ...] = ()
    undecided: str = ""

    @property
    def returned(self) -> bool:
        """Whether the operation ran and the twin's call returned."""
        return not self.skipped and self.twin.raised is None


@dataclass(frozen=True, eq=False)
class ProgramPart:
    """The facts of one short program in tree mode; the fields are those of `ProgramFacts`."""

    start: tuple[LeafFacts, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    twin_start: tuple[LeafFacts, ...] = ()
    make_error: Raised | None = None
    made: tuple[LeafWrite, ...] = ()


@dataclass(frozen=True, eq=False)
class Input:
    """An input of a program.

    Attributes:
        number: as programs name it.
        text: its arguments in one line.
        source: its arguments as Python; empty if that is too long.
        streams: whether it has random streams or keys.
    """

    number: int
    text: str
    source: str
    streams: bool = False


@dataclass(frozen=True, eq=False)
class ProgramFacts:
    """What running one program showed.

    Attributes:
        start, twin_start: the states of subject and twin as their factory made them.
        steps: the operations that ran; the last one may have raised.
        traits: what the subject declares.
        inputs: the inputs of the program.
        mode: `graph` or `tree`; empty if the installed Flax has only one.
        skipped: why the program did not run at all; empty if it did.
        where: the subject's import path, `file::name` or `module:name`; empty if it has none.
        warnings: those that lines of the subject caused while we loaded it, before any program.
        output: what it wrote to stdout and stderr.
        files: the checkpoint from which a new process continues the program; empty if the program has ended.
        make_error: what the subject's factory raised; None if it made a module.
        made: the lines that set the attributes of the module, if that was followed.
        parts: in tree mode, the short programs, in place of `start`, `steps`, `twin_start` and `make_error`.
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
    make_error: Raised | None = None
    made: tuple[LeafWrite, ...] = ()
    parts: tuple[ProgramPart, ...] = ()

    def of_part(self, part: ProgramPart) -> ProgramFacts:
        """The facts of one short program."""
        start, twin_start, make_error, made = part.start, part.twin_start, part.make_error, part.made
        return replace(
            self, start=start, steps=part.steps, twin_start=twin_start, make_error=make_error, made=made, parts=()
        )

    def trait(self, name: str) -> str:
        """The value of a trait as text; empty if it is not declared."""
        return next((trait.value for trait in self.traits if trait.name == name), "")

    def declares(self, name: str) -> bool:
        """Whether the subject declares a trait that is true or false."""
        return self.trait(name) == "True"
