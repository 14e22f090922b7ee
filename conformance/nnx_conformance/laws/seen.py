"""What carrying out a program showed: for each step what the subject did, and what its twin did. Facts only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnx_conformance.observation import Line, Raised, Warned
from nnx_conformance.request import File


@dataclass(frozen=True, eq=False)
class Leaf:
    """One value that hangs on a module, or that a call returned.

    Attributes:
        path: where, `norm.mean` or `cache['k']`; of contents that are trees, with the way into them.
        kind: `nnx.BatchStat`, `jax.Array`, `int`, ...: the class of the Variable, or of the value where there is none.
        variable, param, rng: whether it sits in a Variable, in a Param, or belongs to a random stream.
        state: whether it is state of NNX: a Variable, or an array that is an attribute of a node.
        shared: where the same Variable hangs first, if it hangs at several places.
        traced: whether it is a tracer.
        dtype: of its array; empty for other values.
        weak: whether that is weakly typed.
        array: its contents; of a random key, its data. None for what holds no numbers.
        text: what has no array, in a few words.
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
    """What a module did in one step.

    Attributes:
        outputs: of its call; empty where there was none.
        state: all that hangs on it afterwards.
        raised: what the step raised.
    """

    outputs: tuple[Leaf, ...]
    state: tuple[Leaf, ...]
    raised: Raised | None


@dataclass(frozen=True, eq=False)
class Pair:
    """Two sides besides subject and twin that must agree.

    Attributes:
        law: the check that this belongs to.
        what: which, `lane 1` or `the original`.
        got, wanted: what it did, and what it should have.
    """

    law: str
    what: str
    got: Side
    wanted: Side


@dataclass(frozen=True, eq=False)
class Creep:
    """A number in the state that every call moved by the same amount.

    Attributes:
        path, dtype: which.
        amount: by which one call moves it.
        near: what it was set to, near the end of the horizon or of its dtype's range.
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
class Wrote:
    """A place on a module that a call in plain Python made another, and the line that did so first."""

    path: str
    line: Line


@dataclass(frozen=True, eq=False)
class Told:
    """Something told as text by a name, such as a trait that the subject declares: `("grows", "True")`."""

    name: str
    value: str


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a program.

    Attributes:
        operation: its name.
        skipped: why it was not carried out; empty if it was.
        subject, twin: what they did.
        noise: for outputs and then state of the twin, leaf by leaf, how far its call moves them when its input moves in
            the last bit; -1 where that was not measured.
        pairs: others that must agree.
        graph_changed: whether a plain call changed the structure of the subject's graph.
        grads: the paths that were differentiated.
        creeps: what moves steadily.
        touched: which inputs were changed, or deleted.
        shared: Variables that the subject shares with another instance, or that are attributes of a class.
        warnings: those that lines of the subject caused.
        traces: how often a transform traced the call.
        inputs: the numbers of its inputs, where it takes several.
        shapes: those of its input, in a word; equal for equal ones.
        wrote: what the twin's call wrote, if that was followed line by line.
        depends: in `reseed`, the paths of the state on which a call's outputs depend, and of streams that decide what
            it writes.
        forms: the forms of checkpoint from which it was restored, and of the others why it was not.
    """

    operation: str
    skipped: str
    subject: Side
    twin: Side
    noise: tuple[float, ...] = ()
    pairs: tuple[Pair, ...] = ()
    graph_changed: bool = False
    grads: tuple[str, ...] = ()
    creeps: tuple[Creep, ...] = ()
    touched: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    traces: int = 0
    inputs: tuple[int, ...] = ()
    shapes: str = ""
    depends: tuple[str, ...] = ()
    forms: tuple[Told, ...] = ()
    wrote: tuple[Wrote, ...] = ()


@dataclass(frozen=True, eq=False)
class Given:
    """An input that a program used: its number, the arguments in one line, and as Python; empty if that is too long."""

    number: int
    text: str
    source: str


@dataclass(frozen=True, eq=False)
class Observation:
    """What carrying out one program showed.

    Attributes:
        start: the state of the subject right after it was made.
        steps: as far as the program came: it ends with a step that raised.
        traits: what the subject declares.
        inputs: the inputs that the program used.
        mode: `graph` or `tree`; empty where the installed Flax has only one.
        skipped: why the program was not carried out at all; empty if it was.
        warnings: those that lines of the subject caused when it was tried out, before any program.
        where: where the subject can be imported from, `file::name` or `module:name`; empty if it cannot.
        output: what was written to stdout and stderr.
        files: what is to be handed over to a new process, which is to go on; empty if the program has come to its end.
        beside: the state of the twin right after it was made.
    """

    start: Side
    steps: tuple[Step, ...]
    traits: tuple[Told, ...]
    inputs: tuple[Given, ...]
    mode: str
    skipped: str
    where: str
    warnings: tuple[Warned, ...]
    output: str
    files: tuple[File, ...] = ()
    beside: tuple[Leaf, ...] = ()

    def trait(self, name: str) -> str:
        """The value of a trait as text; empty if it is not declared."""
        return next((told.value for told in self.traits if told.name == name), "")

    def declares(self, name: str) -> bool:
        """Whether a capability is declared."""
        return self.trait(name) == "True"
