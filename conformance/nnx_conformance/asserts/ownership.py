"""Assertions on what modules share, and on their random keys."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Unpack

import jax
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import Failed, MessageForm, assertion, misused
from nnx_conformance.asserts.leaves import Keys, StateLeaf, listed, live, read, walk
from nnx_conformance.asserts.writes import Block, Writes
from nnx_conformance.observe.flax_versions import NODE, contents, is_key, is_tracer


@assertion
def assert_independent(first: Any, second: Any, **form: Unpack[MessageForm]) -> None:
    """Check that two modules share no node, no Variable and no buffer: what one is given leaves the other alone.

    `nnx.clone` shares buffers: donating one of the two, or writing to a NumPy array in place, reaches the other.

    Args:
        first, second: modules or states.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if they share something, with both paths.
        ValueError: if they are the same object, or a snapshot, which shares nothing.
    """
    for name, value in (("first", first), ("second", second)):
        if not isinstance(value, (NODE, nnx.State, list, tuple, Mapping)):
            raise misused("a module or an nnx.State", name, value, "Pass the module.")
    if first is second:
        raise misused("another module than first", "second", second, "Pass the copy.")
    shared = list(dict.fromkeys([*_shared_objects(first, second), *_shared_buffers(first, second)]))
    if shared:
        raise Failed("; ".join(shared[:6]) + (f"; and {len(shared) - 6} more" if len(shared) > 6 else ""))


def _shared_objects(first: Any, second: Any) -> list[str]:
    mutable = (nnx.Variable, NODE)
    known = {id(spot.value): spot.path for spot in walk(first, nodes=True) if isinstance(spot.value, mutable)}
    shared = [spot for spot in walk(second, nodes=True) if isinstance(spot.value, mutable) and id(spot.value) in known]
    return [
        f"{_paths(known[id(spot.value)], spot.path)} are the same {'Variable' if spot.is_variable else 'module'}"
        for spot in shared
        if spot.is_variable or not spot.path or not any(spot.path.startswith(f"{o.path}.") for o in shared)
    ]


def _paths(first: str, second: str) -> str:
    return f"`first.{first}` and `second.{second}`".replace(".[", "[").replace(".`", "`")


@dataclass(frozen=True)
class _Buffer:
    path: str
    holder: Any
    start: int
    stop: int


def _shared_buffers(first: Any, second: Any) -> list[str]:
    known = sorted(_buffers(first), key=lambda buffer: buffer.start)
    shared = []
    for other in _buffers(second):
        for buffer in known:
            if buffer.start < other.stop and other.start < buffer.stop and buffer.holder is not other.holder:
                shared.append(f"{_paths(buffer.path, other.path)} share a buffer")
    return shared


def _buffers(module: Any) -> list[_Buffer]:
    buffers = []
    for spot in walk(module):
        variable = isinstance(spot.value, nnx.Variable)
        content = (
            contents(spot.value)
            if variable
            else getattr(spot.value, "value", spot.value)
            if spot.is_variable
            else spot.value
        )
        for way, part in jax.tree_util.tree_flatten_with_path(content)[0]:
            path = spot.path + jax.tree_util.keystr(way)
            # A Variable that is shared is reported as such.
            buffers += [_Buffer(path, spot.value if variable else object(), *ends) for ends in _extents(part)]
    return buffers


def _extents(value: Any) -> list[tuple[int, int]]:
    """First address and the one after the last, for each piece of an array's memory."""
    if is_tracer(value) or not isinstance(value, (jax.Array, np.ndarray)) or not value.size:
        return []
    if isinstance(value, np.ndarray):
        return [tuple(map(int, np.lib.array_utils.byte_bounds(value)))]  # type: ignore[list-item]
    data = jax.random.key_data(value) if is_key(value) else value
    if data.is_deleted():
        return []
    pieces = [shard.data for shard in data.addressable_shards]
    return [(piece.unsafe_buffer_pointer(), piece.unsafe_buffer_pointer() + piece.nbytes) for piece in pieces]


@dataclass(frozen=True)
class _KeyStream:
    """A stream of random keys: its key and count; or a key that a Variable holds by itself."""

    path: str
    key: StateLeaf | None
    count: StateLeaf | None

    @property
    def names(self) -> tuple[str, ...]:
        """What users call it: its path, the end of that, and the stream of the `nnx.Rngs` that it was forked from."""
        tags = [
            getattr(leaf.holder, "tag", None) for leaf in (self.key, self.count) if leaf and leaf.holder is not None
        ]
        return (self.path, self.path.rpartition(".")[2], *filter(None, tags))


@assertion
def assert_keys_advance(before: Any, after: Any, *, streams: Sequence[str] = (), **form: Unpack[MessageForm]) -> None:
    """Check that random keys were drawn, and that none will come again.

    A stream whose count stays was not drawn from, or what was drawn is forgotten, as in a plain `jax.jit`: the next
    call draws the same keys.

    Args:
        before: what `snapshot(module)` gave.
        after: the module, or its `nnx.Rngs`.
        streams: the streams that must advance, by path (`"rngs.dropout"`) or by name (`"dropout"`), of which one must:
            a module that keeps the `nnx.Rngs` it was made with no longer draws from that; without, at least one of all.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if a stream stands still that must advance, or one goes back.
        ValueError: if `before` shows later writes, or there are no such streams.
    """
    _keys_advance(streams, before, after)


def keys_advance(
    module: Any, *, streams: Sequence[str] = (), **form: Unpack[MessageForm]
) -> AbstractContextManager[None]:
    """`assert_keys_advance` around a block: `with keys_advance(model): model(x)`."""
    check = functools.partial(_keys_advance, streams)
    return Block("assert_keys_advance", module, form, check)


def _keys_advance(streams: Sequence[str], before: Any, after: Any, writes: Writes | None = None) -> None:
    leaves, now = read(before, "before"), read(after, "after")
    if error := live(before, after, leaves, now):
        raise error
    old, new = _streams(leaves), _streams(now)
    if not old:
        raise misused("a module with random keys", "before", before, "Pass one that holds an nnx.Rngs, or a key.")
    names = (streams,) if isinstance(streams, str) else streams
    wanted = [_named(name, {keys: new.get(keys, old[keys]) for keys in old}) for name in names]
    back = [_step(old[keys], new[keys]) for keys in old if keys in new and _moved(old[keys], new[keys]) < 0]
    gone = [f"`{stream.path}` is gone" for keys, stream in old.items() if keys not in new]
    moved = {keys for keys in old if keys in new and _moved(old[keys], new[keys]) > 0}
    idle = [keys for group in (wanted or [list(old)]) if moved.isdisjoint(group) for keys in group]
    if back or gone or idle:
        still = [_step(old[keys], new[keys]) for keys in idle if keys in new]
        reasons = [f"{step}: the keys after that come again" for step in back] + gone
        raise Failed("; ".join(reasons or [f"{step}, so the next call draws the same keys" for step in still]))


def _streams(leaves: Mapping[Keys, StateLeaf]) -> dict[Keys, _KeyStream]:
    streams: dict[Keys, _KeyStream] = {}
    for keys, leaf in leaves.items():
        if not leaf.variable:
            continue
        if issubclass(leaf.kind, (nnx.RngKey, nnx.RngCount)):
            stream = streams.get(keys[:-1], _KeyStream(leaf.path.rpartition(".")[0], None, None))
            of_key = issubclass(leaf.kind, nnx.RngKey)
            key, count = (leaf, stream.count) if of_key else (stream.key, leaf)
            streams[keys[:-1]] = _KeyStream(stream.path, key, count)
        elif leaf.dtype.startswith("key<"):
            streams[keys] = _KeyStream(leaf.path, leaf, None)
    return streams


def _named(name: str, streams: Mapping[Keys, _KeyStream]) -> list[Keys]:
    for names in (lambda stream: (stream.path,), lambda stream: stream.names):
        if matching := [keys for keys, stream in streams.items() if name in names(stream)]:
            return matching
    known = listed([stream.path for stream in streams.values()])
    raise misused("a stream of random keys", "streams", name, f"There are {known}.")


def _moved(before: _KeyStream, after: _KeyStream) -> int:
    """1 if other keys come now, 0 if the same ones, -1 if some that came before."""
    if not _alike(before.key, after.key):
        return 1
    if before.count is None or after.count is None:
        return 0
    a, b = before.count.value, after.count.value
    if is_tracer(a) or is_tracer(b):  # in a trace nobody knows by how much
        return int(a is not b)
    a, b = np.asarray(a), np.asarray(b)
    return 1 if a.shape != b.shape else -1 if np.any(b < a) else int(np.any(b > a))


def _alike(first: StateLeaf | None, second: StateLeaf | None) -> bool:
    if first is None or second is None:
        return first is second
    return first.value is second.value or (not is_tracer(first.value) and np.array_equal(first.value, second.value))


def _step(before: _KeyStream, after: _KeyStream) -> str:
    counts = [stream.count.value for stream in (before, after) if stream.count is not None]
    if len(counts) < 2 or any(map(is_tracer, counts)):
        return f"`{before.path}` holds the same key"
    was, now = (np.asarray(count).tolist() for count in counts)
    return f"the count of `{before.path}` was {was} and is {now}"
