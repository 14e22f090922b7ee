"""A finding as a Python script that runs as it stands: it replays the program in plain Flax and asserts the law.

The functions in it are those of `operations` and `assertions`, taken over from their files; nothing is imported
here, for the judge starts no backend.
"""

from __future__ import annotations

import ast
import functools
import textwrap
from collections.abc import Iterator
from pathlib import Path

from nnx_conformance.case import Case
from nnx_conformance.laws.differences import STARTS, parted
from nnx_conformance.laws.language import TREE, Program, Word, program
from nnx_conformance.laws.script_lines import lines
from nnx_conformance.laws.script_text import HEAD, LACKS, LACKS_SAVED, RESTARTS
from nnx_conformance.laws.seen import Observation, Step
from nnx_conformance.laws.tolerance import EXACT, tolerance

#: Laws that are asserted of the state before and after each call, and the function that does so.
BY_STATE = {
    "wrapper-kept": "wrapper_kept_holds",
    "structure-stable": "structure_stable_holds",
    "params-untouched": "params_untouched_holds",
    "no-growth": "no_growth_holds",
    "eval-frozen": "eval_frozen_holds",
}
#: Laws that no script shows: they need many programs, or what only the kit sees.
WITHOUT = ("state-precision", "current-access", "state-moves")
#: What of other laws no script shows, by words of the finding.
UNSEEN = {
    "eval-frozen": ("output",),
    "rng-advances": ("output",),
    "rng-reproducible": ("a module from another seed",),
    "structure-stable": ("is shared with", "graph's structure", "compiled once more", "went from"),
}
#: Assertions of the state that a law needs for some of its findings only, by words of these.
SOMETIMES = {"optimizer-safe": ("calls write", "params_untouched_holds")}
#: Stands before a step that a new process does.
RESTART = "restart"
#: What is asserted of other laws besides what is compared.
BESIDES = {"input-untouched": ("untouched",), "rng-advances": ("streams_agree",)}
#: What a first call may add, and what an optimiser may change.
ADDS, CHANGES_PARAMS = ("structure-stable", "eval-frozen"), ("optimizer-safe", "params-untouched", "structure-stable")
TRANSFORMS = ("jit", "remat", "cond", "scan", "vmap", "grad", "optimize")


def script(case: Case, seen: Observation, law: str, what: str) -> str:
    """The script that shows a violation; empty where none can."""
    todo = program(case)
    names = [word.operation.name for word in todo.words]
    unseen = any(words in what for words in UNSEEN.get(law, ()))
    asserted = _asserted(law, what)
    restarts = any(step.operation == "restart" and not step.skipped for step in seen.steps)
    if not seen.where or law in WITHOUT or unseen or not all(given.source for given in seen.inputs):
        return ""
    if restarts and asserted:
        return ""
    used = [name for name in TRANSFORMS if name in names]
    made = "\n".join(f"{name}_step = {name}(step)" for name in used)
    # What a program says must not end the script's docstring.
    said = " ".join(what.split()).replace("\\", "/").replace('"', "'")[:300]
    wanted = {
        *(("arrays", "restore") if restarts else ()),
        *names,
        *used,
        "agree",
        "look",
        *((asserted,) if asserted else ()),
        *(("typed",) if law == "structure-stable" else ()),
        *BESIDES.get(law, ()),
    }
    return HEAD.format(
        program=str(todo),
        law=law,
        step=0 if what.startswith(STARTS) else len(seen.steps),
        what=said,
        lacks=LACKS_SAVED if restarts else LACKS,
        mode="nnx.set_graph_mode(False)\n\n\n" if todo.mode == TREE else "\n",
        functions=_functions(frozenset(wanted)),
        subject=_subject(seen.where),
        inputs="{" + "".join(f"\n    {given.number}: {given.source}," for given in seen.inputs) + "\n}",
        made=made + ("\n\n" if made else ""),
        seed=todo.seed,
        restarts=RESTARTS if restarts else "",
        steps=_staged(_steps(todo, seen, law, asserted)),
    )


def _asserted(law: str, what: str) -> str:
    """The assertion of the state before and after each call that shows a finding; empty for a comparison."""
    words, name = SOMETIMES.get(law, ("", ""))
    return name if words and words in what else BY_STATE.get(law, "")


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
    """Every function of these modules as text, by name."""
    found = {}
    for name in ("operations", "assertions", "checkpoints"):
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


def _staged(lines: Iterator[str]) -> str:
    """The lines of all steps; where the program goes on in a new process, the script runs itself again."""
    stages: list[list[str]] = [[]]
    for line in lines:
        if line == RESTART:
            stages[-1].append("hand_over(module)")
            stages.append([])
        stages[-1].append("" if line == RESTART else line)
    if len(stages) == 1:
        return "\n".join(stages[0])
    blocks = (f"if STAGE == {at}:\n{textwrap.indent(chr(10).join(stage), '    ')}" for at, stage in enumerate(stages))
    return "\n".join(blocks)


def _steps(todo: Program, seen: Observation, law: str, asserted: str) -> Iterator[str]:
    evaluating, side = False, "module" if law in ("wrapper-kept", "eval-frozen") else "twin"
    look = "typed" if law == "structure-stable" else "look"
    if not asserted and parted(seen):
        yield "check(0, agree(module, (), twin, (), 0.0, 0.0))"
    for at, (word, step) in enumerate(zip(todo.words, seen.steps, strict=False)):
        name = word.operation.name
        yield RESTART if name == "restart" and not step.skipped else ""
        if step.skipped or name in ("endure", "reseed"):
            yield f"# step {at + 1}, {word}: skipped{f', {step.skipped}' if step.skipped else ''}"
            continue
        yield f"# step {at + 1}: {word}"
        frozen = evaluating or name in ("eval", "train")
        evaluating = {"eval": True, "train": False}.get(name, evaluating)
        done = lines(word, step, todo.seed, at + 1)
        if step.subject.raised or step.twin.raised:
            yield f"with step_that_raises({at + 1}):"
            yield from (f"    {line}" for line in done)
            continue
        if not asserted:
            yield from _watched(law, word, step, at + 1, done)
            yield from _compared(seen, word, at)
            continue
        yield f"before = {look}({side})"
        yield from done
        first = not done_before(todo, at)
        if _judged(law, name, first, frozen):
            more = ", first=True" if first and law in ADDS else ""
            yield f"check({at + 1}, {asserted}(before, {look}({side}){more}))"


def _judged(law: str, name: str, first: bool, frozen: bool) -> bool:
    """Whether a law says something of a step: a first call may make state, and an optimiser may change Params."""
    if law == "eval-frozen":
        return frozen and name != "optimize"
    return not (law == "no-growth" and first) and not (law in CHANGES_PARAMS and name == "optimize")


def _watched(law: str, word: Word, step: Step, at: int, done: list[str]) -> Iterator[str]:
    """The lines of a step, and what is asserted of it besides the comparison."""
    if law == "input-untouched" and step.touched:
        given = f"given({word.input})"
        yield f"mine = {given}"
        yield from (line if line.startswith("wanted") else line.replace(given, "mine") for line in done)
        yield f"check({at}, untouched(mine, {given}))"
        return
    yield from done
    if law == "rng-advances" and word.operation.name == "jit":
        yield f"check({at}, streams_agree(module, twin))"


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
