"""The contract: its laws in the order of reports, and the long search of its programs."""

from __future__ import annotations

import dataclasses
import math

from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.laws import (
    advice,
    agreements,
    construction,
    declared,
    devices,
    jax_checkers,
    lost_updates,
    randomness,
    state_laws,
    training,
    tree_mode,
)
from nnx_conformance.contracts.module_laws.laws.differences import HIDDEN
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, by_path
from nnx_conformance.contracts.module_laws.laws.timeline import timeline
from nnx_conformance.contracts.module_laws.laws.tolerance import distance, tolerance
from nnx_conformance.contracts.module_laws.observer import SUBJECTS
from nnx_conformance.contracts.module_laws.program.domains import DOMAINS, SEEDS, TREE_READY, programs
from nnx_conformance.contracts.module_laws.program.language import ARGUMENTS, INPUTS, OPERATIONS, case, smaller, words
from nnx_conformance.contracts.module_laws.script.script import script
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, Contract
from nnx_conformance.core.search.exploration import Exploration

#: A module that starts with, or keeps its state in, the wrong place breaks most other laws too.
PLACE = ("start-defined", "wrapper-kept", "instances-independent", HIDDEN)
#: A module that is wrong in plain Python breaks most comparisons too.
PLAIN = (*PLACE, "no-growth", "structure-stable", "params-untouched")
#: A call that cannot be traced breaks all transforms.
TRACED = (*PLAIN, "clone-independent", "jit-agrees")

#: Each law in the order of reports, with the laws that are its cause if they are violated too, the likeliest first.
#: A violation may name nearer causes itself.
LAWS: dict[str, tuple[str, ...]] = {
    "wrapper-kept": (),
    "structure-stable": PLAIN[:5],
    "params-untouched": ("instances-independent",),
    "calls-return": PLACE,
    "jit-agrees": (*PLAIN, "clone-independent"),  # a NumPy array that is edited in place is a tracer there
    "split-merge-agrees": (*PLAIN, "clone-independent"),
    "clone-independent": PLAIN,
    "checkpoint-resumes": (*PLAIN, "eval-frozen"),  # what setting the mode writes, it writes in what is restored, too
    "scan-agrees": TRACED,
    "vmap-agrees": (*TRACED, "checkpoint-resumes"),  # what a module takes from its seed differs between lanes
    "grad-clean": TRACED,
    "remat-agrees": TRACED,
    "cond-agrees": TRACED,
    "optimizer-safe": (*TRACED, "grad-clean"),
    "rng-advances": (),
    "rng-reproducible": PLACE,
    "eval-frozen": PLACE,
    "instances-independent": (),
    "input-untouched": (),
    HIDDEN: (*PLACE[:3], "input-untouched"),
    "no-growth": PLACE,
    "updates-kept": (),
    "state-precision": (),
    "param-trained": (),
    "current-access": (),
    TREE_READY: TRACED,  # tree mode loses what lies outside of Variables
    "start-defined": (),
    "state-owned": PLACE,
    "abstract-agrees": TRACED,
    "pytree-agrees": TRACED,
    "deepcopy-agrees": (*PLAIN, "clone-independent"),
    "pickles": (*PLAIN, "deepcopy-agrees"),
    "instances-share-compilation": (*PLAIN, "checkpoint-resumes"),
    "keys-used-once": ("rng-advances",),
    "indices-in-bounds": TRACED,
    "switch-agrees": (*TRACED, "cond-agrees"),
    "loop-agrees": (*TRACED, "scan-agrees", "cond-agrees"),
    "custom-vjp-agrees": (*TRACED, "grad-clean"),
    "vjp-agrees": (*TRACED, "grad-clean"),
    "donation-safe": TRACED,
    "reference-agrees": PLAIN,
    "inventory": ("wrapper-kept",),
    "dtype-policy": (),
    "eval-declared": (),
    "rows-independent": (*PLACE, "eval-frozen"),
    "gradients-agree": (*TRACED, "grad-clean"),
    "represents": PLACE,
    "sharded-agrees": TRACED,
    "sharding-stable": (*TRACED, "sharded-agrees"),
    "shard-map-agrees": (*TRACED, "sharded-agrees"),
}
LAW_MODULES = (
    *(state_laws, agreements, lost_updates, training, randomness, advice, tree_mode),
    *(construction, jax_checkers, declared, devices),
)
_checks = {check.id: check for module in LAW_MODULES for check in module.CHECKS}

#: The most operations of a program in the search, and the operations that it draws seldom: each costs a process or many
#: calls.
LONGEST = 20
SELDOM = (
    *("restart", "endure", "reseed", "rerun", "watch", "again", "lend", "abstract", "tree", "plainjit", "deepcopy"),
    *("switch", "fori_loop", "while_loop", "custom_vjp", "vjp", "jvp"),
)


def _scores(facts: ProgramFacts) -> dict[str, float]:
    """`growth`: the largest state's size relative to the first one's; `error`: the largest difference per tolerance."""
    steps = [(number, step) for number, step in enumerate(facts.steps) if step.returned and not step.subject.raised]
    if not steps:
        return {}
    largest = max(state_laws.size(step.twin.state)[1] for _, step in steps)
    errors = [0.0]
    for number, step in steps:
        within, twin = tolerance(facts, number), by_path(step.twin.state)
        pairs = [(leaf.array, twin[leaf.path].array) for leaf in step.subject.state if leaf.path in twin]
        errors += [distance(got, wanted, within) for got, wanted in pairs if got is not None and wanted is not None]
    error = max(errors)
    growth = largest / max(state_laws.size(facts.start)[1], 1)
    return {"growth": growth, "error": error if math.isfinite(error) else 0.0}


def _traced(seed: int) -> tuple[Case, ...]:
    """Programs that trace a call on each input, for modules of two seeds: the traces' conditions lead the search."""
    return tuple(case(CORE, seed + offset, words(f"trace:{number}")) for offset in SEEDS for number in range(INPUTS))


EXPLORATION = Exploration(
    cases=lambda: programs(LONGEST, SELDOM),
    operations=tuple(operation.name for operation in OPERATIONS),
    done=lambda facts: tuple((step.operation, facts.skipped or step.skipped) for step in facts.steps),
    scores=_scores,
    first=_traced,
    wording={
        "growth": "the state became at most {:.3g} times as large",
        "error": "the largest difference was {:.3g} times what is allowed",
    },
)

CONTRACT = Contract(
    name="module-laws",
    title="What every stateful nnx.Module owes its user, whatever it computes: a subject is a make, inputs and traits.",
    version="1",
    entry="subject",
    smaller=smaller,
    imports=False,
    parameters=ARGUMENTS,
    domains=DOMAINS,
    checks=tuple(dataclasses.replace(_checks[law], because=roots) for law, roots in LAWS.items()),
    calls=lambda case: len(case["program"]),
    fallback="calls-return",
    history=HIDDEN,
    control="nnx_reference.subject:subject",
    read=lambda _, facts: ProgramReading(facts),
    timeline=timeline,
    script=script,
    catalogue="nnx_reference.laws",
    observer=SUBJECTS,
    exploration=EXPLORATION,
)
