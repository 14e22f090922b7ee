"""README and documentation: every command and code block is run, and what the pages show is what is printed."""

from __future__ import annotations

import ast
import importlib.util
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import flax
import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Check
from nnx_conformance.core.current import current_check

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.skipif(not (DOCS / "blocks.py").exists(), reason="the tests run without the checkout")
printed_on = pytest.mark.skipif(flax.__version__ != "0.12.8", reason="the pages were printed on Flax 0.12.8")

PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"_build", "checks"} & set(path.parts))


def tool(name: str) -> ModuleType:
    """A module of `docs/`, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def check_id(check: Check) -> str:
    return check.id


@pytest.mark.slow
@printed_on
@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=named)
def test_every_command_and_code_block_runs_and_prints_what_the_page_says(page: Path) -> None:
    blocks, text = tool("blocks"), page.read_text()
    missing = [module for module in blocks.needs(text) if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"the page is about {missing[0]}, which this kit does not have")

    for ran in blocks.run(text):
        if ran.command is None:
            assert ran.status == 0, ran.printed
        else:
            assert blocks.agrees(ran.command.printed, ran.printed), f"{ran.command.text}\n{ran.printed}"


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=named)
def test_commands_for_a_shell_are_those_that_continuous_integration_runs(page: Path) -> None:
    ci = (ROOT / ".ci" / "run").read_text()

    for block in tool("blocks").blocks(page.read_text()):
        if block.language == "sh":
            command = " ".join(block.content.replace("\\\n", " ").split())
            assert f'"{command}"' in ci


@pytest.mark.parametrize("name", sorted(contracts.names()))
def test_each_check_has_a_page_that_shows_a_mutant(name: str) -> None:
    pages, contract = tool("check_pages"), contracts.get(name)

    index = pages.index(contract)
    for check in contract.checks:
        assert f"| [`{check.id}`]({check.id}.md) | {check.level} | {check.requirement} |" in index
        mutant = pages.shown(name, check)
        assert mutant is None or check.id in mutant.catches


@pytest.mark.slow
def test_the_page_of_a_check_shows_what_is_printed() -> None:
    check = contracts.get("mutability").check("wrapper-kept")
    text = tool("check_pages").page("mutability", check)

    for part in (check.requirement, check.remedy, check.wrong, check.right):
        assert part in text
    assert ":emphasize-lines: 11\n" in text
    assert "solution.py:11   self.count = self.count + 1.0" in text
    assert "CATCHES" not in text


@pytest.mark.parametrize(
    "check", [check for name in contracts.names() for check in contracts.get(name).checks], ids=check_id
)
def test_the_wrong_and_the_right_code_of_a_check_is_python(check: Check) -> None:
    assert current_check(check, "0.12.8").wrong != current_check(check, "0.12.8").right
    for code in (check.wrong, check.right):
        headed = code.splitlines()[-1].endswith(":")  # a loop or function whose body is left out
        ast.parse("def around():\n" + textwrap.indent(f"{code}\n{'    ' * headed}...", "    "))


def test_a_page_that_says_something_else_than_is_printed_is_found() -> None:
    blocks = tool("blocks")
    page = "```console\n$ echo one; false\none\n$ echo $?\n{status}\n```\n"

    def agreements(text: str) -> list[bool]:
        return [blocks.agrees(ran.command.printed, ran.printed) for ran in blocks.run(text)]

    assert agreements(page.format(status="1")) == [True, True]
    assert agreements(page.format(status="0")) == [True, False]
    assert agreements("```console\n$ seq 3\n1\n...\n3\n```\n") == [True]
    assert agreements("```console\n$ seq 3\n1\n...\n4\n```\n") == [False]
    assert agreements("```console\n$ echo told\n```\n") == [False]


def test_a_script_that_fails_is_found() -> None:
    assert [ran.status for ran in tool("blocks").run("```python\nassert False\n```\n")] == [1]


def test_refreshing_a_page_writes_what_is_printed() -> None:
    page = "text\n\n```console\n$ echo one\ntwo\n$ true\n```\n\nmore\n"

    assert tool("blocks").refreshed(page) == page.replace("two", "one")
