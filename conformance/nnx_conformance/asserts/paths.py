"""Paths in a module's graph, as users write them: `layers[0].count`."""

from __future__ import annotations

import difflib
import re
from typing import Any

from nnx_conformance.asserts.form import Failed, misused
from nnx_conformance.asserts.leaves import Keys, Spot, key_of, listed, parts, walk


def parsed(path: str | Keys) -> Keys:
    """`layers[0].count` as keys.

    Raises:
        ValueError: if it is no path.
    """
    if isinstance(path, tuple):
        return path
    if not isinstance(path, str) or not re.fullmatch(r"(\.?\w+|\[(\d+|'[^']*'|\"[^\"]*\")\])*", path):
        raise misused("the path of a Variable", "path", path, "Write it as in Python, such as path='layers[0].count'.")
    steps = re.findall(r"\.?(\w+)|\[(?:(\d+)|['\"]([^'\"]*)['\"])\]", path)
    return tuple(key_of(name) if name else int(index) if index else text for name, index, text in steps)


def spot_at(module: Any, path: str | Keys) -> Spot:
    """What hangs at a path, which may lead through shared nodes.

    Raises:
        Failed: if nothing does, with the path that was probably meant.
    """
    spot = Spot((), "", module, None)
    for key in parsed(path):
        below = None if spot.is_variable else parts(spot.value)
        fitting = [entry for entry in below or () if entry[0] == key]
        if not fitting:
            raise Failed(_nowhere(module, path, spot))
        _, label, part = fitting[0]
        spot = Spot((*spot.keys, key), (spot.path + label).removeprefix("."), part, spot.value)
    return spot


def _nowhere(module: Any, path: str | Keys, last: Spot) -> str:
    """That nothing hangs at a path, and which path was probably meant, below the last node on the way if possible."""
    text = path if isinstance(path, str) else ".".join(map(str, path))
    below = [f"{last.path}{'.' if last.path and s.path[0] != '[' else ''}{s.path}" for s in _variables(last.value)]
    paths = [*below, *(spot.path for spot in _variables(module))]
    near = {known: 1.0 if known.endswith(f".{text}") else _likeness(known, text) for known in paths}
    likely = max(paths, key=near.__getitem__, default="")
    hint = f"Did you mean '{likely}'?" if near.get(likely, 0) > 0.5 else f"It has {listed(list(near))}."
    return f"{type(module).__name__} has nothing at path '{text}'. {hint}"


def _variables(source: Any) -> list[Spot]:
    return [spot for spot in walk(source) if spot.is_variable and spot.path]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
