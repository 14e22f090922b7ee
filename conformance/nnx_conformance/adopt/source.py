"""The text of subjects: Python as a person would write it."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nnx_conformance.adopt.drafts import Draft, DraftInput
from nnx_conformance.adopt.records import SEED, RecordedArguments, identifier, quoted

WIDTH = 100
#: The first words of a file that `adopt` writes; it adds subjects to no other file.
MARK = "Subjects of the module laws, from what"
FLOATS = '''
def floats(shape, low, high, *, seed, dtype="float32"):
    """Numbers of a shape, dtype and range that a call was given."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.dtype(dtype))
'''
ARRAYS = """
#: What calls were given, where its values matter.
ARRAYS = np.load(Path(__file__).with_suffix(".npz"))
"""
IMPORTS = {
    "flax.nnx": "from flax import nnx",
    "jax.numpy": "import jax.numpy as jnp",
    "numpy": "import numpy as np",
}


@dataclass(frozen=True)
class Trait:
    """A trait of a subject and why it may hold; `decided` is False for a trait that only a person can decide."""

    name: str
    why: str
    decided: bool


@dataclass(frozen=True)
class Adopted:
    """A draft that was made and called again, and the traits that this showed."""

    draft: Draft
    traits: tuple[Trait, ...] = ()

    @property
    def modules(self) -> set[str]:
        """The modules that its text needs."""
        values = [
            *self.draft.construction.arguments.all,
            *(value for each in self.draft.inputs for value in each.arguments),
        ]
        values += [value for _, arguments in self.draft.construction.setup for value in arguments.all]
        return {self.draft.record.module}.union(*(value.modules for value in values))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that its text reads from the file beside it."""
        return {key: array for each in self.draft.inputs for value in each.arguments for key, array in value.arrays} | {
            key: array for value in self.draft.construction.arguments.all for key, array in value.arrays
        }


def file_text(subjects: Sequence[Adopted], tests: str, name: str, folders: Sequence[str] = ()) -> str:
    """A whole file of subjects.

    Args:
        subjects: in this order.
        tests: the command that was recorded.
        name: the file's.
        folders: Python expressions of the folders from which the modules are imported.
    """
    bodies = [subject_text(subject) for subject in subjects]
    text = [f'"""{MARK} `{tests}` made and called.', "", *_usage(subjects, name), '"""', ""]
    modules = set().union(*(subject.modules for subject in subjects))
    text += import_lines(modules, bodies, folders)
    text += [f"\n{helper.rstrip()}\n" for helper in helper_texts(bodies)]
    return "\n".join(text).rstrip("\n") + "\n\n\n" + "\n\n".join(bodies)


def _usage(subjects: Sequence[Adopted], name: str) -> list[str]:
    return [
        f"`nnx-conformance check {name} --contract module-laws` judges them all,",
        f"`{name}::{subjects[0].draft.name}` one.",
        "The file is yours to edit: `nnx-conformance adopt` adds classes that are new, and changes nothing else.",
    ]


def import_lines(modules: Iterable[str], bodies: Sequence[str], folders: Sequence[str]) -> list[str]:
    """The imports of a file; `folders` go onto the path before the imports that need them."""
    wanted = {module for module in modules if any(_used(_alias(module), body) for body in bodies)}
    wanted |= {"numpy"} if helper_texts(bodies) else set()
    scripts = {module for module in wanted if identifier(module) != module}
    standard = {"functools", "types"} & wanted
    own = wanted - standard - {"flax.nnx", "jax", "jax.numpy", "numpy"}
    paths = ["from pathlib import Path"] if any("Path(" in text for text in (*folders, *helper_texts(bodies))) else []
    loaded = ["import importlib"] if scripts else []
    lines = sorted([*(f"import {name}" for name in standard), *loaded, *(["import sys"] if folders else [])]) + paths
    known = [IMPORTS.get(name, f"import {name}") for name in sorted(wanted - standard - own)]
    kit = ["from nnx_conformance import Subject"]
    imported = [f"import {name}" for name in sorted(own - scripts)]
    imported += [f"{identifier(name)} = importlib.import_module({quoted(name)})" for name in sorted(scripts)]
    if folders:
        put = f"sys.path[:0] = [{', '.join(folders)}]"
        return [*lines, "", *known, *kit, "", put, "", *(f"{each}  # noqa: E402" for each in imported)]
    return [
        *lines,
        *([""] if lines else []),
        *sorted([*known, *kit], key=_order),
        "",
        *imported,
    ]


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _alias(module: str) -> str:
    return {"flax.nnx": "nnx", "jax.numpy": "jnp", "numpy": "np"}.get(module, identifier(module))


def _used(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}\.", text) is not None


def helper_texts(bodies: Sequence[str]) -> list[str]:
    """The helpers that the text of subjects uses."""
    together = "".join(bodies)
    return [*([FLOATS] if "floats(" in together else []), *([ARRAYS] if "ARRAYS[" in together else [])]


def subject_text(subject: Adopted) -> str:
    """The text of one subject."""
    draft, text = subject.draft, io.StringIO()
    seeds = itertools.count()
    lines = ", ".join(dict.fromkeys(each.line for each in draft.inputs))
    text.write(f"# Made in {draft.construction.line}, called in {lines}.\n")
    for method, line in draft.others:
        text.write(
            f"# `{method}` was called too ({line}): where it matters, call it in `make`, or add it to `calls`.\n"
        )
    make = _make(draft, text, seeds)
    text.write(f"{draft.name} = Subject(\n    make={make},\n")
    text.write(_single(draft, seeds) if draft.single else _several(draft, seeds))
    if subject.traits:
        text.write("    traits={\n")
        for trait in subject.traits:
            mark, words = ("", trait.why) if trait.decided else ("# ", f"to decide: {trait.why}")
            text.write(f'        {mark}"{trait.name}": True,  # {words}\n')
        text.write("    },\n")
    text.write(")\n")
    return text.getvalue()


def _make(draft: Draft, text: io.StringIO, seeds: itertools.count[int]) -> str:
    construction = draft.construction
    call = f"{draft.record.dotted}({_seeded(construction.arguments.text, seeds)})"
    if not construction.setup and len(call) < WIDTH - 24:
        return f"lambda rngs: {call}"
    name = f"make_{draft.name.lower()}"
    text.write(f"def {name}(rngs):\n")
    if len(call) > WIDTH - 13:
        arguments_text = "".join(f"        {_seeded(part, seeds)},\n" for part in _parts(construction.arguments))
        call = f"{draft.record.dotted}(\n{arguments_text}    )"
    if not construction.setup:
        text.write(f"    return {call}\n\n\n")
        return name
    text.write(f"    module = {call}\n")
    for method, arguments in construction.setup:
        text.write(f"    module.{method}({_seeded(arguments.text, seeds)})\n")
    text.write("    return module\n\n\n")
    return name


def _parts(arguments: RecordedArguments) -> list[str]:
    return [
        *(value.text for value in arguments.positional),
        *(f"{name}={value.text}" for name, value in arguments.named),
    ]


def _single(draft: Draft, seeds: itertools.count[int]) -> str:
    lines = "".join(f"        {_input(each, seeds)},{_note(each)}\n" for each in draft.inputs)
    keywords = draft.ways[0].keywords
    named = f"    keywords={_names(keywords)},\n" if keywords else ""
    return f"    inputs=[\n{lines}    ],\n{named}"


def _several(draft: Draft, seeds: itertools.count[int]) -> str:
    text = "    calls={\n"
    for way in draft.ways:
        text += f'        "{way.name}": {{\n'
        if way.name != way.method:
            text += f'            "method": "{way.method}",\n'
        lines = "".join(f"                {_input(each, seeds)},{_note(each)}\n" for each in way.inputs)
        text += f'            "inputs": [\n{lines}            ],\n'
        if way.keywords:
            text += f'            "keywords": {_names(way.keywords)},\n'
        text += "        },\n"
    return text + "    },\n"


def _names(keywords: Sequence[str]) -> str:
    inner = ", ".join(f'"{name}"' for name in keywords)
    return f"({inner},)" if len(keywords) == 1 else f"({inner})"


def _input(draft_input: DraftInput, seeds: itertools.count[int]) -> str:
    parts = [value.text for value in draft_input.arguments]
    alone = len(parts) == 1 and not parts[0].startswith("(")
    return _seeded(parts[0] if alone else f"({', '.join(parts)}{',' if len(parts) == 1 else ''})", seeds)


def _note(draft_input: DraftInput) -> str:
    return "  # traced where it was called: only shapes and dtypes are known" if draft_input.traced else ""


def _seeded(text: str, seeds: itertools.count[int]) -> str:
    return re.sub(SEED, lambda _: str(next(seeds)), text)
