"""The laws of making and copying: a module's first state, and its deep copies, pickles, pytrees, abstract calls."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.laws.agreements import (
    agreement,
    agreement_claims,
    agreement_law,
    without_evidence,
)
from nnx_conformance.contracts.module_laws.laws.differences import first_difference, side_claims, text
from nnx_conformance.contracts.module_laws.laws.law import Evidence, carried_out, law, skipped
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, by_path
from nnx_conformance.contracts.module_laws.laws.tolerance import EXACT
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import SHOULD, Check, Judgement, NotApplicable, Violation

INDEPENDENT = "instances-independent"
OWN_STATE = "Make it in `__init__`, a Variable of this instance."


def _defined(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that garbage in unwritten memory changes neither the initial state nor the first call."""
    steps = [step for step in reading.facts.steps if step.operation == "remake"]
    if any(step.returned for step in steps):
        for step in steps:
            for pair in step.pairs:
                yield from side_claims(pair.got, pair.wanted, EXACT)


@law(
    id="start-defined",
    core=False,
    requirement="Neither the initial state nor the first call depends on unwritten memory, as `empty` and "
    "`empty_like` return it.",
    remedy="Make state with `jnp.zeros` or `jnp.full`; use `empty` only where you write before you read.",
    wrong="self.cache = nnx.Cache(jnp.empty((8, 4)))  # zeros by luck; from JAX 0.11 on, anything",
    right="self.cache = nnx.Cache(jnp.zeros((8, 4)))",
    needs=(carried_out,),
    claims=_defined,
)
def start_defined(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "remake"]
    for step in steps:
        for pair in step.pairs:
            if difference := first_difference(pair.got, pair.wanted, EXACT):
                what = f"{pair.name}, where `empty` gave garbage: {difference.text}"
                cause = "`empty` allocates without writing: it holds whatever the memory held before"
                values = difference.expected, difference.observed
                return Violation(what, *values, reading.line(difference.path), cause)
    if undecided := next((step.undecided for step in steps if step.undecided), ""):
        return NotApplicable(undecided)
    return None if any(step.returned for step in steps) else skipped(reading)


def _compilations(_: Case, reading: ProgramReading) -> list[Claim]:
    """The claims that a second instance compiles nothing."""
    steps = [step for step in reading.facts.steps if step.operation == "second" and step.returned]
    every = [same_numbers(step.recompiled, 0) for step in steps]
    return every if any(not step.subject.raised for step in steps) else []


@law(
    id="instances-share-compilation",
    level=SHOULD,
    core=False,
    requirement="Two modules of one factory compile once under one `nnx.jit`.",
    remedy="Keep attributes equal between instances: a named function instead of a lambda, a frozen "
    "dataclass instead of an object without `__eq__`; put numbers that differ into Variables.",
    wrong="self.activation = lambda x: x * nnx.sigmoid(x)  # another function in each instance: each compiles again",
    right="self.activation = nnx.swish",
    needs=(carried_out,),
    claims=_compilations,
)
def instances_share_compilation(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "second" and step.returned]
    for step in steps:
        if step.recompiled:
            difference = f": their `{step.differing[0]}` differs" if step.differing else ""
            what = f"`nnx.jit` compiled again for another instance of the same factory{difference}"
            cause = "Flax keys compiled code by all that is not a Variable"
            values = "compiled once for both", "compiled for each"
            return Violation(
                what, *values, reading.line(step.differing[0] if step.differing else ""), cause, evidence=Evidence.KIT
            )
    return None if any(not step.subject.raised for step in steps) else skipped(reading)


def _own_state(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that two modules share no Variable, and that a call of one leaves the other as it was."""
    if any(step.returned for step in reading.facts.steps if step.operation == "pair"):
        for step in (step for step in reading.facts.steps if step.operation == "pair"):
            yield Claim(step.shared, ())
            for pair in step.pairs:
                old, state = by_path(pair.wanted.state), [leaf for leaf in pair.got.state if leaf.state]
                yield Claim(tuple(map(text, state)), tuple(text(old.get(leaf.path)) for leaf in state))
    for comparison in reading.comparisons:
        if comparison.law == INDEPENDENT and reading.facts.steps[comparison.position].keepers:
            yield from comparison.claims()


@law(
    id=INDEPENDENT,
    requirement="Two modules made by the same factory share no Variable, at class level or otherwise.",
    remedy="Make every Variable in `__init__`, for this instance.",
    wrong="class Counter(nnx.Module):\n    count = nnx.Variable(jnp.zeros(()))  # one for all instances",
    right="def __init__(self, rngs):\n    self.count = nnx.Variable(jnp.zeros(()))",
    claims=_own_state,
)
def instances_independent(case: Case, reading: ProgramReading) -> Judgement:
    steps = [(number, step) for number, step in enumerate(reading.facts.steps, 1) if step.operation == "pair"]
    for number, step in steps:
        if step.shared:
            return _shared(reading, step)
        for pair in step.pairs:
            old = by_path(pair.wanted.state)
            for leaf in pair.got.state:
                if leaf.state and text(old.get(leaf.path)) != text(leaf):
                    what = f"in step {number}, a call of one module changed another of the same factory: `{leaf.path}`"
                    return Violation(what, text(old.get(leaf.path)), text(leaf))
    apart = reading.difference
    if apart and apart.law == INDEPENDENT and (keepers := reading.facts.steps[apart.position].keepers):
        cause = f"{keepers[0].name} is one for all modules, and each call changes it"
        return Violation(
            apart.text, apart.expected, apart.observed, keepers[0].line, cause, OWN_STATE, evidence=Evidence.KIT
        )
    return None if any(step.returned for _, step in steps) else without_evidence(reading)


def _shared(reading: ProgramReading, step: StepFacts) -> Violation:
    """The violation that two modules have something in common."""
    keeper = next(iter(step.keepers), None)
    cause = f"{keeper.name} keeps it, for all modules" if keeper else ""
    line = keeper.line if keeper else reading.line(step.shared[0])
    if not step.shared[0]:
        what, remedy = "two calls of `make` gave one and the same module", "Let `make(rngs)` build a new module."
        return Violation(what, "another module", "the same one", line, cause, remedy)
    what = f"two modules of one factory share the Variable {', '.join(f'`{path}`' for path in step.shared[:3])}"
    return Violation(what, "a Variable of its own for each", "one for both", line, cause)


pickles = law(
    id="pickles",
    claims=agreement_claims("pickles"),
    level=SHOULD,
    core=False,
    requirement="A module that went through `pickle`, or `cloudpickle` where that is installed, continues as the "
    "original.",
    remedy="Keep importable functions instead of lambdas and compiled ones, and no locks or open "
    "files; or choose in `__getstate__` what to pickle.",
    wrong="self.activation = lambda x: x * nnx.sigmoid(x)  # cannot be pickled",
    right="self.activation = swish  # a function of this file",
)(agreement("pickles"))


CHECKS: tuple[Check, ...] = (
    instances_independent,
    start_defined,
    agreement_law(
        "abstract-agrees",
        "`nnx.eval_shape` gives the structure, shapes and dtypes that making the module and calling it gives, and "
        "leaves a module that is called as it was.",
        "Ask for no concrete number in `__init__` or a call, and store traced values only in Variables.",
        "self.bound = nnx.Variable(np.abs(np.asarray(kernel)).max())  # needs the kernel's numbers",
        "self.bound = nnx.Variable(jnp.abs(kernel).max())",
    ),
    instances_share_compilation,
    agreement_law(
        "state-owned",
        "What the caller writes into a NumPy input after the call changes neither the state nor later outputs.",
        "Copy what is kept: `jnp.array(x)`, not `x` itself, `jnp.asarray(x)` or `jax.device_put(x)`, which may share "
        "its memory.",
        "self.last[...] = x  # the caller's buffer, if x is a NumPy array",
        "self.last[...] = jnp.array(x)",
    ),
    agreement_law(
        "pytree-agrees",
        "As a pytree, the module continues as it does in plain Python: through `jax.tree.map`, and passed to and "
        "returned from a function under plain `jax.jit`.",
        "Hold all that a call changes in Variables, and arrays and modules in attributes, `nnx.List` and `nnx.Dict`, "
        "where Flax finds them.",
        "self.box = Box(nnx.Variable(jnp.zeros(())))  # JAX does not look into a plain object",
        "self.count = nnx.Variable(jnp.zeros(()))",
    ),
    agreement_law(
        "deepcopy-agrees",
        "A `copy.deepcopy` continues as the original, and mutating one leaves the other alone.",
        "Keep state in Variables that are attributes; a table at module level, keyed by `id(self)`, knows no copy.",
        "COUNTS[id(self)] += 1",
        "self.count[...] = self.count[...] + 1",
    ),
    pickles,
)
