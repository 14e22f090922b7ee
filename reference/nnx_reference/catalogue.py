"""A catalogue of implementations: what each file does, and which checks must catch it.

An implementation is a file of its own, as its author would hand it in. Its docstring tells the
story and literal constants tell the rest; both are read with `ast`, because listing the catalogue
must import neither JAX nor a wrong implementation.
"""

import ast
import importlib.util
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_IDS = {"CATCHES": "wrapper-kept", "ADVICE": "quiet", "NEEDS": "torch"}
_VERSIONS = ("MIN_FLAX", "BELOW_FLAX")
_fresh_numbers = itertools.count()


@dataclass(frozen=True)
class Implementation:
    """One implementation of a contract's exercise, right or wrong.

    Attributes:
        name: the file's name without `.py`; unique within the contract.
        contract: the contract it implements, rightly or not.
        path: the file.
        story: its docstring: what was done and, for a mutant, why that is wrong.
        catches: ids of the checks that must report it as violated; empty for a right one.
        advice: ids of SHOULD checks that may flag a right implementation; empty for a mutant.
        min_flax: first Flax version where it exists or has this meaning; None for the oldest.
        below_flax: first Flax version where it no longer does; None for none.
        entry: the module-level name in the file that is judged, such as a function.
        needs: the modules beside JAX and Flax without which it says nothing, such as "torch".
    """

    name: str
    contract: str
    path: Path
    story: str
    catches: tuple[str, ...]
    advice: tuple[str, ...]
    min_flax: str | None
    below_flax: str | None
    entry: str
    needs: tuple[str, ...] = ()

    def applies_to(self, flax_version: str) -> bool:
        """Tells whether the implementation has its meaning on this Flax, such as "0.12.8"."""
        version = _release(flax_version)
        if self.min_flax is not None and version < _release(self.min_flax):
            return False
        return self.below_flax is None or version < _release(self.below_flax)

    def missing(self) -> tuple[str, ...]:
        """Returns the modules that it needs and that are not installed; imports none of them."""
        return tuple(name for name in self.needs if importlib.util.find_spec(name) is None)

    def load(self) -> Any:
        """Imports the file as a new module and returns what its entry names; two loads share no globals."""
        module_name = f"_nnx_reference_{self.contract}_{self.name}_{next(_fresh_numbers)}"
        spec = importlib.util.spec_from_file_location(module_name, self.path)
        if spec is None or spec.loader is None:
            raise ImportError(f"Expected a Python file but got path={str(self.path)!r}.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, self.entry)


@dataclass(frozen=True)
class Catalogue:
    """The implementations of one contract, each group sorted by name."""

    rights: tuple[Implementation, ...]
    mutants: tuple[Implementation, ...]


def read(folder: Path, *, contract: str, entry: str) -> Catalogue:
    """Reads the catalogue of a contract; imports none of its files.

    Args:
        folder: holds `right/` and `mutants/`, one Python file for each implementation; a missing one counts as empty.
        contract: the name of the contract that they implement.
        entry: the module-level name in each file that is judged: a function, or a subject as data.

    Raises:
        ValueError: if a file is no Python, or holds metadata that are not of this form.
    """
    return Catalogue(*(tuple(_files(folder / kind, contract, entry)) for kind in ("right", "mutants")))


def _files(folder: Path, contract: str, entry: str) -> Iterator[Implementation]:
    for path in sorted(folder.glob("*.py"), key=lambda path: path.stem):
        yield _read(path, contract, entry)


def _read(path: Path, contract: str, entry: str) -> Implementation:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"Expected a Python file but got path={str(path)!r}: {error}. Fix or remove it.") from error
    constants = dict(_constants(tree, path))
    return Implementation(
        name=path.stem,
        contract=contract,
        path=path,
        story=ast.get_docstring(tree) or "",
        catches=constants.get("CATCHES", ()),
        advice=constants.get("ADVICE", ()),
        min_flax=constants.get("MIN_FLAX"),
        below_flax=constants.get("BELOW_FLAX"),
        entry=entry,
        needs=constants.get("NEEDS", ()),
    )


def _constants(tree: ast.Module, path: Path) -> Iterator[tuple[str, Any]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in _IDS:
                yield name, _ids(name, node.value, path)
            elif name in _VERSIONS:
                yield name, _version(name, node.value, path)


def _ids(name: str, node: ast.expr, path: Path) -> tuple[str, ...]:
    value = _literal(node)
    if not isinstance(value, (tuple, list)) or not all(isinstance(one, str) for one in value):
        raise _misuse("a tuple of names", name, node, path, f'Write `{name} = ("{_IDS[name]}",)`.')
    return tuple(value)


def _version(name: str, node: ast.expr, path: Path) -> str:
    value = _literal(node)
    if not isinstance(value, str) or not re.match(r"\d", value):
        raise _misuse("a version of Flax in quotes", name, node, path, f'Write `{name} = "0.10.7"`.')
    return value


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _misuse(what: str, name: str, node: ast.expr, path: Path, fix: str) -> ValueError:
    return ValueError(f"Expected {what} but got {name}={ast.unparse(node)} in {path.name}, line {node.lineno}. {fix}")


def _release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; "0.12" comes before "0.12.0", and "rc1" is ignored."""
    match = re.match(r"\d+(\.\d+)*", version)
    if match is None:
        raise ValueError(
            f"Expected a version such as '0.12.8' but got version={version!r} "
            f"(type={type(version).__name__}). Pass flax.__version__."
        )
    return tuple(int(number) for number in match.group().split("."))
