"""Tracks: contracts that belong together, as the exercises of a course do. A folder holds one solution for each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.report import Report, Settings

GROUP = "nnx_conformance.tracks"


@dataclass(frozen=True)
class Track:
    """A track, found by its name through an entry point of the group `nnx_conformance.tracks`.

    Attributes:
        name, title: what it is called, and what it is in one sentence.
        contracts: the names of its contracts, in the order in which they are judged.
    """

    name: str
    title: str
    contracts: tuple[str, ...]


@dataclass(frozen=True)
class Solution:
    """The file of a folder that solves one contract.

    Attributes:
        contract: by name.
        path: the file.
        exists: whether it is there.
        near: the name of a file that is there and was probably meant, where it is not.
    """

    contract: str
    path: str
    exists: bool
    near: str = ""


NNX = Track(
    "nnx",
    "The exercises on stateful NNX: mutation, functional split and merge, lifted transforms, a running mean.",
    ("mutability", "split-merge", "lifted", "running-mean"),
)


def names() -> dict[str, EntryPoint]:
    """The installed tracks, by name; nothing is imported yet."""
    return {point.name: point for point in entry_points(group=GROUP)}


def get(name: str) -> Track:
    """An installed track.

    Raises:
        Misuse: if there is none of that name, it does not load, or it names a contract that is not installed.
    """
    points = names()
    if name not in points:
        raise expected("the name of an installed track", "track", name, suggestion(name, points))
    track = points[name].load()
    if not isinstance(track, Track):
        raise expected("a Track at its entry point", name, track, f"Fix entry point {points[name].value!r}.")
    for contract in track.contracts:
        if contract not in contracts.names():
            fix = f"Track {name!r} needs it. {suggestion(contract, contracts.names())}"
            raise expected("the name of an installed contract", "contract", contract, fix)
    return track


def file_name(contract: str) -> str:
    """The file that solves a contract: `running_mean.py` for `running-mean`."""
    return contract.replace("-", "_") + ".py"


def solutions(track: Track, folder: str) -> tuple[Solution, ...]:
    """The files of a folder that a track asks for.

    Raises:
        Misuse: if it is no folder, or holds none of them.
    """
    place = Path(folder)
    wanted = ", ".join(map(file_name, track.contracts))
    if not place.is_dir():
        fix = f"Give the folder that holds {wanted}."
        raise expected(f"a folder of solutions for track {track.name!r}", "target", folder, fix)
    files = tuple(_solution(place, contract) for contract in track.contracts)
    if not any(file.exists for file in files):
        fix = f"Call the solutions {wanted}."
        raise expected(f"a folder that holds a solution for track {track.name!r}", "target", folder, fix)
    return files


def _solution(folder: Path, contract: str) -> Solution:
    path = folder / file_name(contract)
    if not path.is_file() and path.with_suffix(notebook.SUFFIX).is_file():
        path = path.with_suffix(notebook.SUFFIX)
    near = [other.name for other in sorted(folder.glob("*.py")) if _bare(other) == _bare(path) and other != path]
    return Solution(contract, str(path), path.is_file(), near[0] if near else "")


def _bare(path: Path) -> str:
    return "".join(char for char in path.stem.lower() if char.isalnum())


def missing(solution: Solution, settings: Settings) -> Report:
    """The report of a missing solution: it does not conform."""
    from nnx_conformance.judging.verdict import Header, not_loaded

    contract = contracts.get(solution.contract)
    cause = f"{solution.near} is there, which is another name" if solution.near else "the track asks for it"
    remedy = f"Rename {solution.near}." if solution.near else f"Write it; `nnx-conformance contracts {contract.name}`."
    header = Header(solution.path, contract, settings)
    return not_loaded(header, NotLoaded(False, "there is no such file", cause), remedy=remedy)
