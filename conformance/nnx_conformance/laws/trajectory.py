"""The states that a program leads through, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnx_conformance.laws.language import BY_NAME
from nnx_conformance.laws.seen import Leaf, Observation, Side, Step


@dataclass(frozen=True, eq=False)
class Move:
    """One step of a module from state to state.

    Attributes:
        at: position of the step.
        step: the step itself.
        before, after: the states.
        calls: how often the module was called before.
        evaluating: whether it was in eval mode.
        alike: whether its input has the shapes of the one before.
    """

    at: int
    step: Step
    before: tuple[Leaf, ...]
    after: tuple[Leaf, ...]
    calls: int
    evaluating: bool
    alike: bool

    @property
    def name(self) -> str:
        """How findings call the step."""
        return f"step {self.at + 1}, `{self.step.operation}`"

    def held(self) -> dict[str, Leaf]:
        """The state before, by path."""
        return {leaf.path: leaf for leaf in self.before}

    def holds(self) -> dict[str, Leaf]:
        """The state after, by path."""
        return {leaf.path: leaf for leaf in self.after}


def of_twin(seen: Observation) -> Iterator[Move]:
    """The moves in plain Python, up to a step that raised or goes back to an older module."""
    return _moves(seen, twin=True)


def of_subject(seen: Observation) -> Iterator[Move]:
    """The moves of the subject, through whatever the program does with it."""
    return _moves(seen, twin=False)


def _moves(seen: Observation, twin: bool) -> Iterator[Move]:
    before, calls, evaluating, shapes = seen.beside if twin else seen.start.state, 0, False, ""
    for at, step in enumerate(seen.steps):
        if step.skipped:
            continue
        side: Side = step.twin if twin else step.subject
        if side.raised or step.operation == "original":
            return
        yield Move(at, step, before, side.state, calls, evaluating, shapes == step.shapes)
        before, shapes = side.state, step.shapes or shapes
        calls += BY_NAME[step.operation].calls and step.operation not in ("reseed", "endure")
        evaluating = {"eval": True, "train": False}.get(step.operation, evaluating)


def calls_of(moves: Iterator[Move]) -> Iterator[Move]:
    """Those in which the module was called."""
    return (move for move in moves if BY_NAME[move.step.operation].calls)
