"""Chooses the subjects of a class from its record: for each a construction, and the ways in which it was called."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nnx_conformance.adopt.records import UNKNOWN, ClassRecord, Construction, Expression, RecordedCall
from nnx_conformance.core.candidate.subject import MOST_CALLS

#: The most subjects of one class: constructions with other flags compute something else.
VARIANTS = 3
#: The most inputs of a subject, and different signatures of them: each signature costs a compilation per operation.
INPUTS, SIGNATURES = 4, 2


@dataclass(frozen=True)
class DraftInput:
    """The arguments of one recorded call, keywords last, and its line."""

    arguments: tuple[Expression, ...]
    line: str

    @property
    def traced(self) -> bool:
        """Whether an argument was a tracer."""
        return any(value.traced for value in self.arguments)


@dataclass(frozen=True)
class Way:
    """One way of calling: a method with the same keywords and the same static choices."""

    name: str
    method: str
    keywords: tuple[str, ...]
    inputs: tuple[DraftInput, ...]


@dataclass(frozen=True)
class Draft:
    """A subject that we have not tried yet.

    Attributes:
        name: the subject's.
        record: its class's.
        construction: how to make it.
        ways: how to call it, at least one.
        others: methods that the session called too and the subject leaves out, with their lines.
    """

    name: str
    record: ClassRecord
    construction: Construction
    ways: tuple[Way, ...]
    others: tuple[tuple[str, str], ...] = ()

    @property
    def single(self) -> bool:
        """Whether all ways call the module itself with arguments of one form, so that `inputs` is enough."""
        forms = {(way.method, way.keywords, len(way.inputs[0].arguments)) for way in self.ways}
        return len(self.ways) <= SIGNATURES and len(forms) == 1 and self.ways[0].method == "__call__"

    @property
    def inputs(self) -> tuple[DraftInput, ...]:
        """The inputs of all ways, in the order of the text."""
        return tuple(each for way in self.ways for each in way.inputs)

    def without(self, bad: Iterable[int]) -> Draft:
        """The draft without some inputs, by their indices in `inputs`; ways without inputs are dropped."""
        dropped, first, ways = set(bad), 0, []
        for way in self.ways:
            kept = tuple(each for index, each in enumerate(way.inputs, first) if index not in dropped)
            first += len(way.inputs)
            ways += [dataclasses.replace(way, inputs=kept)] if kept else []
        return dataclasses.replace(self, ways=tuple(ways))


def drafts(record: ClassRecord) -> list[Draft]:
    """The drafts of a class; none if the session called no instance that can be made again."""
    ways = {number: list(_ways(record, calls))[:MOST_CALLS] for number, calls in _calls_of(record).items()}
    chosen: dict[str, int] = {}
    for number in sorted((number for number in ways if ways[number]), key=lambda number: -len(ways[number])):
        chosen.setdefault(record.constructions[number].arguments.flags, number)
    variants = []
    for variant, number in enumerate(sorted(chosen.values())[:VARIANTS]):
        name = record.name.replace(".", "_") + (f"_{variant + 1}" if variant else "")
        others = _others(record, ways[number])
        variants.append(Draft(name, record, record.constructions[number], _trimmed(ways[number]), others))
    return variants


def _calls_of(record: ClassRecord) -> dict[int, list[RecordedCall]]:
    """The calls by construction. A call of an unknown instance belongs to the only construction, if there is one."""
    calls: dict[int, list[RecordedCall]] = {}
    only = 0 if len(record.constructions) == 1 and not record.refused else UNKNOWN
    for call in record.calls:
        number = only if call.construction == UNKNOWN else call.construction
        if 0 <= number < len(record.constructions):
            calls.setdefault(number, []).append(call)
    return calls


def _ways(record: ClassRecord, calls: list[RecordedCall]) -> Iterator[Way]:
    groups: dict[tuple[object, ...], list[RecordedCall]] = {}
    for call in sorted(calls, key=lambda call: call.method != "__call__"):
        computes = call.computes if record.callable else call.takes_arrays or call.returns_arrays
        if call.method == "__call__" or computes:
            groups.setdefault((call.method, call.arguments.form, call.arguments.flags), []).append(call)
    names: set[str] = set()
    for (method, _, _), group in groups.items():
        keywords = tuple(name for name, _ in group[0].arguments.named)
        signatures = list(dict.fromkeys(call.arguments.shape for call in group))[:SIGNATURES]
        inputs = [DraftInput(call.arguments.all, call.line) for call in group if call.arguments.shape in signatures]
        yield Way(_name(str(method), group[0], names), str(method), keywords, tuple(inputs[:INPUTS]))


def _name(method: str, call: RecordedCall, names: set[str]) -> str:
    """A name for a way: its method and its static choices."""
    words = [method.strip("_")]
    if words[0] in names or method == "__call__":
        words += [f"{name}_{value.text}" for name, value in call.arguments.named if value.flags]
    name = re.sub(r"\W+", "_", "_".join(words)).strip("_")
    number = next(number for number in itertools.count(1) if _numbered(name, number) not in names)
    names.add(_numbered(name, number))
    return _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def _trimmed(ways: list[Way]) -> tuple[Way, ...]:
    """The ways with as many inputs each as a subject has room for."""
    each = max(1, INPUTS // len(ways))
    return tuple(dataclasses.replace(way, inputs=way.inputs[:each]) for way in ways)


def _others(record: ClassRecord, ways: list[Way]) -> tuple[tuple[str, str], ...]:
    used = {way.method for way in ways}
    used |= {method for construction in record.constructions for method, _ in construction.setup}
    return tuple({call.method: call.line for call in record.calls if call.method not in used}.items())


def unadopted(record: ClassRecord) -> str:
    """Why a class has no drafts, with the line."""
    if record.refused and not (record.constructions and record.calls):
        reason, line = next(iter(record.refused.items()))
        return f"{reason} ({line})"
    if not record.constructions:
        return "no construction of it was recorded"
    line = record.constructions[0].line
    if not record.calls:
        return f"it was made ({line}), and none of its methods was called"
    return f"none of its calls returned an array, or fits one of its constructions ({record.calls[0].line})"
