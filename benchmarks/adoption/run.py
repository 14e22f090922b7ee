"""Tries `adopt` on what others wrote: public packages, each in an environment of its own; a row of a table for each.

`python benchmarks/adoption/run.py jraphx qwix` tries these; without names, all that `packages.toml` lists. A package is
installed by its name and version from the package index, with the kit of this checkout beside it. What runs is a script
of `scripts/`, tests that the wheel ships, or files of the source distribution. All output is kept below `--folder`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COUNTS = re.compile(r"(\d+) class(?:es)? recorded, (\d+) adopted, ")
SUBJECT = re.compile(r"(\S+)  (?:conforms|does not conform|could not be judged)")
FINDING = re.compile(r"  ([a-z0-9-]+)  (MUST|SHOULD|MAY)  violated on ")
TITLE = "| package | version | Flax | classes | adopted | findings | true | false | seconds |"


def main() -> None:
    """Try the packages that the command line names."""
    packages = tomllib.loads((HERE / "packages.toml").read_text())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of packages; all if none is given")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "nnx-adoption"))
    parser.add_argument("--max-examples", default="16")
    options = parser.parse_args()
    if unknown := set(options.names) - set(packages):
        parser.error(f"{', '.join(sorted(unknown))}: not in packages.toml, which lists {', '.join(packages)}")
    print(TITLE, "| --- " * TITLE.count(" | ") + "| --- |", sep="\n", flush=True)
    for name in options.names or packages:
        print(row(name, packages[name], options.folder / name, options.max_examples), flush=True)


def row(name: str, package: dict[str, Any], folder: Path, examples: str) -> str:
    """One row: what `adopt` recorded, adopted and found, and what people said of each finding."""
    python = environment(name, package, folder / "environment")
    started = time.monotonic()
    output = "".join(adopted(each, python, folder, examples) for each in runs(name, package, python, folder))
    seconds = time.monotonic() - started
    (folder / "output.txt").write_text(output)
    seen = [sum(map(int, column)) for column in zip(*COUNTS.findall(output), strict=True)] or [0, 0]
    found = list(findings(output))
    said = Counter(package.get("verdicts", {}).get(finding, "unchecked") for finding in found)
    for finding in found:
        print(f"{name}: {finding}", file=sys.stderr)
    flax = subprocess.check_output([python, "-c", "import flax; print(flax.__version__)"], text=True).strip()
    cells = [name, package["version"], flax, *seen, len(found), said["true"], said["false"], round(seconds)]
    return f"| {' | '.join(map(str, cells))} |" + (f" {said['unchecked']} unchecked" if said["unchecked"] else "")


def environment(name: str, package: dict[str, Any], folder: Path) -> Path:
    """The interpreter of an environment that holds the package, what it needs and the kit."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", "-p", package.get("python", "3.11"), folder], check=True)
    wanted = [
        "pip",
        f"{name}=={package['version']}",
        *package.get("with", []),
        f"nnx-conformance[test] @ {ROOT.as_uri()}",
    ]
    install = ["uv", "pip", "install", "-q", "--reinstall-package", "nnx-conformance", "-p", str(python)]
    subprocess.run([*install, *wanted], check=True)
    return python


def runs(name: str, package: dict[str, Any], python: Path, folder: Path) -> Iterator[tuple[list[str], Path]]:
    """The arguments of `adopt`, and where it runs, for all that a package lists."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    if script := package.get("script"):
        yield ["--run", str(HERE / "scripts" / script)], work
    if tests := package.get("installed-tests"):
        yield ["--pyargs", *tests, "-q", "-p", "no:cacheprovider"], work
    if "source-tests" in package or "source-scripts" in package:
        source = unpacked(name, package["version"], python, folder / "source")
        if tests := package.get("source-tests"):
            yield [*tests, "-q", "-p", "no:cacheprovider"], source
        for each in package.get("source-scripts", []):
            yield ["--run", each], source


def unpacked(name: str, version: str, python: Path, folder: Path) -> Path:
    """The source distribution of a package, unpacked."""
    command = [str(python), "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, "-d", str(folder)]
    if not folder.exists():
        subprocess.run([*command, f"{name}=={version}"], check=True)
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def adopted(run: tuple[list[str], Path], python: Path, folder: Path, examples: str) -> str:
    """What `adopt` printed."""
    arguments, place = run
    command = [str(python.parent / "nnx-conformance"), "adopt", "--max-examples", examples, *arguments]
    settings = {**os.environ, "JAX_PLATFORMS": "cpu", "PATH": f"{python.parent}:{os.environ['PATH']}"}
    with (folder / "errors.txt").open("a") as errors:
        done = subprocess.run(command, cwd=place, env=settings, stdout=subprocess.PIPE, stderr=errors, text=True)
    output: str = done.stdout
    if not COUNTS.search(output):
        sys.exit(f"`adopt {' '.join(arguments)}` came to no end: see {folder / 'errors.txt'}")
    return output


def findings(output: str) -> Iterator[str]:
    """The root findings, as `package.Class check`."""
    subject = ""
    for line in output.splitlines():
        if headed := SUBJECT.fullmatch(line):
            subject = headed[1]
        elif found := FINDING.match(line):
            yield f"{subject} {found[1]}"


if __name__ == "__main__":
    main()
