"""A finding as a Python script that runs as it stands: it replays the program in plain Flax and asserts the law.

The functions in it are those of `operations` and `assertions`, taken over from their files; nothing is imported
here, for the judge starts no backend.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from nnx_conformance.case import Case
from nnx_conformance.laws.language import TREE, Program, Word, program
from nnx_conformance.laws.seen import Observation, Step
from nnx_conformance.laws.tolerance import EXACT, tolerance

OTHER = 1000
#: Laws that are asserted of the state before and after each call, and the function that does so.
BY_STATE = {
    "wrapper-kept": "wrapper_kept_holds",
    "structure-stable": "structure_stable_holds",
    "params-untouched": "params_untouched_holds",
    "no-growth": "no_growth_holds",
    "eval-frozen": "eval_frozen_holds",
}
#: Laws that no script shows: they need many programs, or what only the kit sees.
WITHOUT = ("rng-advances", "state-precision", "current-access", "state-moves", "calls-return", "input-untouched")
TRANSFORMS = ("jit", "remat", "cond", "scan", "vmap", "grad", "optimize")

HEAD = '''\
"""{program}

Breaks {law} in step {step}: {what}
Written by nnx-conformance; run it with `python THIS_FILE`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

{mode}{functions}


{subject}


def value(name: str, default: Any = None) -> Any:
    return subject.get(name, default) if isinstance(subject, dict) else getattr(subject, name, default)


def make(seed: int) -> Any:
    return value("make")(nnx.Rngs(seed))


def call(module: Any, *arguments: Any) -> Any:
    return (value("call") or (lambda module, *arguments: module(*arguments)))(module, *arguments)


def step(module: Any, arguments: Any) -> Any:
    return call(module, *arguments)


INPUTS = {inputs}


def given(number: int) -> Any:
    return jax.tree.map(lambda leaf: np.array(leaf) if number >= 8 else jnp.array(leaf), INPUTS[number])


def check(position: int, wrong: str) -> None:
    assert not wrong, f"{law}, step {{position}}: {{wrong}}"


done: list[Any] = []  # what the twin did, to do it again with a new one


def twin_call(number: int) -> Any:
    done.append(number)
    return call(twin, *given(number))


def another(seed: int, history: list[Any]) -> Any:
    """A module that did the same, in plain Python."""
    module = make(seed)
    for what in history:
        if isinstance(what, int):
            call(module, *given(what))
        elif isinstance(what, str):
            getattr(module, what)()
        else:
            nnx.update(module, what)
    return module


def like(module: Any, seed: int, number: int) -> Any:
    """A new module in the mode of this one; called once, if that makes all the state that this one has."""
    fresh = make(seed)
    for mode in [what for what in done if isinstance(what, str)][-1:]:
        getattr(fresh, mode)()
    if look(fresh).keys() != look(module).keys():
        call(fresh, *given(number))
    return fresh


def stacked(several: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *several)


def unstacked(value: Any, at: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[at], value)


{made}kept: list[Any] = []  # what was left behind, what it held, its twin, and what that had done
module, twin = make({seed}), make({seed})
{steps}
print("{law} holds")
'''


def script(case: Case, seen: Observation, law: str, what: str) -> str:
    """The script that shows a violation; empty where none can."""
    todo = program(case)
    names = [word.operation.name for word in todo.words]
    frozen = law == "eval-frozen" and "another output" in what
    if not seen.where or law in WITHOUT or frozen or not all(given.source for given in seen.inputs):
        return ""
    used = [name for name in TRANSFORMS if name in names]
    made = "\n".join(f"{name}_step = {name}(step)" for name in used)
    # What a program says must not end the script's docstring.
    said = " ".join(what.split()).replace("\\", "/").replace('"', "'")[:300]
    wanted = {*names, *used, "agree", "look", *((BY_STATE[law],) if law in BY_STATE else ())}
    return HEAD.format(
        program=str(todo),
        law=law,
        step=len(seen.steps),
        what=said,
        mode="nnx.set_graph_mode(False)\n\n\n" if todo.mode == TREE else "\n",
        functions=_functions(frozenset(wanted)),
        subject=_subject(seen.where),
        inputs="{" + "".join(f"\n    {given.number}: {given.source}," for given in seen.inputs) + "\n}",
        made=made + ("\n\n" if made else ""),
        seed=todo.seed,
        steps="\n".join(_steps(todo, seen, law)),
    )


def _subject(where: str) -> str:
    path, separator, name = where.rpartition("::")
    if separator:
        return (
            f"sys.path.insert(0, {str(Path(path).parent)!r})\n"
            f"spec = importlib.util.spec_from_file_location({Path(path).stem!r}, {path!r})\n"
            "found = importlib.util.module_from_spec(spec)\n"
            "sys.modules[spec.name] = found\n"
            "spec.loader.exec_module(found)\n"
            f"subject = found.{name}"
        )
    home, _, name = where.partition(":")
    return f"sys.path.insert(0, os.getcwd())\nsubject = importlib.import_module({home!r}).{name}"


@functools.cache
def _sources() -> dict[str, str]:
    """Every function of `operations` and `assertions` as text, by name."""
    found = {}
    for name in ("operations", "assertions"):
        text = Path(__file__).with_name(f"{name}.py").read_text()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = ast.get_source_segment(text, node) or ""
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = ast.get_source_segment(text, node) or ""
    return found


def _functions(wanted: frozenset[str]) -> str:
    """The functions of these names, and those that they call, as text."""
    sources, needed = _sources(), {"Step"} | ({"save", "load"} if wanted & {"save", "reload", "graft"} else set())
    needed |= {"stack", "lane"} if "vmap" in wanted else set()
    new = set(wanted & sources.keys()) | needed
    while new:
        needed |= new
        names = {node.id for name in new for node in ast.walk(ast.parse(sources[name])) if isinstance(node, ast.Name)}
        new = (names & sources.keys()) - needed
    return "\n\n\n".join(text for name, text in sources.items() if name in needed)


def _steps(todo: Program, seen: Observation, law: str) -> Iterator[str]:
    evaluating, side = False, "module" if law in ("wrapper-kept", "eval-frozen") else "twin"
    for at, (word, step) in enumerate(zip(todo.words, seen.steps, strict=False)):
        name = word.operation.name
        yield ""
        if step.skipped or name in ("endure", "reseed"):
            yield f"# step {at + 1}, {word}: skipped{f', {step.skipped}' if step.skipped else ''}"
            continue
        yield f"# step {at + 1}: {word}"
        frozen = evaluating or name in ("eval", "train")
        evaluating = {"eval": True, "train": False}.get(name, evaluating)
        if law not in BY_STATE:
            yield from _lines(word, step, todo.seed, at)
            yield from _compared(seen, word, at)
            continue
        yield f"before = look({side})"
        yield from _lines(word, step, todo.seed, at)
        # A first call may make state; in eval mode, an optimiser may still change Params.
        first = law in ("no-growth", "structure-stable") and not done_before(todo, at)
        if not first and (law != "eval-frozen" or (frozen and name != "optimize")):
            yield f"check({at + 1}, {BY_STATE[law]}(before, look({side})))"


def done_before(todo: Program, at: int) -> bool:
    """Whether the program calls its module before a step."""
    return any(word.operation.calls for word in todo.words[:at])


def _compared(seen: Observation, word: Word, at: int) -> Iterator[str]:
    within = tolerance(seen, at)
    rtol, atol = (0.0, 0.0) if within == EXACT else (max(within.rtol, within.share), within.atol)
    sides = "got, twin, wanted" if word.operation.calls else "(), twin, ()"
    yield f"check({at + 1}, agree(module, {sides}, {rtol!r}, {atol!r}))"
    yield "for other, held, _, _ in kept:"
    yield "    changed = [path for path, (_, leaves) in look(other).items() if same(leaves, held[path][1], 0.0, 0.0)]"
    yield f"    check({at + 1}, f'what was left behind changed: {{changed[0]}}' if changed else '')"


def _lines(word: Word, step: Step, seed: int, at: int) -> list[str]:
    return [line.replace("check({at}", f"check({at + 1}") for line in _done(word, step, seed)]


def _done(word: Word, step: Step, seed: int) -> list[str]:
    """The lines that do what an operation does, on both sides."""
    name, number = word.operation.name, word.input
    twin, call = f"wanted = twin_call({number})", f"got = call(module, *given({number}))"
    moves = {
        "eval": ["module.eval(), twin.eval(), done.append('eval')"],
        "train": ["module.train(), twin.train(), done.append('train')"],
        "jit": [twin, f"got = jit_step(module, given({number}))"],
        "remat": [twin, f"got = remat_step(module, given({number}))"],
        "cond": [twin, f"got = cond_step(module, given({number}), jax.tree.map(jnp.zeros_like, wanted))"],
        "grad": [twin, f"_, got = grad_step(module, given({number}))"],
        "optimize": [
            twin,
            f"got = optimize_step(module, given({number}))",
            "params = jax.tree.map(jnp.array, nnx.state(module, nnx.Param))",
            "nnx.update(twin, params), done.append(params)",
        ],
        "scan": [
            f"numbers_given = {list(step.inputs)}",
            "wanted = [twin_call(number) for number in numbers_given]",
            "outputs = scan_step(module, stacked([given(number) for number in numbers_given]))",
            "got = [unstacked(outputs, at) for at in range(len(numbers_given))]",
        ],
        "vmap": [
            f"first, second = {list(step.inputs)}",
            f"other, lanes = another({seed + OTHER}, done), stack([module, another({seed + OTHER}, done)])",
            twin,
            "outputs = vmap_step(lanes, stacked([given(first), given(second)]))",
            "beside = call(other, *given(second))",
            "check({at}, agree(lane(lanes, 1), unstacked(outputs, 1), other, beside, 1e-3, 1e-3))",
            "module, got = lane(lanes, 0), unstacked(outputs, 0)",
        ],
        "split": ["module = split(module)", twin, call],
        "copy": [
            f"kept.append((module, look(module), another({seed}, done), list(done)))",
            "module = copy(module)",
            twin,
            call,
        ],
        "clone": [
            f"kept.append((module, look(module), another({seed}, done), list(done)))",
            "module = clone(module)",
            twin,
            call,
        ],
        "original": [
            "left = module, look(module), twin, list(done)",
            "module, _, twin, done[:] = kept.pop()",
            "kept.append(left)",
            twin,
            call,
        ],
        "save": [
            f"fresh = like(module, {seed + OTHER}, {number})",
            "load(fresh, save(module))",
            "module = fresh",
            twin,
            call,
        ],
        "reload": [
            "saved = save(module)",
            f"first = call(module, *given({number}))",
            "load(module, saved)",
            twin,
            call,
            "check({at}, same(got, first, 0.0, 0.0))",
        ],
        "graft": [f"fresh = like(module, {seed}, {number})", "load(fresh, save(module))", "module = fresh", twin, call],
        "pair": [
            f"other = make({seed})",
            "held = look(other)",
            twin,
            call,
            "changed = [path for path, (_, leaves) in look(other).items() if same(leaves, held[path][1], 0.0, 0.0)]",
            "check({at}, f'a call of one module changed another: {changed[0]}' if changed else '')",
        ],
        "rerun": [
            f"other = another({seed}, done)",
            twin,
            call,
            f"again = call(other, *given({number}))",
            "check({at}, agree(other, again, twin, wanted, 0.0, 0.0))",
        ],
    }
    return moves.get(name, [twin, call])
