"""The catalogue of implementations: what each file does, and which checks must catch it.

An implementation is a file of its own, as its author would hand it in. Its docstring tells the
story and literal constants tell the rest; both are read with `ast`, because listing the catalogue
must import neither JAX nor a wrong implementation.
"""

import ast
import functools
import importlib.util
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_FUNCTIONS = {"mutability": "mutability_increment_count"}
_LISTS = ("CATCHES", "ADVICE")
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
    """

    name: str
    contract: str
    path: Path
    story: str
    catches: tuple[str, ...]
    advice: tuple[str, ...]
    min_flax: str | None
    below_flax: str | None

    def applies_to(self, flax_version: str) -> bool:
        """Tells whether the implementation has its meaning on this Flax, such as "0.12.8"."""
        version = _release(flax_version)
        if self.min_flax is not None and version < _release(self.min_flax):
            return False
        return self.below_flax is None or version < _release(self.below_flax)

    def load(self) -> Callable[..., Any]:
        """Imports the file as a new module and returns its function; two loads share no globals."""
        module_name = f"_nnx_reference_{self.contract}_{self.name}_{next(_fresh_numbers)}"
        spec = importlib.util.spec_from_file_location(module_name, self.path)
        if spec is None or spec.loader is None:
            raise ImportError(f"Expected a Python file but got path={str(self.path)!r}.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        function: Callable[..., Any] = getattr(module, _FUNCTIONS[self.contract])
        return function


def rights(contract: str = "mutability") -> tuple[Implementation, ...]:
    """Returns the right implementations of a contract, sorted by name."""
    return _implementations(contract, "right")


def mutants(contract: str = "mutability") -> tuple[Implementation, ...]:
    """Returns the wrong implementations of a contract, sorted by name."""
    return _implementations(contract, "mutants")


@functools.cache
def _implementations(contract: str, kind: str) -> tuple[Implementation, ...]:
    if contract not in _FUNCTIONS:
        known = ", ".join(sorted(_FUNCTIONS))
        raise ValueError(
            f"Expected a contract with reference implementations but got contract={contract!r} "
            f"(type={type(contract).__name__}). Known: {known}."
        )
    paths = sorted((_FOLDER / contract / kind).glob("*.py"), key=lambda path: path.stem)
    return tuple(_read(path, contract) for path in paths)


def _read(path: Path, contract: str) -> Implementation:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    constants = _literal_constants(tree)
    return Implementation(
        name=path.stem,
        contract=contract,
        path=path,
        story=ast.get_docstring(tree) or "",
        catches=tuple(constants.get("CATCHES", ())),
        advice=tuple(constants.get("ADVICE", ())),
        min_flax=constants.get("MIN_FLAX"),
        below_flax=constants.get("BELOW_FLAX"),
    )


def _literal_constants(tree: ast.Module) -> dict[str, Any]:
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in _LISTS or name in _VERSIONS:
                constants[name] = ast.literal_eval(node.value)
    return constants


def _release(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; "0.12" comes before "0.12.0", and "rc1" is ignored."""
    match = re.match(r"\d+(\.\d+)*", version)
    if match is None:
        raise ValueError(
            f"Expected a version such as '0.12.8' but got version={version!r} "
            f"(type={type(version).__name__}). Pass flax.__version__."
        )
    return tuple(int(number) for number in match.group().split("."))
