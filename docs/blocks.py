"""The fenced blocks of a page, run as a reader would: files are written, commands run, and what they print is compared.

Three kinds of blocks do something:

- a code block with a caption, or below a comment `<!-- file: NAME -->`, is written to the file of that name;
- a `python` block without a name is run as a script;
- a `console` block holds commands, each after `$ `, and what they print. A line `...` stands for any lines.

A comment `<!-- run: COMMAND -->` is run too, and not shown: it stands for what a page leaves to the reader.

All of a page run in one folder and one shell. `python docs/blocks.py PAGE...` runs pages and writes what was really
printed into them; the tests compare.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: What differs from run to run: versions, and seconds.
VOLATILE = (
    (r"Flax \S+, JAX \S+, Python \S+; [\d.]+ s", "Flax ?, JAX ?, Python ?; ? s"),
    (r"\b[\d.]+ ?s\b( \(\d+:\d+:\d+\))?", "? s"),
    (r"\b\d+ a minute\b", "? a minute"),
)
SLOWEST = re.compile(r"(?:^ +[\d.]+ s  .*\n){2,}", re.MULTILINE)
END = "=== end of command, status"
CAPTION = re.compile(r"^:caption: *(\S+)\n", re.MULTILINE)
NAMED = re.compile(r"<!-- file: (\S+) -->")
RUN = re.compile(r"<!-- run: (.+?) -->")
NEEDS = re.compile(r"<!-- needs: (\S+) -->")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, content, the file it is named after, and the lines it stands on, from 0."""

    language: str
    content: str
    file: str
    first: int
    last: int


@dataclass(frozen=True)
class Command:
    """A command and what the page says that it prints."""

    text: str
    printed: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page's text."""
    found, comment = [], ""
    for token in MarkdownIt().parse(page):
        if token.type == "fence":
            found.append(_block(token, comment))
        comment = token.content if token.type == "html_block" else ""
        if token.map and (hidden := "\n".join(RUN.findall(comment))):
            found.append(Block("hidden", hidden, "", *token.map))
    return found


def _block(token: Token, comment: str) -> Block:
    language, content = token.info.strip(), token.content
    named = NAMED.search(comment)
    file = named.group(1) if named else ""
    if language.startswith("{code-block}"):
        language = language.removeprefix("{code-block}").strip()
        if caption := CAPTION.search(content):
            file = caption.group(1)
            content = content.replace(caption.group(0), "", 1).lstrip("\n")
    assert token.map is not None
    return Block(language, content, file, *token.map)


def needs(page: str) -> list[str]:
    """The modules without which a page cannot be run."""
    return NEEDS.findall(page)


def commands(block: Block) -> list[Command]:
    """The commands of a console block."""
    found = []
    for part in re.split(r"^\$ ", block.content, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        count = next(number for number, line in enumerate(lines, start=1) if not line.endswith("\\"))
        found.append(Command("\n".join(lines[:count]), "\n".join(lines[count:])))
    return found


def _script(found: list[Block]) -> Iterator[str]:
    for number, block in enumerate(found):
        if block.file:
            folder = os.path.dirname(block.file)
            yield f"mkdir -p {folder}" if folder else ":"
            yield f"cat > {block.file} <<'END_OF_FILE'\n{block.content.rstrip()}\nEND_OF_FILE"
        elif block.language == "hidden":
            yield block.content
        elif block.language == "python":
            yield f"cat > block_{number}.py <<'END_OF_FILE'\n{block.content.rstrip()}\nEND_OF_FILE"
            yield f"python block_{number}.py\nstatus=$?\nrm block_{number}.py\n{_end()}"
        elif block.language == "console":
            for command in commands(block):
                yield f"(exit $status)\n{command.text}\nstatus=$?\n{_end()}"


def _end() -> str:
    return f"printf '\\n{END} %s\\n' $status"


@dataclass(frozen=True)
class Ran:
    """What a step of a page came to: the block, the command (empty for a script), what was printed, and the status."""

    block: Block
    command: Command | None
    printed: str
    status: int


def run(page: str) -> list[Ran]:
    """Run all blocks of a page, in a folder that is thrown away."""
    found = blocks(page)
    steps = list(_steps(found))
    bin_folder = str(Path(sys.executable).parent)
    changed = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80", "JAX_PLATFORMS": "cpu"}
    environment = {**os.environ, **changed}
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS", "FORCE_COLOR"):
        environment.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "page"
        place.mkdir()
        script = "status=0\n" + "\n".join(_script(found)) + "\n"
        (Path(folder) / "script").write_text(script)
        told = subprocess.run(
            ["bash", "../script"],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    parts = re.split(rf"\n{END} (\d+)\n", told.stdout.replace(str(place), "/home/you/project"))
    outputs, statuses = parts[:-1:2], list(map(int, parts[1::2]))
    return [Ran(*step, *came) for step, came in zip(steps, zip(outputs, statuses, strict=True), strict=True)]


def _steps(found: list[Block]) -> Iterator[tuple[Block, Command | None]]:
    for block in found:
        if not block.file and block.language == "python":
            yield block, None
        elif not block.file and block.language == "console":
            yield from ((block, command) for command in commands(block))


def agrees(said: str, printed: str) -> bool:
    """Whether a page says what was printed, but for what differs from run to run."""
    parts = re.split(r"^\.\.\.$", said, flags=re.MULTILINE)
    return re.fullmatch(".*".join(re.escape(_steady(part)) for part in parts), _steady(printed), re.DOTALL) is not None


def _steady(text: str) -> str:
    """A text in one line, without what differs from run to run.

    A list of what took longest, the seconds first, is in any order.
    """
    text = SLOWEST.sub(lambda rows: "".join(sorted(rows[0].splitlines(keepends=True), key=_without_seconds)), text)
    text = " ".join(text.split())
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text.strip()


def _without_seconds(row: str) -> str:
    return row.split(" s ", 1)[1]


def refreshed(page: str) -> str:
    """The page with what its commands really print."""
    lines = page.splitlines()
    by_block: dict[Block, list[Ran]] = {}
    for ran in run(page):
        if ran.command:
            by_block.setdefault(ran.block, []).append(ran)
    for block in sorted(by_block, key=lambda block: -block.first):
        new = [line for ran in by_block[block] for line in _told(ran)]
        lines[block.first + 1 : block.last - 1] = new
    return "\n".join(lines) + "\n"


def _told(ran: Ran) -> list[str]:
    assert ran.command is not None
    keep = ran.command.printed and agrees(ran.command.printed, ran.printed)
    printed = ran.command.printed if keep else ran.printed
    return [f"$ {ran.command.text}", *map(str.rstrip, printed.rstrip().splitlines())]


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument)
        path.write_text(refreshed(path.read_text()))
