"""Where programs come from: a few fixed ones for each law, and the machine's, which mix all operations."""

from __future__ import annotations

from hypothesis import strategies as st

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, Domain, Part
from nnx_conformance.laws.language import AS_NUMPY, GRAPH, OPERATIONS, TREE, Word, case, words
from nnx_conformance.laws.pool import SIZE
from nnx_strategies import operation_sequences

#: One program of the machine costs about as much as so many cases of a function, see `Part.share`.
SHARE = 8
LONGEST = 8
SEEDS = (0, 1)

#: Each law's own programs, simplest first; `jit:1` is `jit` on input 1, and from 8 on inputs are NumPy arrays.
FAMILIES: dict[str, tuple[str, ...]] = {
    "wrapper-kept": ("call", "call:1 call:1 jit:1"),
    "structure-stable": ("call call call call", "call jit jit jit jit", "call:1 call:1 call:1 jit:1 jit:1 jit:1 jit:1"),
    "params-untouched": ("call", "call:1 call:2 call:3"),
    "calls-return": (
        "call call call",
        "call:1 call:2 call:3 call:8",
        "eval call train call",
        "call call call call call call call call",
    ),
    "instances-independent": ("pair", "call:1 pair:2"),
    "input-untouched": ("call", "call:8", "call:1 call:9 jit:1", "jit:9 jit:1"),
    "no-hidden-state": (
        "call graft",
        "call:1 call:2 graft:1 call:1",
        "call:1 call:1 call:1 graft:2 call",
        "call:1 rerun:1",
    ),
    "no-growth": ("call call call", "call:1 call:2 call:3"),
    "jit-agrees": (
        "jit",
        "call:1 jit:2 call:1 jit:1",
        "jit:1 jit:1 jit:1",
        "jit:1 eval jit:1 train jit:1 jit:1",
        "jit:1 optimize:1 jit:1",
    ),
    "split-merge-agrees": ("split", "call:1 split:1 call:1", "call:1 copy:1 call:1 call:2", "copy:1 original:1"),
    "clone-independent": ("clone", "call:1 clone:1 call:2 original:1", "jit:1 clone:1 jit:2"),
    "checkpoint-resumes": (
        "call save",
        "call:1 call:2 save:1 call:2",
        "call:1 reload:2 call:1",
        "call:1 eval save:1 train call:1",
        "call:1 call:2 restart:1 call:2",
    ),
    "scan-agrees": ("call scan", "call:1 scan:1 call:1"),
    "vmap-agrees": ("call vmap", "call:1 vmap:1 call:1"),
    "grad-clean": ("call grad", "call:1 grad:1 call:1"),
    "remat-agrees": ("call remat", "call:1 remat:1 call:1"),
    "cond-agrees": ("call cond", "call:1 cond:1 call:1"),
    "optimizer-safe": (
        "call call optimize call",
        "call:1 call:2 optimize:1 call:1",
        "call:1 clone:1 optimize:1 call:1",
    ),
    "rng-advances": ("call:1 call:1 call:2 call:2 call:3 call:3 call call jit:1 jit:1 reseed:1",),
    "rng-reproducible": ("rerun", "call:1 rerun:1", "call:1 reseed:1 reseed:2 reseed:3 reseed"),
    "eval-frozen": ("eval call call train", "call:1 eval call:1 call:1 jit:1 call:2 train call:1"),
    "state-precision": ("call endure", "call:1 endure:1"),
    "current-access": ("call call", "jit:1"),
    "state-moves": ("call:1 call:2 call:3 call call:1 call:2",),
}

#: How often the machine draws an operation compared with others; those that tell most, and cost least, more often.
WEIGHTS = {"call": 6, "jit": 4, "scan": 2, "eval": 2, "train": 2, "save": 2, "clone": 2, "original": 2}
#: One program in four runs in tree mode, where Flax has one.
MODES = (GRAPH, GRAPH, GRAPH, TREE)
#: Laws that say nothing else in tree mode, or cannot be asked there.
ONLY_GRAPH = ("grad-clean", "optimizer-safe", "state-precision", "state-moves", "current-access", "input-untouched")
LEFT_OUT = ("endure", "reseed", "rerun", "restart")


def _family(law: str) -> Domain:
    # In tree mode the second program is run, or the only one. There, a plain call must come before a transform.
    cases = [case(law, 0, words(text)) for text in FAMILIES[law]]
    cases += [case(law, 0, words(text), TREE) for text in FAMILIES[law][1:2] or FAMILIES[law] if law not in ONLY_GRAPH]
    return Domain(law, lambda seed: (Part(st.sampled_from(cases), len(cases)),))


def _machine(seed: int) -> tuple[Part, ...]:
    return (Part(programs(), share=SHARE),)


def programs(longest: int = LONGEST, seldom: tuple[str, ...] = ()) -> st.SearchStrategy[Case]:
    """Programs that mix operations, on all inputs.

    Args:
        longest: of so many operations at most.
        seldom: operations that are drawn besides, and less often than any other.
    """
    times = 2 if seldom else 1
    named = {one.name: times * WEIGHTS.get(one.name, 1) for one in OPERATIONS if one.name not in LEFT_OUT}
    named |= dict.fromkeys(seldom, 1)
    numbers = st.lists(st.sampled_from(NUMBERS), min_size=longest, max_size=longest)
    return st.builds(
        _case,
        st.sampled_from(SEEDS),
        operation_sequences(named, min_size=2, max_size=longest),
        numbers,
        st.sampled_from(MODES),
    )


NUMBERS = (*range(SIZE), AS_NUMPY, AS_NUMPY + 1)
_BY_NAME = {one.name: one for one in OPERATIONS}


def _case(seed: int, names: tuple[str, ...], numbers: list[int], mode: str) -> Case:
    done = [
        Word(_BY_NAME[name], number if _BY_NAME[name].calls else 0)
        for name, number in zip(names, numbers, strict=False)
    ]
    return case(CORE, seed, done, mode)


DOMAINS = (*map(_family, FAMILIES), Domain(CORE, _machine))
