"""The interventions on a state of arrays, and on what calls return: what becomes of the result then."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.apart import REMAINDERS, remainder
from nnx_conformance.flax_versions import contents, is_tracer, set_contents
from nnx_conformance.frameworks import pytorch
from nnx_conformance.frameworks.linen import PARAMS, Collections
from nnx_conformance.graph import changed, parts, variables
from nnx_conformance.observation import Outcome, Run, Shift, Snapshot
from nnx_conformance.observe import Candidate, outcome, run, run_untraced
from nnx_conformance.probe import AMOUNT, forget_compiled, shifted
from nnx_conformance.request import Request
from nnx_conformance.timeline import clearer, groups


def shifts(candidate: Candidate, request: Request, first: Run, untraced: Run | None) -> tuple[Shift, ...]:
    """The one intervention: what is no parameter is shifted after the last call of each module."""
    base = clearer(first, untraced)
    concrete = [call for call in base.calls if not call.traced]
    writing = [[call for call in calls if call.mutable] for calls in groups(base)]
    last = {id(calls[-1]) for calls in writing if calls}
    ordinals = frozenset(at for at, call in enumerate(concrete, start=1) if id(call) in last)
    if not ordinals:
        return (_constructed(candidate, request, first, untraced),)
    runner = run if base is first else run_untraced
    applied: list[bool] = []

    def after_call(target: Any, position: int, output: Any) -> Any:
        if position in ordinals:
            applied.append(shift_state(target))
        return output

    made = runner(candidate, request.case, request.calls, after_call=after_call)
    return (Shift("state", "after the last call", AMOUNT, any(applied), outcome(made), (), len(made.calls)),)


def _constructed(candidate: Candidate, request: Request, first: Run, untraced: Run | None) -> Shift:
    """Where every call runs inside a trace, the state is shifted when the module has been made.

    The run as it is must follow. Why it does not, a run tells in which more is seen, beside the same without the shift:
    other calls were made, or the state was set anew.
    """
    applied: list[bool] = []

    def after_construction(module: Any) -> None:
        applied.append(shift_state(module))

    shift = functools.partial(run, candidate, request.case, request.calls, after_construction=after_construction)
    made = shift()
    beside = untraced if untraced and not untraced.raised else first
    if beside.modules and not applied:  # what is compiled already makes no module
        with _forgotten():
            made = shift()
    told = functools.partial(Shift, "state", "after construction", AMOUNT, any(applied), outcome(made), ())
    if _another(outcome(made), outcome(first)):
        return told(len(beside.calls))
    hooks: dict[str, Any] = {"after_construction": after_construction}
    clear = made if beside is first else run_untraced(candidate, request.case, request.calls, **hooks)
    return told(len(clear.calls), undone=_alike(_left(clear), _left(beside)))


def _left(of: Run) -> list[np.ndarray]:
    """What the Variables hold after the last call, or at the end if that is not seen; no Params, no random streams."""
    after = of.calls[-1].after if of.calls else None
    ends = [module.end for module in of.modules if module.end and not module.end.traced]
    return (_held(of, [after]) if after else []) or _held(of, ends)


def _held(of: Run, snapshots: Sequence[Snapshot]) -> list[np.ndarray]:
    found = [pair for one in snapshots for pair in zip(of.layouts[one.layout], one.held, strict=True)]
    return [of.arrays[at] for slot, at in found if at >= 0 and slot.counts and not slot.param]


def _alike(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether there are arrays, and they are the same but for the rounding of a compiled computation."""
    if not some or [one.shape for one in some] != [one.shape for one in others]:
        return False
    pairs = zip(some, others, strict=True)
    return all(np.allclose(one.astype(float), other.astype(float), 1e-5, 1e-5, equal_nan=True) for one, other in pairs)


def _another(one: Outcome, other: Outcome) -> bool:
    """Whether two runs came to something else."""
    a, b = one.result, other.result
    return a is None or b is None or a.array is None or b.array is None or not np.array_equal(a.array, b.array)


#: Transforms that keep nothing of what they ran without compilation; others may keep what the kit has changed.
FORGETFUL = frozenset({"nnx.jit", "nnx.vmap", "nnx.scan"})
#: Transforms that trace calls of which only one is made.
BRANCHES = frozenset({"nnx.cond", "nnx.switch", "jax.lax.cond", "jax.lax.switch"})


def outputs(candidate: Candidate, request: Request, first: Run, untraced: Run | None) -> tuple[Shift, ...]:
    """Shift what the last calls return, and what their modules keep then; traced calls are shifted in their trace.

    Each number of the state moves by another one, and by one that is made of what the call returned, where it can.

    Of the calls in a trace only the last one of all is told to be a last one: no other can be told apart. Where the
    last call may stand in each branch of a trace, or run from a trace of another call, all calls are shifted. What
    then was compiled is forgotten, or later runs would go on with what the kit made of it.
    """
    seen, runner = (untraced, run_untraced) if untraced and not untraced.raised else (first, run)
    keeps = any(call.compilation >= 0 or (call.traced and set(call.through) - FORGETFUL) for call in seen.calls)
    lasts = {id(calls[-1]) for calls in [*groups(seen), list(seen.calls)] if calls}
    anywhere = keeps or any(name in BRANCHES for call in seen.calls for name in call.through)
    ordinals = frozenset(at for at, call in enumerate(seen.calls, start=1) if id(call) in lasts)
    if not ordinals:
        return ()
    applied: list[bool] = []
    apart = _Apart()

    def after_call(target: Any, position: int, output: Any) -> Any:
        if not anywhere and position not in ordinals:
            return output
        applied.append(_variables(target, functools.partial(apart.move, _made_of(output)), every=True))
        return jax.tree_util.tree_map(functools.partial(_raised, applied), output)

    with _forgotten() if keeps else nullcontext():
        made = runner(candidate, request.case, request.calls, after_call=after_call, in_traces=True)
    told = functools.partial(Shift, "output", "after the last call", AMOUNT, any(applied), outcome(made), ())
    return (told(len(made.calls), apart=apart.moved > 0 and apart.whole),)


def _made_of(output: Any) -> Any:
    """A number made of what a call returned; None if that is not one array of several numbers."""
    if not isinstance(output, (jax.Array, np.ndarray)) or not _numeric(output) or output.size < 2:
        return None
    return remainder(output, jnp) if is_tracer(output) else int(remainder(np.asarray(output), np))


@dataclass(eq=False)
class _Apart:
    """Changes each part of a state by a number of its own, for each of its places, and for the call; none by less.

    Attributes:
        moved: how many parts were changed.
        whole: whether all of them could be changed so; others move by `AMOUNT` alone.
    """

    moved: int = 0
    whole: bool = True

    def move(self, by: Any, value: Any) -> Any:
        """A part, changed; `by` is made of what the call returned."""
        self.moved += 1
        if by is None or not isinstance(value, (jax.Array, np.ndarray)):
            self.whole = False
            return _shifted(value)
        places = np.arange(value.size).reshape(value.shape) % REMAINDERS
        amounts = AMOUNT + (self.moved - 1) * REMAINDERS + places + by
        if is_tracer(value) or is_tracer(amounts):
            return value + amounts.astype(value.dtype)
        return shifted(value, amounts if value.ndim else int(amounts))


@contextmanager
def _forgotten() -> Iterator[None]:
    """Compile anew in this block, and after it: what was compiled before or within is forgotten."""
    forget_compiled()
    try:
        yield
    finally:
        forget_compiled()


def _raised(applied: list[bool], value: Any) -> Any:
    if not _numeric(value):
        return value
    applied.append(True)
    return _shifted(value)


def _shifted(value: Any) -> Any:
    return value + AMOUNT if is_tracer(value) else shifted(value)


def shift_state(target: Any) -> bool:
    """Shift the state of a module, or of what a Linen `apply` has updated; whether there was any."""
    if isinstance(target, Collections):
        before, target.updated = target.updated, _collections(target.updated)
        return before is not target.updated and any(name != PARAMS for name in before)
    if isinstance(target, nnx.Module):
        return _variables(target)
    return any([pytorch.shift(tensor, AMOUNT) for tensor in pytorch.buffers(target)])


def _variables(module: Any, move: Callable[[Any], Any] = _shifted, *, every: bool = False) -> bool:
    """Shift the Variables of a module that are no Params, or all if there are no others or `every` one is meant."""
    found = list(variables(module).values())
    chosen = [one for one in found if every or not isinstance(one, nnx.Param)] or found
    held = [one for one in chosen if any(_numeric(part) for _, part in parts(contents(one)))]
    for variable in held:
        set_contents(variable, changed(contents(variable), lambda _, part: move(part) if _numeric(part) else part))
    return bool(held)


def _collections(updated: Mapping[str, Any]) -> dict[str, Any]:
    move = functools.partial(jax.tree_util.tree_map, lambda leaf: shifted(leaf) if _numeric(leaf) else leaf)
    return {name: content if name == PARAMS else move(content) for name, content in updated.items()}


def _numeric(value: Any) -> bool:
    if not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return value.dtype.kind in "iuf" or value.dtype.name == "bfloat16"
