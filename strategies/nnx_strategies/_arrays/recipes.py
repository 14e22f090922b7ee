"""Recipes: an array is drawn as a length, a profile, the elements of a short pattern, and a few overwritten ones."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .._validation import misuse
from .._whole_numbers import index, indices, plain
from .domains import Domain
from .profiles import ARRANGEMENTS, DRAWN, RESHAPINGS, Array

# How many elements are overwritten, the simplest number first: rarely any, for variety, but mostly some if the
# caller allows NaN and the like, so that the option has an effect.
_FEW = (0, 0, 0, 0, 0, 0, 1, 2)
_MANY = (0, 1, 1, 2, 2, 2, 3, 3)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The strategies of a draw, and `array`, which makes the array from elements, length and profile."""

    dtype: np.dtype[Any]
    elements: tuple[st.SearchStrategy[Any], ...]
    profile: st.SearchStrategy[int]
    changes: st.SearchStrategy[int]
    change: tuple[st.SearchStrategy[Any], ...]
    array: Callable[[list[Any], int, int], Array]


def own_recipe(domain: Domain, *, specials: list[float]) -> Recipe:
    """A recipe with the default elements of `domain`, and often with `specials` (NaN and the like)."""
    profiles = ARRANGEMENTS if domain.boolean else ARRANGEMENTS + RESHAPINGS
    numbers = _numbers(domain)
    at, landmarks = plain(numbers), _landmarks(domain) + specials * 4

    def array(drawn: list[Any], n: int, profile: int) -> Array:
        v = np.resize(np.array([at(index(rank)) for rank in drawn], dtype=np.float64), n)
        return domain.cast(profiles[profile](v, domain))

    return Recipe(
        dtype=domain.dtype,
        elements=tuple(indices(len(numbers), purpose=f"element {i}") for i in range(DRAWN)),
        profile=indices(len(profiles), purpose="profile"),
        changes=st.sampled_from(_MANY if specials else _FEW),
        change=tuple(_chosen(landmarks, purpose=f"change {i}") for i in range(max(_MANY))),
        array=array,
    )


def given_recipe(domain: Domain, *, elements: st.SearchStrategy[Any]) -> Recipe:
    """A recipe with elements from the caller's strategy, which it moves and never computes with."""

    def array(drawn: list[Any], n: int, profile: int) -> Array:
        x = np.array([_held(value, domain) for value in drawn], dtype=domain.dtype)
        return np.array(ARRANGEMENTS[profile](np.resize(x, n), domain))

    return Recipe(
        dtype=domain.dtype,
        elements=(elements,) * DRAWN,
        profile=indices(len(ARRANGEMENTS), purpose="profile"),
        changes=st.sampled_from(_FEW),
        change=(elements.map(lambda value: _held(value, domain)),) * max(_FEW),
        array=array,
    )


def arrays(*, sizes: st.SearchStrategy[int], recipe: Recipe) -> st.SearchStrategy[Array]:
    """Arrays of shape `[n]`, with `n` from `sizes`, of the recipe's dtype."""

    # A closure, because Hypothesis prints the arguments of a composite strategy, and these are pages long. The elements
    # are drawn last, so that a shorter array does not move other draws.
    @st.composite
    def array(draw: st.DrawFn) -> Array:
        n, profile = draw(sizes), index(draw(recipe.profile))
        times = draw(recipe.changes)
        if not n:
            return np.empty(0, recipe.dtype)
        changes = [(index(draw(indices(n, purpose=f"place {i}"))), draw(recipe.change[i])) for i in range(times)]
        x = recipe.array([draw(element) for element in recipe.elements[:n]], n, profile)
        for place, value in changes:
            x[place] = value
        return x

    return array()


def arrays_of_any_rank(*, shapes: st.SearchStrategy[tuple[int, ...]], recipe: Recipe) -> st.SearchStrategy[Array]:
    """Arrays with a shape from `shapes`, of the recipe's dtype: a flat array of the recipe, reshaped."""

    @functools.cache
    def flat(n: int) -> st.SearchStrategy[Array]:
        return arrays(sizes=st.just(n), recipe=recipe)

    @st.composite
    def array_of_any_rank(draw: st.DrawFn) -> Array:
        shape = draw(shapes)
        return draw(flat(math.prod(shape))).reshape(shape)

    return array_of_any_rank()


def _chosen(values: list[Any], *, purpose: str) -> st.SearchStrategy[Any]:
    choices = indices(len(values), purpose=purpose)
    return st.builds(lambda choice: values[index(choice)], choices)


def _numbers(domain: Domain) -> range:
    """The range of drawn elements: whole numbers even for floats, because some profiles turn them into fractions."""
    bound = int(domain.bound)
    return range(-bound if domain.signed else 0, bound + 1)


def _landmarks(domain: Domain) -> list[Any]:
    if domain.boolean:
        return [False, True]
    if domain.floating:
        return [0.0, 1.0, -1.0, -0.0, domain.bound, -domain.bound, 0.95 * domain.bound, domain.normal]
    both = [0, 1, int(domain.bound)]
    return [*both, -1, -int(domain.bound)] if domain.signed else both


def _held(value: Any, domain: Domain) -> Any:
    """`value` as a scalar of the dtype; raises if it overflows or loses a fraction, but floats may be rounded."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            scalar = np.array(value).astype(domain.dtype)[()]
            same_kind = domain.floating and bool(np.isfinite(scalar)) == np.isfinite(value)
            if same_kind or scalar.item() == value:
                return scalar
    except (TypeError, ValueError, OverflowError):
        pass
    fix = f"Draw elements that {domain.dtype} holds, or pass another dtype."
    expected = f"elements that dtype {domain.dtype} holds"
    raise misuse(expected=expected, name="element", value=value, fix=fix)
