"""A finding as a Python script that runs on its own: it replays the program in plain Flax and asserts the law.

We copy the source of its functions from `FILES` and import none of them, because the judge starts no JAX backend.
"""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnx_conformance.contracts.module_laws.facts import ProgramFacts, StepFacts
from nnx_conformance.contracts.module_laws.laws.differences import start_difference
from nnx_conformance.contracts.module_laws.laws.law import Evidence
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.contracts.module_laws.laws.tolerance import EXACT, tolerance
from nnx_conformance.contracts.module_laws.laws.tree_mode import broken
from nnx_conformance.contracts.module_laws.program.domains import TREE_READY
from nnx_conformance.contracts.module_laws.program.language import TREE, Program, Word, program
from nnx_conformance.contracts.module_laws.script.lines import CALLED, lines
from nnx_conformance.contracts.module_laws.script.text import (
    HEAD,
    LACKS,
    LACKS_SAVED,
    RESTARTS,
    TWIN_ON_ONE_DEVICE,
    TWO_DEVICES,
)
from nnx_conformance.core.candidate.notebook import is_notebook
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Violation

#: For each law on the state before and after a call, the function that asserts it.
BY_STATE = {
    "wrapper-kept": "wrapper_kept_holds",
    "structure-stable": "structure_stable_holds",
    "params-untouched": "params_untouched_holds",
    "no-growth": "no_growth_holds",
    "eval-frozen": "eval_frozen_holds",
    "optimizer-safe": "params_untouched_holds",
}
#: Functions that assert other laws, besides the comparison of subject and twin.
BESIDES = {"input-untouched": "untouched", "rng-advances": "streams_agree"}
#: Laws under which a first call may add state; laws that do not apply to the step of an optimiser.
ADDS, CHANGES_PARAMS = ("structure-stable", "eval-frozen"), ("optimizer-safe", "params-untouched", "structure-stable")
TRANSFORMS = (
    *("jit", "remat", "cond", "scan", "vmap", "grad", "optimize", "plainjit"),
    *("switch", "fori_loop", "while_loop", "custom_vjp", "vjp", "jvp", "donate", "shardmap"),
)
#: Operations that call the module through `nnx.jit`.
JITTED = ("shard", "place")
#: The files whose functions scripts contain.
FILES = (
    "execution/operations.py",
    "script/assertions.py",
    "execution/runners/checkpoints.py",
    "execution/duplicates.py",
    "execution/meshes.py",
    "execution/runners/empty_arrays.py",
    "../../core/candidate/notebook.py",
)
#: Marks, as a line of its own, where a new process continues.
RESTART = "restart"


def script(case: Case, reading: ProgramReading, law: str, violation: Violation) -> str:
    """The script that shows a violation; empty if no script can."""
    if law == TREE_READY:  # the violation is in a short program
        case, reading = next((short, part) for _, short, part, _ in broken(case, reading))
    facts, todo = reading.facts, program(case)
    names = [word.operation.name for word in todo.words]
    asserted = BY_STATE[law] if violation.evidence is Evidence.STATE else ""
    restarts = any(step.operation == "restart" and not step.skipped for step in facts.steps)
    if violation.evidence is Evidence.KIT or not facts.where or not all(each.source for each in facts.inputs):
        return ""
    # The functions of a script know no Params but Flax's.
    if (restarts and asserted) or facts.trait("trainable"):
        return ""
    named = _named(reading, violation) if violation.evidence is Evidence.NAMED else ""
    implied = {"grad" for name in names if name == "derive"} | {"jit" for name in names if name in JITTED}
    used = [name for name in TRANSFORMS if name in names or name in implied]
    setup = "\n".join([f"{name}_step = {name}(step)" for name in used] + _contexts(facts))
    wanted = {*names, "agree", "look", asserted, BESIDES.get(law, "")}
    wanted |= {*implied, *(function for name in names for function in CALLED.get(name, ()))}
    wanted |= {"astray"} if "place" in names else {"of_shard"} if "shardmap" in names else set()
    wanted |= {"mesh_of", "on_mesh"} if facts.trait("mesh") else set()
    wanted |= {"arrays", "restore"} if restarts else set()
    notebook = is_notebook(facts.where.rpartition("::")[0])
    wanted |= {"_source", "_python", "run_cells"} if notebook else set()
    wanted |= {"moved", "trained", "grad"} if named else set()
    wanted |= {"typed"} if law == "structure-stable" else set()
    return HEAD.format(
        program=str(todo),
        law=law,
        step=0 if violation.evidence is Evidence.START else len(facts.steps),
        # The text of an exception must not end the script's docstring.
        what=" ".join(violation.what.split()).replace("\\", "/").replace('"', "'")[:300],
        lacks=LACKS_SAVED if restarts else LACKS,
        imports="import __future__\nimport json\nimport re\n" if notebook else "",
        mode="nnx.set_graph_mode(False)\n\n\n" if todo.mode == TREE else TWO_DEVICES if todo.devices > 1 else "\n",
        functions=_functions(wanted),
        subject=_subject(facts.where),
        inputs="{" + "".join(f"\n    {each.number}: {each.source}," for each in facts.inputs) + "\n}",
        made=setup + ("\n\n" if setup else "") + (TWIN_ON_ONE_DEVICE if todo.devices > 1 else ""),
        seed=todo.seed,
        restarts=RESTARTS if restarts else "",
        steps=_staged(_steps(todo, facts, law, asserted, named)),
    )


def _contexts(facts: ProgramFacts) -> list[str]:
    """The lines that enter the subject's mesh and context."""
    axes = [axis.partition("=")[0] for axis in facts.trait("mesh").split(", ") if axis]
    managers = [f"on_mesh(mesh_of({dict.fromkeys(axes, 1)}))"] if axes else []
    managers += ['value("context")()'] if facts.trait("context") else []
    stack = ["around = contextlib.ExitStack()"] if managers else []
    return stack + [f"around.enter_context({manager})" for manager in managers]


def _subject(where: str) -> str:
    path, separator, name = where.rpartition("::")
    if is_notebook(path):
        return (
            f"sys.path.insert(0, {str(Path(path).parent)!r})\n"
            f"found = type(sys)({Path(path).stem!r})\n"
            "sys.modules[found.__name__] = found\n"
            f"with open({path!r}, 'rb') as file:\n"
            "    cells = [_source(cell) for cell in json.load(file)['cells'] if cell['cell_type'] == 'code']\n"
            f"run_cells([_python(cell)[0] for cell in cells if cell.strip()], {path!r}, vars(found))\n"
            f"subject = found.{name}"
        )
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
    """The source of each function, class and constant of `FILES`, by name."""
    sources = {}
    for file in FILES:
        text = (Path(__file__).parents[1] / file).read_text()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                start = min(part.lineno for part in (node, *node.decorator_list))
                sources[node.name] = "\n".join(text.splitlines()[start - 1 : node.end_lineno])
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                sources[node.targets[0].id] = ast.get_source_segment(text, node) or ""
    return sources


def _functions(wanted: set[str]) -> str:
    """The source of these functions and of those that they call."""
    sources, needed = _sources(), {"StepFunction"}
    needed |= {"save", "load"} if wanted & {"save", "reload", "graft"} else set()
    needed |= {"stack", "lane"} if "vmap" in wanted else set()
    new = wanted & sources.keys() | needed
    while new:
        needed |= new
        names = {node.id for name in new for node in ast.walk(ast.parse(sources[name])) if isinstance(node, ast.Name)}
        new = (names & sources.keys()) - needed
    return "\n\n\n".join(text for name, text in sources.items() if name in needed)


def _staged(steps: Iterable[str]) -> str:
    """The lines of all steps. If the program continues in a new process, the script runs itself again."""
    stages: list[list[str]] = [[]]
    for line in steps:
        if line == RESTART:
            stages[-1].append("hand_over(module)")
            stages.append([])
        stages[-1].append("" if line == RESTART else line)
    if len(stages) == 1:
        return "\n".join(stages[0])
    indented = (textwrap.indent("\n".join(stage), "    ") for stage in stages)
    return "\n".join(f"if STAGE == {number}:\n{stage}" for number, stage in enumerate(indented))


def _named(reading: ProgramReading, violation: Violation) -> str:
    """The path of the Variable that a violation names, in the form of a script's functions."""
    steps = reading.facts.steps
    paths = [path for step in steps for path in (*(lost.path for lost in step.lost), *step.untrained)]
    path = next(path for path in paths if f"`{path}`" in violation.what)
    return re.sub(r"\['?(.+?)'?\]", r".\1", path).replace(".", "/")


def _steps(todo: Program, facts: ProgramFacts, law: str, asserted: str, named: str) -> Iterator[str]:
    if todo.devices > 1:
        yield "with one_device():"
        yield f"    twin = make({todo.seed})"
    evaluating, side = False, "module" if law in ("wrapper-kept", "eval-frozen") else "twin"
    look = "typed" if law == "structure-stable" else "look"
    if not asserted and start_difference(facts):
        yield "check(0, agree(module, (), twin, (), 0.0, 0.0))"
    for position, (word, step) in enumerate(zip(todo.words, facts.steps, strict=False)):
        name, number = word.operation.name, position + 1
        yield RESTART if name == "restart" and not step.skipped else ""
        if step.skipped or name in ("endure", "reseed"):
            yield f"# step {number}, {word}: skipped{f', {step.skipped}' if step.skipped else ''}"
            continue
        yield f"# step {number}: {word}"
        frozen = evaluating or name in ("eval", "train")
        evaluating = {"eval": True, "train": False}.get(name, evaluating)
        done = lines(word, step, todo.seed, number)
        if step.subject.raised or step.twin.raised:
            yield f"with step_that_raises({number}):"
            yield from (f"    {line}" for line in done)
        elif named:
            yield "before = look(twin)"
            yield from done
            if name == "watch":
                yield f"check({number}, moved(before, look(twin), {named!r}))"
            elif name == "derive":
                yield f"check({number}, trained(grads, {named!r}))"
        elif not asserted:
            yield from _asserted_besides(law, word, step, number, done)
            yield from _compared(facts, word, position)
        else:
            yield f"before = {look}({side})"
            yield from done
            first = not any(word.operation.calls for word in todo.words[:position])
            if _judged(law, name, first, frozen):
                more = ", first=True" if first and law in ADDS else ""
                yield f"check({number}, {asserted}(before, {look}({side}){more}))"


def _judged(law: str, name: str, first: bool, frozen: bool) -> bool:
    """Whether a law applies to a step: a first call may create state, and an optimiser may change Params."""
    if law == "eval-frozen":
        return frozen and name != "optimize"
    return not (law == "no-growth" and first) and not (law in CHANGES_PARAMS and name == "optimize")


def _asserted_besides(law: str, word: Word, step: StepFacts, number: int, done: list[str]) -> Iterator[str]:
    """The lines of a step, and its assertions besides the comparison."""
    if law == "input-untouched" and step.touched:
        given = f"given({word.input})"
        yield f"mine = {given}"
        yield from (line if line.startswith("wanted") else line.replace(given, "mine") for line in done)
        yield f"check({number}, untouched(mine, {given}))"
        return
    yield from done
    if law == "sharding-stable" and word.operation.name == "place":
        yield f"check({number}, strayed)"
    if law == "rng-advances" and word.operation.name == "jit":
        yield f"check({number}, streams_agree(module, twin))"


def _compared(facts: ProgramFacts, word: Word, position: int) -> Iterator[str]:
    within, number = tolerance(facts, position), position + 1
    rtol, atol = (0.0, 0.0) if within == EXACT else (max(within.rtol, within.share), within.atol)
    sides = "got, twin, wanted" if word.operation.calls else "(), twin, ()"
    yield f"check({number}, agree(module, {sides}, {rtol!r}, {atol!r}))"
    yield "for other, held, _, _ in kept:"
    yield "    changed = [path for path, (_, leaves) in look(other).items() if same(leaves, held[path][1], 0.0, 0.0)]"
    yield f"    check({number}, f'what was left behind changed: {{changed[0]}}' if changed else '')"
