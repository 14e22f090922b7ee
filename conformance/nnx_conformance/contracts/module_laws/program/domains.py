"""The domains of programs: a few fixed programs for each law, and drawn ones that mix all operations."""

from __future__ import annotations

from hypothesis import strategies as st

from nnx_conformance.contracts.module_laws.program.language import (
    AS_NUMPY,
    BY_NAME,
    INPUTS,
    OPERATIONS,
    TREE,
    Word,
    case,
    words,
)
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.search.domain import Domain, Part
from nnx_strategies import operation_sequences

#: One drawn program costs about as much as this many cases of a function, see `Part.share`.
SHARE = 8
LONGEST = 8
SEEDS = (0, 1)

#: Each law's own programs, simplest first. `jit:1` is `jit` on input 1; `jit:9` is the same with NumPy arrays.
FAMILIES = {
    "wrapper-kept": "call | call:1 call:1 jit:1",
    "structure-stable": "call call call call | call jit jit jit jit | call:1 call:1 call:1 jit:1 jit:1 jit:1 jit:1",
    "params-untouched": "call | call:1 call:2 call:3",
    "calls-return": "call call call | call:1 call:2 call:3 call:8 | eval call train call | "
    "call call call call call call call call",
    "instances-independent": "pair | call:1 pair:2",
    "input-untouched": "call | call:8 | call:1 call:9 jit:1 | jit:9 jit:1",
    "no-hidden-state": "call graft | call:1 call:2 graft:1 call:1 | call:1 call:1 call:1 graft:2 call | "
    "call:1 rerun:1 | call:1 again:1 call:1 | afresh | afresh:1",
    "no-growth": "call call call | call:1 call:2 call:3",
    "jit-agrees": "jit | call:1 jit:2 call:1 jit:1 | jit:1 jit:1 jit:1 | jit:1 eval jit:1 train jit:1 jit:1 | "
    "jit:1 optimize:1 jit:1",
    "split-merge-agrees": "split | call:1 split:1 call:1 | call:1 copy:1 call:1 call:2 | copy:1 original:1",
    "clone-independent": "clone | call:1 clone:1 call:2 original:1 | jit:1 clone:1 jit:2",
    "checkpoint-resumes": "call save | call:1 call:2 save:1 call:2 | call:1 reload:2 call:1 | "
    "call:1 eval save:1 train call:1 | call:1 call:2 restart:1 call:2",
    "scan-agrees": "call scan | call:1 scan:1 call:1",
    "vmap-agrees": "call vmap | call:1 vmap:1 call:1",
    "grad-clean": "call grad | call:1 grad:1 call:1",
    "remat-agrees": "call remat | call:1 remat:1 call:1",
    "cond-agrees": "call cond | call:1 cond:1 call:1",
    "optimizer-safe": "call call optimize call | call:1 call:2 optimize:1 call:1 | call:1 clone:1 optimize:1 call:1",
    "rng-advances": "call:1 call:1 call:2 call:2 call:3 call:3 call call jit:1 jit:1 reseed:1 | call:1 far:1",
    "rng-reproducible": "rerun | call:1 rerun:1 | call:1 reseed:1 reseed:2 reseed:3 reseed",
    "eval-frozen": "eval call call train | call:1 eval call:1 call:1 jit:1 call:2 train call:1",
    "state-precision": "call endure | call:1 endure:1",
    "current-access": "call call | jit:1",
    "param-trained": "call derive | call:1 derive:1 derive:2 derive:3",
    "updates-kept": "call watch | call:1 watch:1 watch:2 watch:9",
    "start-defined": "remake",
    "state-owned": "lend:8 call | call:1 lend:9 call:1 jit:1",
    "abstract-agrees": "abstract | call:1 abstract:1 call:1",
    "pytree-agrees": "tree | call:1 tree:1 call:2 | call:1 plainjit:1 plainjit:2 call:1",
    "deepcopy-agrees": "deepcopy | call:1 deepcopy:1 call:2 original:1 | jit:1 deepcopy:1 jit:2",
    "pickles": "pickle | call:1 pickle:1 call:2",
    "instances-share-compilation": "call:1 call:1 second:1",
    "keys-used-once": "call:1 keys:1",
    "indices-in-bounds": "call bounds",
    "switch-agrees": "call switch | call:1 switch:1 call:1",
    "loop-agrees": "call fori_loop | call:1 while_loop:1 call:1",
    "custom-vjp-agrees": "call custom_vjp | call:1 custom_vjp:1 call:1",
    "vjp-agrees": "call vjp | call:1 jvp:1 call:1",
    "donation-safe": "donate | call:1 donate:1 donate:1 call:1 | donate:1 eval call:1 train call:1",
    "reference-agrees": "refer | call:1 call:2 call:1 refer:1 | call:8 refer:9",
    "inventory": "call | call:1",
    "dtype-policy": "call types | call:1 jit:1 types:1 | call:8",
    "eval-declared": "call:1 modes:1",
    "rows-independent": "call rows | call:1 rows:1",
    "gradients-agree": "call slopes | call:1 slopes:1",
    "represents": "represent | call:1 represent:1",
    "sharded-agrees": "call:1 shard:1 call:1 | call:1 place:1 call:1",
    "sharding-stable": "call:1 place:1",
    "shard-map-agrees": "call:1 shardmap:1",
}

#: How often an operation is drawn, 1 by default: operations that show much and cost little come more often.
WEIGHTS = {"call": 6, "jit": 4, "scan": 2, "eval": 2, "train": 2, "save": 2, "clone": 2, "original": 2}
#: All laws but one run in graph mode, Flax's default. That one runs the operations that tree mode supports. Each of its
#: short programs starts with plain calls, because in tree mode a transform loses Variables that a first call creates.
TREE_READY = "tree-mode-ready"
IN_TREE_MODE = (
    "call:1 jit:1 jit:2 call:1 split:1 call:1 copy:1 original:1 call:1 clone:1 original:1 call:1 save:1 call:1 graft:1 "
    "call:1 scan:1 call:1 vmap:1 call:1 remat:1 call:1 cond:1 call:1 eval jit:1 train jit:1"
)
#: Operations that drawn programs leave out: their laws' own programs cover them, or they cost many compilations.
LEFT_OUT = (
    *("endure", "reseed", "rerun", "restart", "far", "again", "afresh", "keys", "bounds", "second", "remake"),
    *("lend", "abstract", "tree", "plainjit", "deepcopy", "pickle", "watch", "derive"),
    *("refer", "types", "modes", "rows", "slopes", "represent"),
    *("shard", "place", "shardmap"),
    *("switch", "fori_loop", "while_loop", "custom_vjp", "vjp", "jvp", "donate", "trace"),
)
NUMBERS = (*range(INPUTS), AS_NUMPY, AS_NUMPY + 1)


def _family(law: str) -> Domain:
    cases = [case(law, 0, words(text)) for text in FAMILIES[law].split("|")]
    return Domain(law, lambda seed: (Part(st.sampled_from(cases), len(cases)),))


def programs(longest: int = LONGEST, seldom: tuple[str, ...] = ()) -> st.SearchStrategy[Case]:
    """Programs that mix operations, on all inputs.

    Args:
        longest: the largest number of operations.
        seldom: further operations, drawn less often than any other.
    """
    times = 2 if seldom else 1
    weights = {
        operation.name: times * WEIGHTS.get(operation.name, 1)
        for operation in OPERATIONS
        if operation.name not in LEFT_OUT
    }
    return st.builds(
        _case,
        st.sampled_from(SEEDS),
        operation_sequences(weights | dict.fromkeys(seldom, 1), min_size=2, max_size=longest),
        st.lists(st.sampled_from(NUMBERS), min_size=longest, max_size=longest),
    )


def _case(seed: int, names: tuple[str, ...], numbers: list[int]) -> Case:
    operations = [BY_NAME[name] for name in names]
    steps = [Word(operation, number * operation.calls) for operation, number in zip(operations, numbers, strict=False)]
    return case(CORE, seed, steps)


#: Every run has these, which chance seldom draws: changes of the mode, the same mode set twice, checkpoints and copies.
#: The first one ends with `trace`, which serves all laws that are judged on the core.
MODES_MEET = tuple(
    case(CORE, 0, words(text))
    for text in (
        "call:1 eval eval train call:1 save:1 call:2 trace:2",
        "call:1 train eval train call:1 save:1 call:2 eval call:1",
        "call:1 eval call:2 clone:1 train call:1 original:1 call:2 train call:1",
        "eval call:1 train call:2 reload:1 eval eval graft:1 call:1 train call:1",
    )
)


def _in_tree_mode(seed: int) -> tuple[Part, ...]:
    return (Part(st.just(case(TREE_READY, 0, words(IN_TREE_MODE), TREE)), 1),)


DOMAINS = (
    *map(_family, FAMILIES),
    Domain(TREE_READY, _in_tree_mode),
    Domain(
        CORE,
        lambda seed: (Part(st.sampled_from(MODES_MEET), len(MODES_MEET)), Part(programs(), share=SHARE)),
    ),
)
