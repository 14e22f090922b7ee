"""Adding amounts to a module's state, or to a call's output; dtype, shape and weak type stay."""

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
    """A number or array plus `amount`, of the same dtype, shape and weak type; unsigned ones wrap around."""
    if isinstance(value, (np.ndarray, np.generic)):
        return (value + np.asarray(amount).astype(value.dtype)).astype(value.dtype)
    if isinstance(value, jax.Array) and not value.weak_type and not is_tracer(value):
        return on_device(shifted(np.asarray(value), amount))  # in NumPy, because JAX would compile for each new shape
    return value + amount  # a Python int keeps dtype and weak type in JAX


def numeric(value: Any) -> bool:
    """Whether a value is a number, or an array of them."""
    if not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return not is_key(value) and value.dtype != np.bool_ and is_real(value.dtype)


def shift_elements(output: Any) -> Any:
    """An output, with an amount of its own added to each element."""
    if np.ndim(output) == 0:
        return shifted(output)
    amounts = own_amounts(output.size).reshape(output.shape)
    return shifted(output, jnp.asarray(amounts).astype(output.dtype) if is_tracer(output) else amounts)


def shift_numbers(module: Any, paths: tuple[str, ...], amount: int, *, in_trace: bool = False) -> list[bool]:
    """Add `amount` to the numbers in the Variables at these paths.

    A tracer is changed only `in_trace`, because the compiled code would keep the change.

    Returns:
        for each number changed, whether its dtype could hold the sum.
    """
    applied: list[bool] = []
    for path, variable in variables(module).items():
        value = contents(variable)
        before = {label: primal(part) for label, part in parts(value) if path + label in paths}
        labels = {label for label, part in before.items() if number(part) is not None or (in_trace and _is_one(part))}
        if labels:
            set_contents(variable, changed(value, functools.partial(_add_at, labels, amount)))
            after = {label: primal(part) for label, part in parts(contents(variable))}
            applied += [_rose_by(amount, before[label], after[label]) for label in labels]
    return applied


def _is_one(value: Any) -> bool:
    """Whether a value is a tracer of a single number."""
    return is_tracer(value) and value.size == 1 and numeric(value)


def _rose_by(amount: int, before: Any, after: Any) -> bool:
    first, last = number(before), number(after)
    return first is None or last is None or last - first == amount


def _add_at(labels: set[str], amount: int, label: str, part: Any) -> Any:
    return shifted(part, amount) if label in labels else part


def shift_state(target: Any) -> bool:
    """Add an amount of its own to each number in the state of a module, or in the updates of a Linen `apply`.

    The amount of an array's element depends on its position in the array, that of a single number on its position
    among the single numbers.

    Returns:
        whether there was any number.
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
    """Change the numbers in a module's Variables; its Params only with `params`, or if it has no other Variables."""
    every = list(variables(module).values())
    chosen = [variable for variable in every if params or not isinstance(variable, nnx.Param)] or every
    numbers = [variable for variable in chosen if any(numeric(part) for _, part in parts(contents(variable)))]
    for variable in numbers:
        set_contents(variable, changed(contents(variable), lambda _, part: change(part) if numeric(part) else part))
    return bool(numbers)


def _collections(updated: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    change_all = functools.partial(jax.tree_util.tree_map, lambda leaf: change(leaf) if numeric(leaf) else leaf)
    return {name: content if name == PARAMS else change_all(content) for name, content in updated.items()}


def call_amount(output: Any) -> Any:
    """An amount computed from a call's output; None if that is not one array of several numbers."""
    if not isinstance(output, (jax.Array, np.ndarray)) or not numeric(output) or output.size < 2:
        return None
    return remainder(output, jnp) if is_tracer(output) else int(remainder(np.asarray(output), np))


@dataclass(eq=False)
class OwnAmounts:
    """Adds an amount to each element of a state that differs by part, by element and by call; at least 3.

    Attributes:
        parts: how many parts were changed.
        whole: whether all of them got such amounts; others got `AMOUNT`.
    """

    parts: int = 0
    whole: bool = True

    def add(self, by: Any, value: Any) -> Any:
        """A part with its amounts added; `by` is the call's amount, see `call_amount`."""
        self.parts += 1
        if by is None or not isinstance(value, (jax.Array, np.ndarray)):
            self.whole = False
            return shifted(value)
        elements = np.arange(value.size).reshape(value.shape) % REMAINDERS
        amounts = AMOUNT + (self.parts - 1) * REMAINDERS + elements + by
        if is_tracer(value) or is_tracer(amounts):
            return value + amounts.astype(value.dtype)
        return shifted(value, amounts if value.ndim else int(amounts))
