"""Changing what a module holds, or a call returned, by an amount; dtype, shape and weak type stay."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.core.plan import AMOUNT, REMAINDERS, own_amount, own_amounts, remainder
from nnx_conformance.observe.flax_versions import contents, is_key, is_tracer, primal, set_contents
from nnx_conformance.observe.frameworks import pytorch
from nnx_conformance.observe.frameworks.linen import PARAMS, Collections
from nnx_conformance.observe.graph import changed, is_real, number, on_device, parts, variables


def shifted(value: Any, amount: Any = AMOUNT) -> Any:
    """A number or array, larger by `amount`, of the same dtype, shape and weak type; unsigned ones wrap around."""
    if isinstance(value, (np.ndarray, np.generic)):
        return (value + np.asarray(amount).astype(value.dtype)).astype(value.dtype)
    if isinstance(value, jax.Array) and not value.weak_type and not is_tracer(value):
        return on_device(shifted(np.asarray(value), amount))  # in NumPy: in JAX, each new shape would be compiled
    return value + amount  # a Python int keeps dtype and weak type in JAX


def numeric(value: Any) -> bool:
    """Whether a value is a number, or an array of them."""
    if not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return not is_key(value) and value.dtype != np.bool_ and is_real(value.dtype)


def shift_elements(output: Any) -> Any:
    """An output, each element of it changed by an amount of its own."""
    if np.ndim(output) == 0:
        return shifted(output)
    amounts = own_amounts(output.size).reshape(output.shape)
    return shifted(output, jnp.asarray(amounts).astype(output.dtype) if is_tracer(output) else amounts)


def shift_numbers(module: Any, paths: tuple[str, ...], amount: int, *, in_trace: bool = False) -> list[bool]:
    """Add to the numbers in the Variables at these paths; for each of them, whether its dtype could hold that.

    What stands for a number while a trace lasts is left alone, if not asked for: what is compiled then would stay so.
    """
    applied: list[bool] = []
    for path, variable in variables(module).items():
        now = contents(variable)
        held = {way: primal(part) for way, part in parts(now) if path + way in paths}
        chosen = {way for way, part in held.items() if number(part) is not None or (in_trace and _stands_for(part))}
        if chosen:
            set_contents(variable, changed(now, functools.partial(_add_at, chosen, amount)))
            after = {way: primal(part) for way, part in parts(contents(variable))}
            applied += [_larger(held[way], after[way], amount) for way in chosen]
    return applied


def _stands_for(value: Any) -> bool:
    """Whether a value of a trace stands for one number."""
    return is_tracer(value) and value.size == 1 and numeric(value)


def _larger(before: Any, after: Any, amount: int) -> bool:
    was, now = number(before), number(after)
    return was is None or now is None or now - was == amount


def _add_at(ways: set[str], amount: int, way: str, part: Any) -> Any:
    return shifted(part, amount) if way in ways else part


def shift_state(target: Any) -> bool:
    """Add to each number in the state of a module, or of what a Linen `apply` has updated, an amount of its own.

    An array is shifted element by element; what is a single number, by its place among the single numbers.

    Returns:
        whether there was any.
    """
    singles = itertools.count()

    def change(value: Any) -> Any:
        return shift_elements(value) if np.size(value) > 1 else shifted(value, own_amount(next(singles)))

    if isinstance(target, Collections):
        before, target.updated = target.updated, _collections(target.updated, change)
        return before is not target.updated and any(name != PARAMS for name in before)
    if isinstance(target, nnx.Module):
        return shift_variables(target, change)
    return any([pytorch.shift(tensor, singles) for tensor in pytorch.buffers(target)])


def shift_variables(module: Any, change: Callable[[Any], Any], *, params: bool = False) -> bool:
    """Change what Variables hold, those of a module that are no Params, or all if there are no others or if asked."""
    every = list(variables(module).values())
    chosen = [variable for variable in every if params or not isinstance(variable, nnx.Param)] or every
    applied = [variable for variable in chosen if any(numeric(part) for _, part in parts(contents(variable)))]
    for variable in applied:
        set_contents(variable, changed(contents(variable), lambda _, part: change(part) if numeric(part) else part))
    return bool(applied)


def _collections(updated: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    every = functools.partial(jax.tree_util.tree_map, lambda leaf: change(leaf) if numeric(leaf) else leaf)
    return {name: content if name == PARAMS else every(content) for name, content in updated.items()}


def call_amount(output: Any) -> Any:
    """A number made of what a call returned; None if that is not one array of several numbers."""
    if not isinstance(output, (jax.Array, np.ndarray)) or not numeric(output) or output.size < 2:
        return None
    return remainder(output, jnp) if is_tracer(output) else int(remainder(np.asarray(output), np))


@dataclass(eq=False)
class OwnAmounts:
    """Adds to each part of a state a number of its own, for each of its elements, and for the call; none less than 3.

    Attributes:
        parts: how many parts were changed.
        whole: whether all of them could be changed so; others move by `AMOUNT` alone.
    """

    parts: int = 0
    whole: bool = True

    def add(self, by: Any, value: Any) -> Any:
        """A part, changed; `by` is the call's number."""
        self.parts += 1
        if by is None or not isinstance(value, (jax.Array, np.ndarray)):
            self.whole = False
            return shifted(value)
        elements = np.arange(value.size).reshape(value.shape) % REMAINDERS
        amounts = AMOUNT + (self.parts - 1) * REMAINDERS + elements + by
        if is_tracer(value) or is_tracer(amounts):
            return value + amounts.astype(value.dtype)
        return shifted(value, amounts if value.ndim else int(amounts))
