"""The shape of the kit: small modules, small folders, and one meaning for each class name."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import nnx_conformance

KIT = Path(nnx_conformance.__file__).parent
MODULES = sorted(KIT.rglob("*.py"))
LONGEST_MODULE = 300
MODULES_PER_FOLDER = 17


def test_no_two_classes_share_a_name() -> None:
    trees = (ast.parse(module.read_text(encoding="utf-8")) for module in MODULES)
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))

    assert [name for name, count in names.items() if count > 1] == []


def test_a_module_holds_at_most_300_lines() -> None:
    lines = {str(module.relative_to(KIT)): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}

    assert {module: count for module, count in lines.items() if count > LONGEST_MODULE} == {}


def test_a_folder_holds_at_most_17_modules() -> None:
    folders = Counter(str(module.parent.relative_to(KIT)) for module in MODULES if module.name != "__init__.py")

    assert {folder: count for folder, count in folders.items() if count > MODULES_PER_FOLDER} == {}
