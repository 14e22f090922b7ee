"""The law of a module's structure: graph, shapes and dtypes stay the same, so that nothing compiles again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import NOT_GROWING, Evidence, carried_out, law, was_called
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading
from nnx_conformance.contracts.module_laws.laws.traced import proofs
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import Judgement, Violation

#: The first call may create state. The second may change the graph again: a property setter does on Flax 0.11 and 0.12.
SETTLED = 2


def _stable(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that leaves keep their types, that the graph settles, and that later calls do not compile."""
    texts = [(f"{leaf.path}: {leaf.observed}", f"{leaf.path}: {leaf.expected}") for leaf in _types(reading)]
    yield Claim(tuple(observed for observed, _ in texts), tuple(expected for _, expected in texts))
    settled = [move for move in reading.subject if move.is_call and move.calls >= SETTLED]
    yield same_numbers([move.step.graph_changed for move in settled], False)
    yield same_numbers([move.step.traces for move, count in _like_calls(reading) if count > SETTLED + 1], 0)


@law(
    id="structure-stable",
    requirement="After the first call, calls change neither graph structure nor any leaf's shape, dtype or weak type.",
    remedy="Make all state in `__init__`, in its final dtype, and cast what you write: "
    "`self.mean[...] = mean.astype(self.mean.dtype)`.",
    wrong="self.calls += 1  # a Python number is part of the graph's structure: each jitted call compiles again",
    right="self.calls[...] = self.calls[...] + 1",
    needs=(carried_out, NOT_GROWING, was_called),
    claims=_stable,
    proves=proofs.proving(proofs.structure_kept),
)
def structure_stable(case: Case, reading: ProgramReading) -> Judgement:
    return _retyped(_types(reading)) or _restructured(reading) or _retraced(reading)


@dataclass(frozen=True, eq=False)
class _Type:
    """The type of a leaf after a step, and the type that it should have kept."""

    move: Move
    path: str
    what: str
    expected: str
    observed: str
    evidence: Evidence = Evidence.STATE


def _retyped(types: Iterable[_Type]) -> Violation | None:
    """The violation of the first leaf whose type changed."""
    leaf = next((leaf for leaf in types if leaf.observed != leaf.expected), None)
    return _unstable(leaf.move, leaf.path, leaf.what, leaf.expected, leaf.observed, leaf.evidence) if leaf else None


def _unstable(
    move: Move, path: str, what: str, expected: str, observed: str, evidence: Evidence = Evidence.STATE
) -> Violation:
    cause = "`nnx.jit` compiles again whenever structure, shape, dtype or weak type of the state changes"
    what = f"in {move.name}{f' (call {move.calls + 1})' if move.is_call else ''}, {what}"
    return Violation(what, expected, observed, move.line(path), cause, evidence=evidence)


def _types(reading: ProgramReading) -> list[_Type]:
    """What calls, and setting the mode, make of each leaf of the state, in their order."""
    return sorted((*_types_called(reading), *_types_set(reading)), key=lambda leaf: leaf.move.position)


def _types_called(reading: ProgramReading) -> Iterator[_Type]:
    """For calls on inputs of the same shapes, the type and sharing of each leaf of the state before and after."""
    for move in (move for move in reading.plain_calls if move.alike or not move.calls):
        for path, old in move.old.items():
            new = move.new.get(path)
            if not old.state or (new is not None and not new.variable and old.variable):
                continue
            if new is None:
                yield _Type(move, path, f"`{path}` is gone", text(old), "nothing")
                continue
            if old.variable and new.variable:
                what = f"`{path}` is shared with other attributes than before"
                yield _Type(move, path, what, _sharing(old), _sharing(new), Evidence.KIT)
            if old.array is not None and new.array is not None and old.dtype and new.dtype:
                # A first call may make a weak type strong: a Python number becomes an array that way.
                settles = not move.calls and (old.dtype, old.array.shape) == (new.dtype, new.array.shape)
                yield _Type(move, path, f"`{path}` changed", _type(old), _type(old if settles else new))
        for path, leaf in move.new.items():
            if leaf.state and path not in move.old and move.calls:
                yield _Type(move, path, f"`{path}` was added", "nothing", text(leaf))


def _types_set(reading: ProgramReading) -> Iterator[_Type]:
    """For steps that set the mode, the type of each leaf before and after: another type makes the next call compile."""
    for move in reading.twin:
        for path, old, new in move.both() if not move.is_call and move.calls else ():
            if old.variable and new.variable and old.array is not None and new.array is not None and old.dtype:
                yield _Type(move, path, f"`{path}` changed", _type(old), _type(new), Evidence.KIT)


def _sharing(leaf: LeafFacts) -> str:
    return f"one Variable with `{leaf.shared}`" if leaf.shared else "a Variable of its own"


def _type(leaf: LeafFacts) -> str:
    assert leaf.array is not None
    return f"{leaf.dtype}{list(leaf.array.shape)}{' (weak type)' if leaf.weak else ''}"


def _restructured(reading: ProgramReading) -> Violation | None:
    """The violation of the first call after `SETTLED` that changes the structure of the graph."""
    for move in reading.subject:
        if move.is_call and move.step.graph_changed and move.calls >= SETTLED:
            plain = {leaf.path: leaf for leaf in move.before if not leaf.state}
            for path, leaf in move.new.items():
                if not leaf.state and (old := text(plain.get(path))) != text(leaf):
                    what = f"`{path}`, which is part of the graph's structure, changed"
                    return _unstable(move, path, what, old, text(leaf), Evidence.KIT)
            expected = "as it was after the first calls"
            return _came_or_went(move) or _unstable(
                move, "", "the graph's structure changed", expected, "another", Evidence.KIT
            )
    return None


def _came_or_went(move: Move) -> Violation | None:
    """The violation of the first leaf of state that a call added, removed or gave another kind."""
    for path, leaf in {**move.old, **move.new}.items():
        old = move.old.get(path)
        if not leaf.state:
            continue
        if old is None:
            return _unstable(move, path, f"`{path}` was added", "nothing", text(leaf))
        if path not in move.new:
            return _unstable(move, path, f"`{path}` is gone", text(leaf), "nothing")
        if leaf.kind != old.kind:
            what = f"`{path}` went from {old.kind} to {leaf.kind}"
            return _unstable(move, path, what, old.kind, leaf.kind, Evidence.KIT)
    return None


def _retraced(reading: ProgramReading) -> Violation | None:
    """The violation of a jitted call that still compiles after `SETTLED` + 1 equal ones."""
    for move, count in _like_calls(reading):
        if count > SETTLED + 1 and move.step.traces:
            observed = f"compiled again at call {count}"
            return _unstable(move, "", "`nnx.jit` compiled once more", "compiled once", observed, Evidence.KIT)
    return None


def _like_calls(reading: ProgramReading) -> Iterator[tuple[Move, int]]:
    """The jitted calls, each with its number among successive ones on the same shapes."""
    count = 0
    for move in reading.subject:
        count = 0 if move.step.operation != "jit" else count + 1 if move.alike else 1
        if count:
            yield move, count
