"""The reading of a program: its states, calls and first difference, computed once for all laws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import ProgramFacts, StepFacts
from nnx_conformance.contracts.module_laws.laws.differences import FEW, Difference, StateComparison, compare, text
from nnx_conformance.contracts.module_laws.program.language import BY_NAME
from nnx_conformance.core.facts import Line
from nnx_conformance.core.trail import ChangeKind

#: Remedies for a method that is compiled for one module, and for a call that draws from a global generator.
LIFT = (
    "Compile it with `@nnx.jit`, which takes the module's state in and out, or compile the whole call with `nnx.jit`."
)
#: What such values hold does not show, but for the next one.
ITERATORS = ("generator", "iterator", "itertools.cycle", "itertools.count", "itertools.repeat", "itertools.chain")
DRAW = "Draw from the keys of the module's own `nnx.Rngs`: `jax.random.normal(self.rngs.noise(), x.shape)`."


@dataclass(frozen=True, eq=False)
class Move:
    """One step of a module from state to state.

    Attributes:
        position: the step's, from 0.
        step: the step.
        before, after: the states.
        calls: the number of calls before it.
        evaluating: whether the module is in eval mode.
        alike: whether its input has the shapes of the previous input.
    """

    position: int
    step: StepFacts
    before: tuple[LeafFacts, ...]
    after: tuple[LeafFacts, ...]
    calls: int
    evaluating: bool
    alike: bool

    @property
    def name(self) -> str:
        """The name of the step in findings."""
        return f"step {self.position + 1}, `{self.step.operation}`"

    @property
    def is_call(self) -> bool:
        """Whether the step calls the module."""
        return BY_NAME[self.step.operation].calls

    @cached_property
    def old(self) -> dict[str, LeafFacts]:
        """The state before, by path."""
        return by_path(self.before)

    @cached_property
    def new(self) -> dict[str, LeafFacts]:
        """The state after, by path."""
        return by_path(self.after)

    def both(self) -> Iterator[tuple[str, LeafFacts, LeafFacts]]:
        """The leaves that exist before and after: path, old leaf, new leaf."""
        return ((path, self.old[path], leaf) for path, leaf in self.new.items() if path in self.old)

    def line(self, path: str) -> Line | None:
        """The line of this step that wrote a leaf; None if not known."""
        return written([self.step], path)


@dataclass(frozen=True, eq=False)
class ProgramReading:
    """The facts of one program and what they mean."""

    facts: ProgramFacts

    @cached_property
    def twin(self) -> tuple[Move, ...]:
        """The twin's moves, up to a step that raised or returns to an older module."""
        return tuple(_moves(self.facts, of_twin=True))

    @cached_property
    def subject(self) -> tuple[Move, ...]:
        """The subject's moves, up to a step that raised or returns to an older module."""
        return tuple(_moves(self.facts, of_twin=False))

    @cached_property
    def calls(self) -> tuple[Move, ...]:
        """The twin's moves that call the module."""
        return tuple(move for move in self.twin if move.is_call)

    @cached_property
    def plain_calls(self) -> tuple[Move, ...]:
        """Those of `calls` that no optimiser step follows."""
        return tuple(move for move in self.calls if move.step.operation != "optimize")

    @property
    def difference(self) -> Difference | None:
        """The first difference between subject and twin; later ones may follow from it."""
        return self._compared[1]

    @property
    def comparisons(self) -> tuple[StateComparison, ...]:
        """The comparisons up to the first that differs, which is included."""
        return self._compared[0]

    @cached_property
    def _compared(self) -> tuple[tuple[StateComparison, ...], Difference | None]:
        return compare(self.facts)

    def line(self, path: str) -> Line | None:
        """The first line that wrote a leaf, its parent or a part of it, or else set it when made; None if not known."""
        made = (write.line for write in self.facts.made if _above_or_below(write.path, path))
        return written(self.facts.steps, path) or next(made, None)

    @property
    def draws(self) -> Line | None:
        """The line of a call that draws from a key; None if not known."""
        return next((step.draws for step in self.facts.steps if step.draws), None)


def _moves(facts: ProgramFacts, of_twin: bool) -> Iterator[Move]:
    before, calls, evaluating, shapes = facts.twin_start if of_twin else facts.start, 0, False, ""
    for position, step in enumerate(facts.steps):
        if step.skipped:
            continue
        side = step.twin if of_twin else step.subject
        if side.raised or step.operation == "original":
            return
        yield Move(position, step, before, side.state, calls, evaluating, shapes == step.shapes)
        before, shapes = side.state, step.shapes or shapes
        calls += BY_NAME[step.operation].calls and step.operation not in ("reseed", "endure")
        evaluating = {"eval": True, "train": False}.get(step.operation, evaluating)


def by_path(leaves: Iterable[LeafFacts]) -> dict[str, LeafFacts]:
    """Leaves by their paths."""
    return {leaf.path: leaf for leaf in leaves}


def changed(old: LeafFacts, new: LeafFacts) -> bool:
    """Whether any bit of a leaf's array changed; False for leaves without arrays."""
    return old.array is not None and new.array is not None and old.array.tobytes() != new.array.tobytes()


def is_stream(leaf: LeafFacts) -> bool:
    """Whether a leaf is part of a random stream, or may be old-style keys of JAX."""
    array = leaf.array
    raw = array is not None and array.dtype == np.uint32 and array.ndim > 0 and array.shape[-1] in (2, 4)
    return leaf.rng or raw


def written(steps: Iterable[StepFacts], path: str) -> Line | None:
    """The first line of these steps that wrote a leaf, its parent or a part of it; None if not known."""
    writes = (write for step in steps for write in step.writes)
    return next((write.line for write in writes if _above_or_below(write.path, path)), None)


def _above_or_below(path: str, other: str) -> bool:
    shorter, longer = sorted((path, other), key=len)
    below = longer.removeprefix(shorter)
    return bool(shorter) and longer.startswith(shorter) and below[:1] in ("", "/", "[", ".")


@dataclass(frozen=True)
class HiddenState:
    """Where a module keeps state outside of Variables: a path in it, or a line that changes what outlives the call."""

    cause: str = ""
    path: str = ""
    line: Line | None = None
    remedy: str = ""


def hidden_state(reading: ProgramReading) -> HiddenState:
    """The first state outside of Variables that a call of the twin changed; an empty one if we know of none."""
    for move in reading.calls:
        for path, old, new in move.both():
            if not new.state and text(old) != text(new):
                was, now = _brief(old), _brief(new)
                moved = f"went from {was} to {now}" if was != now else "changed"
                return HiddenState(f"`{path}`, which is no Variable, {moved} in a call", path)
    changes = [change for step in reading.facts.steps for change in step.outliving]
    of_kind = {change.kind: change for change in reversed(changes)}
    if drawn := of_kind.get(ChangeKind.CHANCE):
        cause = (
            f"the call draws from `{drawn.name}`, a generator that all modules share and that no seed of theirs sets"
        )
        return HiddenState(cause, line=drawn.line, remedy=DRAW)
    if kept := of_kind.get(ChangeKind.OUTLIVING):
        cause = f"{kept.name} outlives the call, which changes it ({kept.line})"
        return HiddenState(cause, line=kept.home or kept.line)
    if compiled := of_kind.get(ChangeKind.COMPILED):
        cause = (
            f"`{compiled.name}` is compiled with a static `self`: it keeps what the Variables held when it was traced"
        )
        return HiddenState(cause, line=compiled.line, remedy=LIFT)
    plain = (leaf for move in reading.calls for leaf in move.after if not leaf.state)
    moved_on = next((leaf for leaf in plain if leaf.kind.endswith(ITERATORS)), None)
    return (
        HiddenState(f"`{moved_on.path}` is an iterator, and calls move it on", moved_on.path)
        if moved_on
        else HiddenState()
    )


def _brief(leaf: LeafFacts) -> str:
    """A leaf as text, of a longer array its type."""
    array = leaf.array
    return text(leaf) if array is None or array.size <= FEW else f"{leaf.dtype or array.dtype}{list(array.shape)}"


def unlike(reading: ProgramReading, position: int) -> HiddenState:
    """What is no Variable and not the same in subject and twin, before or after a step; nothing if there is none.

    Flax may hold it in another way: only text and numbers count, at paths that both have.
    """
    steps = reading.facts.steps[: position + 1]
    for subject, twin in reversed([(step.subject.state, step.twin.state) for step in steps[-2:]]):
        mine = by_path(subject)
        for path, leaf in by_path(twin).items():
            if path in mine and _plain(leaf) and _plain(mine[path]) and text(leaf) != text(mine[path]):
                cause = f"`{path}`, which is no Variable, is {text(mine[path])}, and in plain Python {text(leaf)}"
                return HiddenState(cause, path)
    return HiddenState()


def _plain(leaf: LeafFacts) -> bool:
    return not (leaf.state or leaf.traced) and leaf.kind in ("bool", "int", "float", "str", "NoneType")
