"""The assertion that what a function writes to a module is still there when it has returned."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import jax
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import Failed, MessageForm, assertion, misused, name_of
from nnx_conformance.asserts.leaves import Keys, StateLeaf, apart, difference, read, walk
from nnx_conformance.asserts.writes import UserWrite, Writes, watching
from nnx_conformance.observe.flax_versions import NODE

#: What a compiled call takes as an argument; all else is a constant of it.
STATEFUL = (jax.Array, np.ndarray, nnx.Variable)


@assertion
def assert_updates_kept(
    function: Callable[..., Any],
    module: Any,
    *inputs: Any,
    kwargs: Mapping[str, Any] | None = None,
    **form: Unpack[MessageForm],
) -> None:
    """Call `function(module, *inputs)`, and check that what is written to the module's Variables is not lost.

    A plain `jax.jit`, `jax.checkpoint` or `lax.scan` hands over a copy of the module, and `nnx.merge` makes one: what
    is written there is lost unless it is returned or written back. A write counts as lost if it was observed, with
    another value than before, and neither the module nor what the function returned holds another value afterwards. A
    Variable that never moves, or is written with what it holds, is no loss.

    The function is called twice: on copies of all arguments, without compilation where that is possible, to observe
    what it writes; and then as given. A copy whose state is thrown away on purpose, such as a target network, counts as
    lost: have that function take the copy as an argument of its own.

    Args:
        function: takes the module and the inputs; may be a bound method, or the module itself (and `module` its first
            input).
        module, inputs, kwargs: its arguments. The updates of other modules among them are checked, too.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if an update was lost, with its path and the line of the write.
        ValueError: if no argument is a module.
    """
    function, arguments = unbound(function, (module, *inputs), kwargs)
    subjects = [argument for argument in arguments if isinstance(argument, NODE)]
    if not subjects:
        raise misused("a module", "module", module, "Pass what the function writes to as its first argument.")
    before = [read(subject, "module") for subject in subjects]
    writes, after_copy = _observed(function, arguments)
    returned = read((function(*arguments),), "result")
    after = [read(subject, "module") for subject in subjects]
    lost: dict[str, str] = {}
    for write in writes.contents:
        targets = _targets(write, subjects)
        if not targets or any(_is_kept(before[at], after[at], returned, keys, write) for at, keys in targets):
            continue
        for at, keys in targets[:1]:
            leaf = before[at].get(keys)
            own = any(holder is write.target for holder in after_copy[at].holders)
            if leaf is None or not _moved(write, leaf) or (own and not after_copy[at].moved(leaf, keys)):
                lost.pop(str(keys), None)
            else:
                lost[str(keys)] = f"{leaf} still holds what it held before{_line(write)}"
    if lost:
        advice = "return the new state and nnx.update the module with it, or use the transform of nnx"
        raise Failed(f"an update is lost in {name_of(function)}: {'; '.join(lost.values())}; {advice}")


def unbound(
    function: Callable[..., Any], arguments: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A module, or a method bound to one, as a function of that module; keywords by position, flags as constants."""
    if isinstance(function, NODE):
        function, arguments = type(function).__call__, (function, *arguments)
    elif inspect.ismethod(function) and isinstance(owner := function.__self__, NODE):
        function, arguments = function.__func__, (owner, *arguments)
    return _by_position(function, arguments, kwargs) if kwargs else (function, arguments)


def _by_position(
    function: Callable[..., Any], arguments: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    names = [name for name, value in kwargs.items() if any(isinstance(spot.value, STATEFUL) for spot in walk([value]))]
    flags = {name: value for name, value in kwargs.items() if name not in names}
    count = len(arguments)

    def called(*given: Any) -> Any:
        return function(*given[:count], **dict(zip(names, given[count:], strict=True)), **flags)

    called.__name__ = name_of(function)
    if is_compiled(function):
        called.__wrapped__ = function  # type: ignore[attr-defined]
    return called, (*arguments, *(kwargs[name] for name in names))


def is_compiled(function: Callable[..., Any]) -> bool:
    """Whether `jax.jit` or `nnx.jit` made a function; that of Flax 0.8 is a plain function with one of JAX inside."""
    return hasattr(function, "lower") or hasattr(getattr(function, "inner", None), "lower")


@dataclass(frozen=True)
class _After:
    """What became of a copy: its leaves, and the Variables that are its own."""

    leaves: Mapping[Keys, StateLeaf]
    holders: tuple[Any, ...]

    def moved(self, leaf: StateLeaf, keys: Keys) -> bool:
        return keys in self.leaves and difference(leaf, self.leaves[keys]) != ""


def _observed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Writes, list[_After]]:
    """What the function writes, called on copies of its arguments, and what became of those that are modules."""
    for plainly in (jax.disable_jit, contextlib.nullcontext):
        copies = copied(arguments)
        modules = [part for part in copies if isinstance(part, NODE)]
        holders = [tuple(spot.value for spot in walk(module) if spot.is_variable) for module in modules]
        try:
            with watching(values=True) as writes, plainly():
                function(*copies)
        except Exception:  # noqa: BLE001 - what cannot run uncompiled runs compiled; what fails there, fails for the user
            continue
        finally:
            jax.effects_barrier()  # type: ignore[no-untyped-call]
            if writes.compiled:
                # Or later calls would reuse what was compiled with callbacks in it.
                jax.clear_caches()  # type: ignore[no-untyped-call]
        return writes, [_After(read(module, "module"), own) for module, own in zip(modules, holders, strict=True)]
    return Writes(), []


def copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with copies of all modules; what they share, their copies share."""
    try:
        return copy.deepcopy(arguments)
    except Exception:  # noqa: BLE001 - some arguments cannot be copied, such as locks and generators
        return tuple(nnx.clone(part) if isinstance(part, NODE) else part for part in arguments)


def _targets(write: UserWrite, subjects: list[Any]) -> list[tuple[int, Keys]]:
    """The Variables of the subjects that a write may be for, by the outermost module around it that they know."""
    for kind, where in write.places:
        targets = [
            (at, (*spot.keys, *where))
            for at, subject in enumerate(subjects)
            for spot in walk(subject, nodes=True)
            if type(spot.value) is kind
        ]
        if targets:
            return targets
    return []


def _is_kept(
    before: Mapping[Keys, StateLeaf],
    after: Mapping[Keys, StateLeaf],
    returned: Mapping[Keys, StateLeaf],
    keys: Keys,
    write: UserWrite,
) -> bool:
    """Whether the module holds another value there than before, or what was returned does."""
    if keys not in before or keys not in after or difference(before[keys], after[keys]):
        return True
    wrote_zeros = not write.values or not np.any(write.values[-1])
    return any(
        # What is zero where something else was written is a derivative, of a loss that does not read the Variable.
        leaf.dtype and other[-1] == keys[-1] and difference(before[keys], leaf) and (wrote_zeros or np.any(leaf.value))
        for other, leaf in returned.items()
    )


def _moved(write: UserWrite, leaf: StateLeaf) -> bool:
    """Whether another value was written last than the Variable held before."""
    if not write.values or not isinstance(leaf.value, (np.ndarray, bool, int, float, complex)):
        return False
    kept, written = np.asarray(leaf.value), write.values[-1]
    if written.shape == kept.shape or (write.lanes and written.shape[1:] == kept.shape):
        return bool(apart(written, kept).any())
    return False


def _line(write: UserWrite) -> str:
    return f", though it is written at {write.line}" if write.line else ""
