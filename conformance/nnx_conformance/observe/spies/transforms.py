"""Under which transforms of JAX and Flax a call runs, read from the stack: nothing of theirs is replaced.

Measured on Flax 0.8.5, 0.10.7, 0.11.2, 0.12.8 and 0.12.12 with the JAX of each. Under `jax.disable_jit`, a plain
`jax.jit` leaves no frame, and one of Flax does.

We tried to wrap the public transforms instead, so that each opens and closes a scope. On Flax 0.8.5 and 0.12.12 it
does not hold: what was transformed before the spies came, as in a Python object that is judged, opens no scope; a
wrapper around the given function makes JAX trace it anew at each `jax.jit(f)`, 5 times instead of once in a loop of 5;
a wrapper around the returned one has no `lower` and no `clear_cache`, and is no `jax.stages.Wrapped`; and Flax's own
calls of `jax.jit` open scopes, too.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from nnx_conformance.observe.source import Source
from nnx_conformance.observe.spies.patches import profiling

#: By module of JAX: the functions that run what they are given, and how users name them.
PLAIN = {
    "jax._src.api": {"vmap_f": "jax.vmap", "grad_f": "jax.grad", "value_and_grad_f": "jax.value_and_grad"},
    "jax._src.ad_checkpoint": {"fun_remat": "jax.checkpoint"},
    "jax._src.lax.control_flow.loops": {name: f"jax.lax.{name}" for name in ("scan", "map", "fori_loop", "while_loop")},
    "jax._src.lax.control_flow.conditionals": {name: f"jax.lax.{name}" for name in ("cond", "switch")},
}
#: The module behind `jax.jit`; whatever of it is on the stack, something is being compiled.
JIT = "jax._src.pjit"
#: The functions of `flax.nnx.transforms` that run what they are given, besides those called `vmap_wrapper` and so on.
LIFTED = frozenset({"grad", "value_and_grad", "remat", "cond", "switch", "while_loop", "fori_loop"})
SUFFIX = "_wrapper"
#: What Flax itself builds transforms of, up to 0.11 `nnx.cond` and `nnx.switch`: the frame within is theirs.
BUILT_OF = ("split_inputs", "merge_inputs")


@dataclass(frozen=True)
class Around:
    """The transforms around something that happened, see `facts.Call`."""

    through: tuple[str, ...] = ()
    compilation: int = -1
    mapping: int = -1


#: Outside of all transforms.
NOWHERE = Around()
MAPS = ("nnx.vmap", "jax.vmap")


@dataclass(eq=False)
class Numbers:
    """Numbers for frames. They are kept, emptied, until the run ends: others could get their identity."""

    _frames: list[FrameType] = field(default_factory=list)

    def number(self, frame: FrameType | None) -> int:
        """The number of a frame, from 0, in the order in which they came; -1 for None."""
        if frame is None:
            return -1
        if self._frames and self._frames[-1] is frame:
            return len(self._frames) - 1
        for ended in self._frames[-1:]:
            with contextlib.suppress(RuntimeError):  # it still runs
                ended.clear()
        self._frames.append(frame)
        return len(self._frames) - 1


@dataclass(eq=False)
class Uses:
    """The compilations and the uses of `vmap` in one run."""

    compilations: Numbers = field(default_factory=Numbers)
    mappings: Numbers = field(default_factory=Numbers)


def around(source: Source, uses: Uses) -> Around:
    """The transforms around the innermost frame of the candidate, outermost first.

    A transform of Flax is made of plain ones; only its own name counts.
    """
    names: list[str] = []
    lifted, compiling, mapping = False, None, None
    for frame in reversed(list(_stack(sys._getframe(1)))):
        if source.owns(frame.f_code.co_filename):
            lifted = False
            continue
        module = str(frame.f_globals.get("__name__", ""))
        compiling = compiling or (frame if module == JIT else None)
        name = lifted_name(module, frame) or ("" if lifted else plain_name(module, frame))
        lifted = lifted or name.startswith("nnx.")
        mapping = mapping or (frame if name in MAPS else None)
        if name and names[-1:] != [name]:
            names.append(name)
    return Around(tuple(names), uses.compilations.number(compiling), uses.mappings.number(mapping))


@contextlib.contextmanager
def entered(state: Callable[[], object] | None) -> Iterator[list[str]]:
    """The transforms of Flax in which a state changes until the block ends, compiled before or not; none without it."""
    names: list[str] = []
    if state is None:
        yield names
        return
    outermost: list[tuple[FrameType, str, object]] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and not outermost:
            if name := lifted_name(str(frame.f_globals.get("__name__", "")), frame):
                outermost.append((frame, name, state()))
        elif event == "return" and outermost and outermost[0][0] is frame:
            _, name, was = outermost.pop()
            if state() != was and name not in names:
                names.append(name)

    with profiling(profile):
        yield names


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def plain_name(module: str, frame: FrameType) -> str:
    """The transform of JAX that a frame is of, as users name it; empty if it is of none."""
    return "jax.jit" if module == JIT else PLAIN.get(module, {}).get(frame.f_code.co_name, "")


def lifted_name(module: str, frame: FrameType) -> str:
    """The transform of Flax that a frame is of, as users name it; empty if it is of none."""
    if not module.startswith("flax.nnx") or ".transforms" not in module:
        return ""
    name, qualified = frame.f_code.co_name, frame.f_code.co_qualname
    if name.removesuffix(SUFFIX) in BUILT_OF:
        return ""
    if name.endswith(SUFFIX) and name != SUFFIX:
        return f"nnx.{name.removesuffix(SUFFIX)}"
    if qualified.endswith("JitWrapped.__call__"):
        return "nnx.jit"
    return f"nnx.{name}" if name in LIFTED and qualified == name else ""
