"""What each operation of a program does with the subject, and what the twin does in plain Python meanwhile.

An act calls the subject, gives what that returned, and leaves in `run.module` what the program goes on with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from nnx_conformance.flax_versions import contents
from nnx_conformance.laws import flax_modes, measuring, operations
from nnx_conformance.laws.bench import Twin, stacked
from nnx_conformance.laws.depending import depends
from nnx_conformance.laws.language import OTHER, Word
from nnx_conformance.laws.restoring import graft, grafted, reload, restart, save
from nnx_conformance.laws.seen import Creep, Pair, Side, Told, Wrote
from nnx_conformance.laws.snapshots import state, tree, variables
from nnx_conformance.laws.transplants import shared, transplant

if TYPE_CHECKING:
    from nnx_conformance.laws.running import Run

CALLS, LANES = 3, 2


@dataclass
class Kept:
    """A module that was left behind, its twin, what it held when it was last looked at, and the law that keeps it."""

    law: str
    what: str
    module: Any
    twin: Twin
    then: Side


@dataclass
class Notes:
    """What an act tells besides what it did; the fields of a step."""

    pairs: list[Pair] = field(default_factory=list)
    grads: list[str] = field(default_factory=list)
    creeps: list[Creep] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    depends: list[str] = field(default_factory=list)
    forms: list[Told] = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)
    graph_changed: bool = False

    def told(self) -> dict[str, Any]:
        """As the arguments of a step."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def refused(run: Run, word: Word) -> str:
    """Why an operation says nothing of this subject, or cannot be had on this Flax; empty if it can be carried out."""
    name, declares = word.operation.name, run.bench.subject.declares
    if name in ("eval", "train") and not declares("has_eval_mode"):
        return "it declares no eval mode"
    if word.operation.warm and not run.twin.calls:
        return "it was not called before"
    if word.operation.warm and run.shapes != run.bench.pool.shapes(word.input):
        return "its last call was on an input of other shapes"
    if declares("grows") and name in GROWTH_FORBIDS:
        return "it grows state on purpose"
    if name == "vmap" and not declares("per_lane_state"):
        return "its state is not to be split over lanes"
    if name == "reseed" and not declares("draws_randomness"):
        return "it declares no randomness"
    if name == "restart" and not run.bench.where:
        return "it was given as a Python object, which no new process can make: judge it as a target"
    if name == "original" and not run.kept:
        return "nothing was left behind"
    if name in ("grad", "optimize") and (reason := run.bench.undifferentiable(word.input)):
        return reason
    return flax_modes.refused(name, run.todo.mode, run.module, bool(run.twin.calls))


#: What asks for two modules of one structure, or for a structure that a call leaves alone.
GROWTH_FORBIDS = ("scan", "cond", "vmap", "save", "reload", "restart", "graft", "reseed", "endure")


def twin_does(run: Run) -> Any:
    """What the operation comes to in plain Python."""
    name = run.word.operation.name
    if name in ("eval", "train"):
        return run.twin.mode(name)
    if name in ("endure", "reseed"):
        return None
    if name == "scan":
        return [run.twin.call(number) for number in run.bench.pool.several(run.word.input, CALLS)]
    if name == "original":
        _swap(run)
    return run.twin.call(run.word.input)


def _past(run: Run) -> tuple[tuple[str, Any], ...]:
    """What was done with the twin before this operation's call."""
    return run.twin.history[:-1]


def call(run: Run) -> Any:
    before = measuring.graph(run.module)
    outputs = run.plainly()
    run.notes.graph_changed = measuring.changed(before, run.module)
    return outputs


def _through(name: str) -> Callable[[Run], Any]:
    def act(run: Run) -> Any:
        given = run.bench.pool.held(run.word.input)
        outputs = run.transforms.run(name, run.module, given)
        run.notes.touched = measuring.touched(given, run.bench.pool.held(run.word.input))
        return outputs

    return act


def cond(run: Run) -> Any:
    otherwise = jax.tree.map(jnp.zeros_like, run.wanted)
    return run.transforms.run("cond", run.module, run.bench.pool.held(run.word.input), otherwise)


def scan(run: Run) -> Any:
    numbers = run.bench.pool.several(run.word.input, CALLS)
    run.notes.inputs = numbers
    outputs = run.transforms.run("scan", run.module, stacked([run.bench.pool.held(number) for number in numbers]))
    return [jax.tree.map(lambda leaf, at=at: leaf[at], outputs) for at in range(CALLS)]


def grad(run: Run) -> Any:
    grads, outputs = _through("grad")(run)
    run.notes.grads = [leaf.path for leaf in tree(grads)]
    return outputs


def optimize(run: Run) -> Any:
    outputs = _through("optimize")(run)
    found = variables(run.module)
    run.twin.params({path: contents(one) for path, one in found.items() if isinstance(one, nnx.Param)})
    return outputs


def vmap(run: Run) -> Any:
    numbers = run.bench.pool.several(run.word.input, LANES)
    run.notes.inputs = numbers
    others = [Twin(run.bench, run.todo.seed + OTHER * at, _past(run)) for at in range(1, LANES)]
    lanes = operations.stack([run.module, *(other.again().module for other in others)])
    outputs = run.transforms.run("vmap", lanes, stacked([run.bench.pool.held(number) for number in numbers]))
    for at, other in enumerate(others, 1):
        wanted = tree(other.call(numbers[at]))
        got = tree(jax.tree.map(lambda leaf, at=at: leaf[at], outputs))
        got_state = state(operations.lane(lanes, at))
        sides = Side(got, got_state, None), Side(wanted, state(other.module), None)
        run.notes.pairs.append(Pair("vmap-agrees", f"lane {at}", *sides))
    run.module = operations.lane(lanes, 0)
    return jax.tree.map(lambda leaf: leaf[0], outputs)


def split(run: Run) -> Any:
    run.module = operations.split(run.module)
    return run.plainly()


def copy(run: Run) -> Any:
    _leave_behind(run, "split-merge-agrees", "the module that was copied", operations.copy)
    return run.plainly()


def clone(run: Run) -> Any:
    _leave_behind(run, "clone-independent", "the original", operations.clone)
    return run.plainly()


def _leave_behind(run: Run, law: str, what: str, move: Callable[[Any], Any]) -> None:
    twin = Twin(run.bench, run.twin.seed, _past(run))
    run.kept.append(Kept(law, what, run.module, twin, Side((), state(run.module), None)))
    run.module = move(run.module)


def _swap(run: Run) -> None:
    """Go on with what was left behind last, and leave this behind."""
    last = run.kept.pop()
    run.kept.append(Kept(last.law, "its copy", run.module, run.twin, Side((), state(run.module), None)))
    run.module, run.twin = last.module, last.twin


def original(run: Run) -> Any:
    return run.plainly()


def pair(run: Run) -> Any:
    other = run.bench.make(run.todo.seed)
    run.notes.shared = shared(run.module, other)
    before = Side((), state(other), None)
    outputs = run.plainly()
    after = Side((), state(other), None)
    run.notes.pairs.append(Pair("instances-independent", "another instance", after, before))
    return outputs


def rerun(run: Run) -> Any:
    law = "rng-reproducible" if run.bench.subject.declares("draws_randomness") else "no-hidden-state"
    outputs = run.plainly()
    other = Twin(run.bench, run.twin.seed, _past(run))
    again = tree(other.call(run.word.input))
    sides = Side(again, state(other.module), None), Side(tree(run.wanted), state(run.twin.module), None)
    run.notes.pairs.append(Pair(law, "the same program once more", *sides))
    return outputs


def reseed(run: Run) -> None:
    other = run.twin.again(run.todo.seed + OTHER).module  # its streams have advanced as far
    transplant(run.module, other, keys=False)
    run.notes.depends = depends(other, lambda module: run.bench.call(module, run.word.input))
    run.notes.pairs.append(
        Pair("rng-reproducible", "another seed", *(_called(run, one) for one in (other, grafted(run))))
    )


def _called(run: Run, module: Any) -> Side:
    """What a module returns, and its state before that."""
    held = state(module)
    return Side(tree(run.bench.call(module, run.word.input)), held, None)


def endure(run: Run) -> None:
    run.notes.creeps = measuring.creeps(run.bench, grafted(run), run.word.input)


def evaluate(run: Run) -> None:
    run.module.eval()


def train(run: Run) -> None:
    run.module.train()


ACTS: dict[str, Callable[[Run], Any]] = {
    "call": call,
    "jit": _through("jit"),
    "remat": _through("remat"),
    "cond": cond,
    "scan": scan,
    "vmap": vmap,
    "grad": grad,
    "optimize": optimize,
    "split": split,
    "copy": copy,
    "clone": clone,
    "original": original,
    "save": save,
    "reload": reload,
    "restart": restart,
    "graft": graft,
    "pair": pair,
    "rerun": rerun,
    "reseed": reseed,
    "endure": endure,
    "eval": evaluate,
    "train": train,
}
