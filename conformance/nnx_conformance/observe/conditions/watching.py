"""Runs a candidate with its conditions recorded.

It is not imported again. Instead its functions get the rewritten code for the duration of the run, so that
decorators, registries and module-level state stay as they are.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import linecache
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from nnx_conformance.core.search.conditions import SITES, Site, Watched
from nnx_conformance.core.trail import Line
from nnx_conformance.observe.conditions.recorder import Comparisons, ConditionRecorder
from nnx_conformance.observe.conditions.syntax import ConditionSource, rewritten
from nnx_conformance.observe.source import Source

#: Exceptions of a source that cannot be parsed, rewritten or compiled.
UNFIT = (SyntaxError, ValueError, RecursionError, MemoryError)
Key = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Watching:
    """A candidate's functions with their rewritten code, and its conditions.

    Attributes:
        functions: its functions, each with its rewritten code.
        places: the conditions of its source by number, each with its line.
        untouched: why some of the source cannot be watched; empty if all can.
    """

    functions: tuple[tuple[FunctionType, CodeType], ...]
    places: tuple[tuple[Line, ConditionSource], ...]
    untouched: str = ""

    @contextlib.contextmanager
    def recording(self) -> Iterator[ConditionRecorder]:
        """Let the functions record in the block."""
        recorder = ConditionRecorder()
        names = recorder.functions()
        before = [(function, function.__code__) for function, _ in self.functions]
        try:
            for function, code in self.functions:
                function.__globals__.update(names)
                function.__code__ = code
            yield recorder
        finally:
            for function, code in before:
                function.__code__ = code
                for name in names:
                    function.__globals__.pop(name, None)

    def watched(self, recorder: ConditionRecorder) -> Watched:
        """The recorded visits as plain data."""
        sites = []
        for number, (line, place) in enumerate(self.places):
            visits = recorder.visits.get(number, Comparisons())
            outcome = int(visits.outcome)
            sites.append(Site(line, place.function, place.text, place.operator, outcome, visits.traced, visits.kept()))
        return Watched(tuple(sites), self.untouched)


def watching(source: Source) -> Watching:
    """Rewrite the functions of a candidate that exist now."""
    alive: dict[str, list[FunctionType]] = {}
    gc.unfreeze()  # `gc.get_objects` does not list frozen objects
    for value in gc.get_objects():
        if type(value) is FunctionType and source.owns(value.__code__.co_filename):
            alive.setdefault(value.__code__.co_filename, []).append(value)
    functions: list[tuple[FunctionType, CodeType]] = []
    places: list[tuple[Line, ConditionSource]] = []
    untouched = ""
    for filename in sorted(alive, key=lambda name: (name != source.file, name)):
        try:
            tree, conditions = rewritten("".join(linecache.getlines(filename)), filename, len(places))
            if len(places) + len(conditions) > SITES:
                untouched = f"more than {SITES} conditions"
                continue
            codes = _codes(filename, tree)
        except UNFIT as error:
            line = source.line(filename, 1)
            untouched = f"{line.file} cannot be rewritten ({type(error).__name__})"
            continue
        places += [(source.line(filename, condition.line), condition) for condition in conditions]
        functions += [(function, code) for function in alive[filename] if (code := codes.get(function.__code__))]
    return Watching(tuple(functions), tuple(places), untouched)


def has_conditions(source: Source) -> bool:
    """Whether an imported module of the candidate holds a condition, or cannot be parsed."""
    files = {source.file} | {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    for filename in files:
        if filename == source.file or source.owns(filename):
            try:
                if rewritten("".join(linecache.getlines(filename)), filename)[1]:
                    return True
            except UNFIT:
                return True
    return False


def _codes(filename: str, tree: ast.Module) -> dict[CodeType, CodeType]:
    """The rewritten code object for each code object of the original source."""
    with warnings.catch_warnings(action="ignore"):  # the import has issued the compiler's warnings already
        plain = compile("".join(linecache.getlines(filename)), filename, "exec", dont_inherit=True)
        new = compile(tree, filename, "exec", dont_inherit=True)
    old_by_key, new_by_key = _by_key(plain), _by_key(new)
    return {
        old: code
        for key, olds in old_by_key.items()
        for old, code in zip(olds, new_by_key.get(key, ()), strict=False)
        if old.co_freevars == code.co_freevars and len(olds) == len(new_by_key[key])
    }


def _by_key(code: CodeType) -> dict[Key, list[CodeType]]:
    """All code objects inside a code object, by name and first line, in the order of the source."""
    by_key: dict[Key, list[CodeType]] = {}
    waiting: list[Any] = [code]
    while waiting:
        inner = [part for part in waiting.pop().co_consts if isinstance(part, CodeType)]
        for part in inner:
            by_key.setdefault((part.co_qualname, part.co_firstlineno), []).append(part)
        waiting += inner
    return by_key
