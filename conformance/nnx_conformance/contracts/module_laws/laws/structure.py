"""The law of a module's structure: its graph, types, shapes and dtypes stay as they were, so nothing compiles anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import NOT_GROWING, Evidence, carried_out, law, was_called
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading
from nnx_conformance.contracts.module_laws.laws.traced import proved
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import Judgement, Violation

#: A first call makes state, a second may change the graph once more: a property setter does, on Flax 0.11 and 0.12.
SETTLED = 2


def _stable(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that leaves keep their types, that the graph settles, and that the third like call is compiled."""
    for types in (_types(reading), _types_set(reading)):
        kept = [(f"{at.path}: {at.observed}", f"{at.path}: {at.expected}") for at in types]
        yield Claim(tuple(observed for observed, _ in kept), tuple(expected for _, expected in kept))
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
    proves=proved.proving(proved.structure_kept),
)
def structure_stable(case: Case, reading: ProgramReading) -> Judgement:
    return _retyped(_types(reading)) or _restructured(reading) or _retyped(_types_set(reading)) or _retraced(reading)


@dataclass(frozen=True, eq=False)
class _Type:
    """What a leaf is after a step, and what it should still be."""

    move: Move
    path: str
    what: str
    expected: str
    observed: str
    evidence: Evidence = Evidence.STATE


def _retyped(types: Iterator[_Type]) -> Violation | None:
    """The violation of the first leaf that is not what it should be."""
    other = next((at for at in types if at.observed != at.expected), None)
    return (
        _unstable(other.move, other.path, other.what, other.expected, other.observed, other.evidence) if other else None
    )


def _unstable(
    move: Move, path: str, what: str, expected: str, observed: str, evidence: Evidence = Evidence.STATE
) -> Violation:
    cause = "`nnx.jit` compiles again whenever structure, shape, dtype or weak type of the state changes"
    what = f"in {move.name}{f' (call {move.calls + 1})' if move.is_call else ''}, {what}"
    return Violation(what, expected, observed, move.line(path), cause, evidence=evidence)


def _types(reading: ProgramReading) -> Iterator[_Type]:
    """What calls on inputs of the same shapes make of each leaf of the state: it is there, shared as before, alike."""
    for move in (move for move in reading.plain_calls if move.alike or not move.calls):
        for path, old in move.old.items():
            new = move.new.get(path)
            if not old.state or (new is not None and not new.variable and old.variable):
                continue
            if new is None:
                yield _Type(move, path, f"`{path}` is gone", text(old), "nothing")
                continue
            if old.variable and new.variable:
                what = f"`{path}` is shared with other attributes in another way"
                yield _Type(move, path, what, _sharing(old), _sharing(new), Evidence.KIT)
            if old.array is not None and new.array is not None and old.dtype and new.dtype:
                # A first call may make a weak type strong: that is how a Python number becomes an array.
                settles = not move.calls and (old.dtype, old.array.shape) == (new.dtype, new.array.shape)
                yield _Type(move, path, f"`{path}` changed", _type(old), _type(old if settles else new))
        for path, leaf in move.new.items():
            if leaf.state and path not in move.old and move.calls:
                yield _Type(move, path, f"`{path}` was added", "nothing", text(leaf))


def _types_set(reading: ProgramReading) -> Iterator[_Type]:
    """What setting the mode makes of each leaf of the state: of another type, the next jitted call compiles anew."""
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
    """The first call that changes the structure of the graph once that should have settled."""
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
    """The first leaf of the state that a call, on whatever shape of input, added, took away or gave another kind."""
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
    """Whether the third or a later jitted call of one kind still compiles."""
    for move, count in _like_calls(reading):
        if count > SETTLED + 1 and move.step.traces:
            observed = f"compiled again at call {count}"
            return _unstable(move, "", "`nnx.jit` compiled once more", "compiled once", observed, Evidence.KIT)
    return None


def _like_calls(reading: ProgramReading) -> Iterator[tuple[Move, int]]:
    """The jitted calls, and how many of one kind each ends."""
    count = 0
    for move in reading.subject:
        count = 0 if move.step.operation != "jit" else count + 1 if move.alike else 1
        if count:
            yield move, count
