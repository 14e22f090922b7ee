"""What is measured on a subject besides its outputs and its state."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import contents, is_key, set_contents
from nnx_conformance.laws.bench import Bench
from nnx_conformance.laws.seen import Creep, Leaf
from nnx_conformance.laws.snapshots import variables
from nnx_conformance.laws.transplants import is_random
from nnx_conformance.observation import Warned
from nnx_conformance.plain_text import plain
from nnx_conformance.source import Source

#: Calls after which a number that moved by the same amount each time counts as one that creeps.
STEADY = 6


def same(some: tuple[Leaf, ...], others: tuple[Leaf, ...]) -> bool:
    """Whether two states, or outputs, are the same to the last bit; plain values do not count."""
    one, other = ([leaf for leaf in leaves if leaf.array is not None and leaf.state] for leaves in (some, others))
    if not one and not other:
        one, other = ([leaf for leaf in leaves if leaf.array is not None] for leaves in (some, others))
    return [_bits(leaf) for leaf in one] == [_bits(leaf) for leaf in other]


def _bits(leaf: Leaf) -> tuple[Any, ...]:
    assert leaf.array is not None
    return leaf.path, leaf.array.dtype.name, leaf.array.shape, leaf.array.tobytes()


def distances(some: tuple[Leaf, ...], others: tuple[Leaf, ...]) -> tuple[float, ...]:
    """How far two lists of leaves of the same shapes are apart, one by one; -1 where that cannot be told."""
    return tuple(map(_distance, some, others)) if len(some) == len(others) else ()


def _distance(one: Leaf, other: Leaf) -> float:
    a, b = one.array, other.array
    if a is None or b is None or a.shape != b.shape or a.dtype.kind in "bOSU" or not a.size:
        return -1.0
    with np.errstate(all="ignore"):
        apart = np.abs(a.astype(np.complex128) - b.astype(np.complex128))
    return float(np.max(apart)) if np.all(np.isfinite(apart)) else -1.0


def touched(given: Any, wanted: Any) -> list[str]:
    """Which of the arguments of a call were changed in place, or deleted."""
    found = []
    if str(jax.tree.structure(given)) != str(jax.tree.structure(wanted)):
        return ["the arguments were changed in place: they hold other entries"]
    pairs = zip(jax.tree_util.tree_flatten_with_path(given)[0], jax.tree.leaves(wanted), strict=True)
    for (path, leaf), was in pairs:
        name = jax.tree_util.keystr(path)
        if isinstance(leaf, jax.Array) and leaf.is_deleted():
            found.append(f"argument {name} was deleted (donated)")
        elif isinstance(leaf, (jax.Array, np.ndarray)) and not _equal(leaf, was):
            found.append(f"argument {name} was changed in place")
    return found


def _equal(one: Any, other: Any) -> bool:
    if is_key(one):
        return True
    a, b = np.asarray(one), np.asarray(other)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def graph(module: Any) -> Any:
    """The structure of a module's graph; None where it cannot be had."""
    try:
        return nnx.split(module)[0]
    except Exception:  # noqa: BLE001 - a module that Flax cannot split shows that elsewhere
        return None


def changed(before: Any, module: Any) -> bool:
    """Whether the structure of a module's graph is another than before."""
    after = graph(module)
    try:
        return before is not None and after is not None and bool(before != after)
    except Exception:  # noqa: BLE001 - values in it may not be comparable
        return False


def giver(warned: warnings.WarningMessage) -> str:
    """The package that a warning speaks of."""
    text = f"{warned.message} {warned.category.__module__}".lower()
    return "jax" if "jax" in text and "nnx" not in text else "flax"


def warned(caught: list[warnings.WarningMessage], source: Source) -> tuple[Warned, ...]:
    """The warnings that lines of the subject's own files caused."""
    found = {}
    for one in caught:
        if source.owns(one.filename):
            line = source.line(one.filename, one.lineno)
            said = plain(str(one.message)[:300])
            found[line, said] = Warned(one.category.__name__, said, line, giver(one))
    return tuple(found.values())


def creeps(bench: Bench, module: Any, number: int) -> list[Creep]:
    """What the module's calls move by the same amount each time, tried near the end of the horizon."""
    found = _stalled(bench, module, number)
    seen = [_numbers(module)]
    for _ in range(STEADY):
        bench.call(module, number)
        seen.append(_numbers(module))
    for path in seen[0]:
        if all(path in one for one in seen) and (
            creep := _creep(bench, module, number, path, [one[path] for one in seen])
        ):
            found.append(creep)
    return found


def _stalled(bench: Bench, module: Any, number: int) -> list[Creep]:
    """What stands still in half precision, and moves when the same state is held in float32."""
    half = [path for path, value in _numbers(module).items() if value.dtype.name in ("bfloat16", "float16")]
    if not half:
        return []
    before = {path: _numbers(module)[path].astype(np.float32) for path in half}
    wide = nnx.clone(module)
    for path in half:
        set_contents(variables(wide)[path], jax.numpy.asarray(before[path]))
    narrow = nnx.clone(module)
    with contextlib.suppress(Exception):
        for _ in range(STEADY):
            bench.call(narrow, number)
            bench.call(wide, number)
    return [creep for path in half if (creep := _stands(path, before[path], _numbers(narrow), _numbers(wide)))]


def _stands(path: str, was: np.ndarray, narrow: dict[str, np.ndarray], wide: dict[str, np.ndarray]) -> Creep | None:
    if path not in narrow or path not in wide or wide[path].shape != was.shape or wide[path].dtype != np.float32:
        return None
    moved = (wide[path] - was).astype(np.float64) / STEADY
    still = (narrow[path].astype(np.float32) == was) & (moved != 0) & np.isfinite(moved)
    if not np.all(still | (moved == 0)) or not np.any(still):
        return None
    at = np.unravel_index(int(np.argmax(np.abs(moved) * still)), still.shape)
    held = float(was[at])
    return Creep(path, narrow[path].dtype.name, float(moved[at]), held, held, float(STEADY))


def _numbers(module: Any) -> dict[str, np.ndarray]:
    found = {}
    for path, variable in variables(module).items():
        value = contents(variable)
        if (
            not isinstance(variable, nnx.Param)
            and not is_random(variable)
            and isinstance(value, (jax.Array, np.ndarray))
        ):
            found[path] = np.asarray(value)
    return found


def _creep(bench: Bench, module: Any, number: int, path: str, values: list[np.ndarray]) -> Creep | None:
    if len({(value.shape, value.dtype) for value in values}) != 1 or not values[0].size or values[0].dtype.kind in "bc":
        return None
    line = np.stack([value.astype(np.float64) for value in values])
    moves = np.diff(line, axis=0)
    steady = np.all(np.isfinite(moves), axis=0) & (np.ptp(moves, axis=0) <= 1e-3 * np.abs(moves[0])) & (moves[0] != 0)
    if not np.any(steady):
        return None
    at = np.unravel_index(int(np.argmax(steady)), steady.shape)
    return _jumped(bench, module, number, path, values[-1], at, float(moves[0][at]))


def _jumped(
    bench: Bench, module: Any, number: int, path: str, value: np.ndarray, at: tuple[Any, ...], amount: float
) -> Creep | None:
    """What one more call does to a number that many calls would have led to."""
    now, calls = float(value[at]), float(bench.subject.horizon)
    if value.dtype.kind in "iu":
        limit = np.iinfo(value.dtype).max if amount > 0 else np.iinfo(value.dtype).min
        calls = min(calls, (float(limit) - now) // amount)
    with np.errstate(all="ignore"):
        near = np.array(value)
        near[at] = np.float64(now + calls * amount).astype(value.dtype)
    held = variables(module)[path]
    was = contents(held)
    set_contents(held, jax.numpy.asarray(near) if isinstance(was, jax.Array) else near)
    with contextlib.suppress(Exception):
        bench.call(module, number)
        after = np.asarray(contents(variables(module)[path]))
        return Creep(path, value.dtype.name, amount, float(near[at]), float(after[at]), calls)
    return None
