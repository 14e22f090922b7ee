"""The transforms of JAX and Flax around a call, read from the stack.

Measured on Flax 0.8.5, 0.10.7, 0.11.2, 0.12.8 and 0.12.12 with the JAX of each. Under `jax.disable_jit`, a plain
`jax.jit` leaves no frame, but a transform of Flax does.

We tried to wrap the public transforms instead, so that each opens and closes a scope. On Flax 0.8.5 and 0.12.12 this
fails: functions transformed before the spies came, as in a judged Python object, open no scope; a wrapper around the
function makes JAX trace it again at each `jax.jit(f)`, 5 times instead of once in a loop of 5; a wrapper around the
result has no `lower` and no `clear_cache`, and is no `jax.stages.Wrapped`; and Flax's own calls of `jax.jit` open
scopes, too.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from nnx_conformance.observe.source import Source
from nnx_conformance.observe.spies.patches import profiling

#: By module of JAX: the functions that run a transformed function, and the public names of their transforms.
PLAIN = {
    "jax._src.api": {"vmap_f": "jax.vmap", "grad_f": "jax.grad", "value_and_grad_f": "jax.value_and_grad"},
    "jax._src.ad_checkpoint": {"fun_remat": "jax.checkpoint"},
    "jax._src.lax.control_flow.loops": {name: f"jax.lax.{name}" for name in ("scan", "map", "fori_loop", "while_loop")},
    "jax._src.lax.control_flow.conditionals": {name: f"jax.lax.{name}" for name in ("cond", "switch")},
}
#: The module behind `jax.jit`; any frame of it on the stack means that JAX is compiling.
JIT = "jax._src.pjit"
#: The functions of `flax.nnx.transforms` that run a transformed function, besides `vmap_wrapper` and the like.
LIFTED = frozenset({"grad", "value_and_grad", "remat", "cond", "switch", "while_loop", "fori_loop"})
SUFFIX = "_wrapper"
#: Flax's internal transforms, from which it builds `nnx.cond` and `nnx.switch` up to 0.11; the frame inside is theirs.
BUILT_OF = ("split_inputs", "merge_inputs")


@dataclass(frozen=True)
class Around:
    """The transforms around a call, see `facts.Call`."""

    through: tuple[str, ...] = ()
    compilation: int = -1
    mapping: int = -1


#: Outside of all transforms.
NOWHERE = Around()
MAPS = ("nnx.vmap", "jax.vmap")


@dataclass(eq=False)
class Numbers:
    """Numbers for frames. The frames are kept, cleared, until the run ends, so that no new one gets an old identity."""

    _frames: list[FrameType] = field(default_factory=list)

    def number(self, frame: FrameType | None) -> int:
        """The number of a frame, from 0 in order of appearance; -1 for None."""
        if frame is None:
            return -1
        if self._frames and self._frames[-1] is frame:
            return len(self._frames) - 1
        for ended in self._frames[-1:]:
            with contextlib.suppress(RuntimeError):  # the frame is still running
                ended.clear()
        self._frames.append(frame)
        return len(self._frames) - 1


@dataclass(eq=False)
class Uses:
    """The compilations and the `vmap` calls of one run."""

    compilations: Numbers = field(default_factory=Numbers)
    mappings: Numbers = field(default_factory=Numbers)


def around(source: Source, uses: Uses) -> Around:
    """The transforms around the innermost frame of the candidate, outermost first.

    Flax builds its transforms on plain ones, which do not count.
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
    """The Flax transforms that run in the block and change a state, even from JAX's cache; none if `state` is None."""
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
            _, name, before = outermost.pop()
            if state() != before and name not in names:
                names.append(name)

    with profiling(profile):
        yield names


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def plain_name(module: str, frame: FrameType) -> str:
    """The public name of the JAX transform that a frame belongs to; empty if it belongs to none."""
    return "jax.jit" if module == JIT else PLAIN.get(module, {}).get(frame.f_code.co_name, "")


def lifted_name(module: str, frame: FrameType) -> str:
    """The public name of the Flax transform that a frame belongs to; empty if it belongs to none."""
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
