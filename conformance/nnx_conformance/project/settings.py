"""The settings in `[tool.nnx-conformance]` of pyproject.toml. Reading them imports no JAX."""

from __future__ import annotations

import dataclasses
import datetime
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnx_conformance.core.errors import Misuse, expected, suggestion
from nnx_conformance.project import baseline
from nnx_conformance.project.waivers import Waiver
from nnx_conformance.sandbox.jail import LEVELS, Level

FILE = "pyproject.toml"
TABLE = "tool.nnx-conformance"


@dataclass(frozen=True)
class Project:
    """The settings of a project; the defaults where it has none.

    Attributes:
        root: the folder that candidates are relative to.
        file: where the settings stand; None if there are none.
        contract: to judge by.
        candidates: targets, or globs of files, relative to `root`.
        max_examples: cases of the core domain.
        strict: whether SHOULD checks decide too.
        isolation: how a candidate is kept apart, one of `LEVELS`; None for as strictly as the host allows.
        waivers: in the order of the file; then those of the baseline, which name their contract.
        packages: import names of packages whose lines are the candidates' own, though they lie elsewhere.
        points: what each check is worth in a course, by its id; all MUST checks the same if there are none.
        pins: the version of each contract by which candidates are judged; newer checks do not decide.
    """

    root: Path
    file: Path | None = None
    contract: str = "mutability"
    candidates: tuple[str, ...] = ()
    max_examples: int = 200
    strict: bool = False
    isolation: Level | None = None
    waivers: tuple[Waiver, ...] = ()
    packages: tuple[str, ...] = ()
    points: Mapping[str, float] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)


def find(start: Path) -> Project:
    """The settings that hold in a folder: those of the nearest pyproject.toml, upwards, that has the table.

    The search ends at the root of a repository. Without the table, the defaults hold, and `start` is the root.

    Raises:
        Misuse: if a file on the way is no TOML, or a setting is not of its form.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        table = _table(folder / FILE)
        if table is not None:
            return _with_baseline(_project(folder, table))
        if (folder / ".git").exists():
            break
    return _with_baseline(Project(start))


def _with_baseline(project: Project) -> Project:
    return dataclasses.replace(project, waivers=(*project.waivers, *baseline.read(project.root)))


def _table(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("nnx-conformance")
    except (OSError, ValueError, AttributeError) as error:
        raise Misuse(f"{path} cannot be read: {error}. Fix it, or run where no project is.") from error


def _project(root: Path, table: Any) -> Project:
    path = root / FILE
    try:
        values = _read(table, f"[{TABLE}]", SETTINGS)
    except Misuse as error:
        raise Misuse(f"{path}: {error}") from error
    return Project(root, path, **{key.replace("-", "_"): value for key, value in values.items()})


Reader = Callable[[str, Any], Any]


def _read(table: Any, what: str, readers: dict[str, Reader]) -> dict[str, Any]:
    """The values of a table, each by its own reader; refuses other keys."""
    if not isinstance(table, dict):
        raise expected("a table", what, table, f"Write `{what}` on a line and `key = value` below it.")
    for key in table:
        if key not in readers:
            raise expected(f"a key of {what}", "key", key, suggestion(key, readers))
    return {key: readers[key](key, value) for key, value in table.items()}


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise expected("a text that is not empty", key, value, f'Write `{key} = "..."`.')
    return value


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise expected("a list of texts", key, value, f'Write `{key} = ["solution.py"]`.')
    return tuple(value)


def _packages(key: str, value: Any) -> tuple[str, ...]:
    for name in (names := _texts(key, value)):
        if not all(part.isidentifier() for part in name.split(".")):
            raise expected("names as `import` takes them", key, name, f'Write `{key} = ["my_package"]`.')
    return names


def _points(key: str, value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise expected("a table", key, value, f"Write `[{TABLE}.{key}]` above `check-id = 5`.")
    for check, worth in value.items():
        if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 <= worth < float("inf"):
            raise expected("a number >= 0", f"{key}.{check}", worth, f"Write `{check} = 5`.")
    return value


def _count(key: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise expected("a whole number >= 1", key, value, "Leave it out for 200.")
    return value


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", key, value, f"Write `{key} = true`.")
    return value


def _isolation(key: str, value: Any) -> Level:
    for level in LEVELS:
        if value == level:
            return level
    raise expected("a known isolation", key, value, suggestion(str(value), LEVELS))


def _day(key: str, value: Any) -> datetime.date:
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    elif type(value) is datetime.date:
        return value
    raise expected("a day", key, value, f"Write `{key} = 2026-12-31`, the last day on which it excuses.")


def _waivers(key: str, value: Any) -> tuple[Waiver, ...]:
    if not isinstance(value, list):
        raise expected("a list of tables", key, value, f"Write `[[{TABLE}.waivers]]` above each waiver.")
    return tuple(map(_waiver, value))


def _waiver(table: Any) -> Waiver:
    values = _read(table, f"[[{TABLE}.waivers]]", WAIVER)
    for needed in ("check", "candidate", "reason"):
        if needed not in values:
            fix = "Say why it is excused: " if needed == "reason" else "Write "
            raise expected(f"a waiver with {needed!r}", "waiver", table, f'{fix}`{needed} = "..."`.')
    return Waiver(**values)


def _pins(key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise expected("a table", key, value, f"Write `[{TABLE}.{key}]` above `module-laws = 1`.")
    for contract, version in value.items():
        if isinstance(version, bool) or not re.fullmatch(r"\d+(\.\d+)*", str(version)):
            raise expected("a version", f"{key}.{contract}", version, f"Write `{contract} = 1`.")
    return {contract: str(version) for contract, version in value.items()}


SETTINGS: dict[str, Reader] = {
    "contract": _text,
    "candidates": _texts,
    "max-examples": _count,
    "strict": _flag,
    "isolation": _isolation,
    "waivers": _waivers,
    "packages": _packages,
    "points": _points,
    "pins": _pins,
}
WAIVER: dict[str, Reader] = {"check": _text, "candidate": _text, "reason": _text, "expires": _day}
