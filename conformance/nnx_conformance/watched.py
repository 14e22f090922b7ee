"""What is watched while a run is followed: the state of its modules, its arguments, and what outlives the call."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import children, contents
from nnx_conformance.following import Follower, Print, Watched
from nnx_conformance.graph import leaves, number, type_name
from nnx_conformance.record import Record, Seen

CONTAINERS = (list, dict, set)


def follower(record: Record, names: Sequence[str], given: Sequence[Any], kept: Sequence[Watched]) -> Follower:
    """A follower of the run that `record` is of; `record` passes on to it what its spies see."""
    arguments = [
        Watched(name, "argument", name, None, functools.partial(_argument, value))
        for name, value in zip(names, given, strict=True)
        if isinstance(value, jax.Array)
    ]

    def watched() -> Iterator[Watched]:
        for seen in list(record.modules):
            if seen.instance is not None:
                yield from _state(seen)
        yield from arguments
        yield from kept

    record.follower = Follower(record.source, watched, lambda: record.calling > 0)
    return record.follower


def _state(seen: Seen) -> Iterator[Watched]:
    for path, leaf, rng in leaves(seen.instance):
        if not rng and not isinstance(leaf, CONTAINERS):
            yield _of_module(seen, path, _leaf(leaf))
    for name, value in children(seen.instance):
        if isinstance(value, CONTAINERS):
            size = len(value)
            yield _of_module(seen, f"len({name})", Print(type_name(type(value)), float(size), size))


def _of_module(seen: Seen, path: str, found: Print) -> Watched:
    return Watched((id(seen), path), "state", f"{seen.name}.{path}", None, lambda: found)


def _leaf(leaf: Any) -> Print:
    raw = contents(leaf) if isinstance(leaf, nnx.Variable) else leaf
    held = number(raw)
    return Print(type_name(type(leaf)), held, id(raw) if held is None else str(held))


def _argument(value: jax.Array) -> Print:
    if value.is_deleted():
        return Print("deleted", None, None)
    return Print("jax.Array", None, np.array(value).tobytes())
