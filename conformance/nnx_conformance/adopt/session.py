"""From records to subjects: drafts are written, made and called again, and keep the inputs that fit."""

from __future__ import annotations

import dataclasses
import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnx_conformance.adopt import subject_file
from nnx_conformance.adopt.drafts import Draft, drafts, unadopted
from nnx_conformance.adopt.records import ClassRecord, Records, quoted
from nnx_conformance.adopt.source import Adopted, Trait

TRIAL = "nnx_conformance.adopt.trial"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Adoption:
    """The adopted classes of a session.

    Attributes:
        classes: the number of recorded classes.
        subjects: those that can be made and called again.
        refused: why other classes cannot, by class.
    """

    classes: int
    subjects: tuple[Adopted, ...]
    refused: dict[str, str]


def adoption(
    records: Records, unnamed: dict[str, str], progress: Progress = lambda _: None, taken: Iterable[str] = ()
) -> Adoption:
    """The subjects of records.

    Args:
        records: of classes that can be imported.
        unnamed: for each class that cannot be imported, why.
        progress: called with lines of progress.
        taken: names of other subjects.
    """
    refused = dict(unnamed)
    all_drafts: list[Draft] = []
    for dotted, record in sorted(records.items()):
        if not _importable(record):
            refused[dotted] = f"its module {record.module!r} cannot be imported by that name ({record.source})"
        elif new := drafts(record):
            all_drafts += new
        else:
            refused[dotted] = unadopted(record)
    subjects = []
    all_drafts = _named_apart(all_drafts, taken)
    if all_drafts:
        progress(f"making and calling {len(all_drafts)} subjects again")
    for draft, evidence in zip(all_drafts, _evidence(all_drafts), strict=True):
        if evidence["failure"]:
            refused[draft.record.dotted] = f"{evidence['failure']} ({draft.construction.line})"
        else:
            subjects.append(Adopted(draft.without(evidence["bad"]), _traits(evidence)))
    adopted = {subject.draft.record.dotted for subject in subjects}
    refused = {dotted: why for dotted, why in refused.items() if dotted not in adopted}
    return Adoption(len(records) + len(unnamed), tuple(subjects), refused)


def _named_apart(all_drafts: Sequence[Draft], others: Iterable[str]) -> list[Draft]:
    """The drafts with distinct names: classes of two modules may share a name."""
    taken = {*others} | {draft.record.module.partition(".")[0] for draft in all_drafts}
    named = []
    for draft in all_drafts:
        name, number = draft.name, 2
        while name in taken:
            name, number = f"{draft.name}_{number}", number + 1
        taken.add(name)
        named.append(dataclasses.replace(draft, name=name))
    return named


def _traits(evidence: dict[str, Any]) -> tuple[Trait, ...]:
    traits = []
    if evidence["draws"]:
        traits.append(Trait("draws_randomness", "its outputs change only with the random streams", True))
    if evidence["evaluates"]:
        traits.append(Trait("has_eval_mode", "after eval(), its calls repeat and move no state", True))
    if evidence["moves_in_eval"]:
        path = evidence["moves_in_eval"][0]
        traits.append(Trait("has_eval_mode", f"eval() has an effect, but a call still moves {path}", False))
    if evidence["rewrites"]:
        traits.append(Trait("rewrites_param", f"a call moves the Param {evidence['rewrites'][0]}; on purpose?", False))
    if evidence["grows"]:
        traits.append(Trait("grows", f"a second call adds {evidence['grows'][0]}; on purpose?", False))
    return tuple(traits)


def _evidence(all_drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """The evidence of each draft, from processes of their own, several in parallel."""
    if not all_drafts:
        return []
    with tempfile.TemporaryDirectory(prefix="nnx-conformance-") as folder:
        path = Path(folder, "drafted_subjects.py")
        subject_file.write(path, [Adopted(draft) for draft in all_drafts], "tests", folders_of(all_drafts, None))
        jobs = min(len(all_drafts), max(1, os.cpu_count() or 1), 4)
        slices = [[draft.name for draft in all_drafts[job::jobs]] for job in range(jobs)]
        with ThreadPoolExecutor(jobs) as threads:
            answers = list(
                threads.map(lambda job: _tried(path, Path(folder, f"{job}.jsonl"), slices[job]), range(jobs))
            )
    known = {name: evidence for answer in answers for name, evidence in answer.items()}
    return [known[draft.name] for draft in all_drafts]


def _tried(path: Path, answers: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """The evidence of the drafts with these names, from one process."""
    command = [sys.executable, "-m", TRIAL, str(path), str(answers), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = answers.read_text().splitlines() if answers.exists() else []
    known = {data.pop("name"): data for data in map(json.loads, lines)}
    last = (done.stderr.strip().splitlines() or ["it gave no answer"])[-1]
    return {name: known.get(name, {"failure": f"the process that tries subjects ended: {last}"}) for name in names}


def folders_of(all_drafts: Sequence[Draft], file: Path | None) -> list[str]:
    """Python expressions of the folders that a file's imports need on the path; none for installed packages.

    Args:
        all_drafts: those in the file.
        file: the file, whose own folder is on the path; None for absolute paths.
    """
    modules = {draft.record.module: draft.record for draft in all_drafts}
    folders = dict.fromkeys(_folder(record) for record in modules.values())
    installed = [os.path.realpath(path) for path in (*site.getsitepackages(), site.getusersitepackages())]
    wanted = [folder for folder in folders if os.path.realpath(folder) not in installed]
    if file is None:
        return [quoted(folder) for folder in wanted]
    home = os.path.dirname(os.path.abspath(file))
    importable = _importable_from(home, sorted({module.partition(".")[0] for module in modules}))
    expressions = []
    for folder in wanted:
        tops = {module.partition(".")[0] for module, record in modules.items() if _folder(record) == folder}
        if not tops <= importable:
            below = os.path.relpath(folder, home)
            expressions.append(f'str(Path(__file__).parent / "{Path(below).as_posix()}")')
    return expressions


def _importable_from(home: str, names: Sequence[str]) -> set[str]:
    """The top-level modules that a new interpreter finds with this folder on its path."""
    code = "import sys; from importlib.util import find_spec; print([name for name in sys.argv[2:] if find_spec(name)])"
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {code}"
    done = subprocess.run([sys.executable, "-P", "-c", code, home, *names], capture_output=True, text=True, check=False)
    return {name for name in names if repr(name) in done.stdout}


def _folder(record: ClassRecord) -> str:
    """The folder on the path from which a module was imported."""
    parts = record.module.split(".")
    path = Path(record.source)
    if path.stem == "__init__":
        path = path.parent
    return str(path.parents[len(parts) - 1])


def _importable(record: ClassRecord) -> bool:
    """Whether a module's name matches its file, so that a program with its folder on the path can import it."""
    path = Path(record.source)
    parts = (path.parent if path.stem == "__init__" else path.with_suffix("")).parts
    named = tuple(record.module.split("."))
    return path.suffix == ".py" and parts[-len(named) :] == named
