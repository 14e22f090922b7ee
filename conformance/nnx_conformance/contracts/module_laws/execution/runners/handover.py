"""What a process hands over to the next one in the middle of a program: checkpoints, and what its twin had done."""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import Entry
from nnx_conformance.contracts.module_laws.execution.harness import History, Twin
from nnx_conformance.contracts.module_laws.execution.runners import checkpoints
from nnx_conformance.core.plan import File

#: No more bytes of checkpoints are handed on.
MOST = 32 * 1024 * 1024
#: What the twin had done, by which the next process brings its own to the same point.
TWIN, REFUSED = "twin.pickle", "refused.pickle"


def packed(module: Any, twin: Twin, shapes: str) -> tuple[File, ...]:
    """Checkpoints of a module in every form that can be had, written to disk, and what its twin had done.

    Raises:
        ValueError: if that is too much.
    """
    saved = checkpoints.arrays(module)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refused = {form.name: _written(form, folder / form.name, saved) for form in checkpoints.FORMS}
        (folder / REFUSED).write_bytes(pickle.dumps(refused))
        (folder / TWIN).write_bytes(pickle.dumps((twin.history, shapes)))
        written = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        if sum(path.stat().st_size for path in written) > MOST:
            raise ValueError(f"its checkpoints take more than {MOST // 1024**2} MiB")
        return tuple(File(str(path.relative_to(folder)), np.fromfile(path, np.uint8)) for path in written)


def _written(form: checkpoints.CheckpointForm, path: Path, saved: checkpoints.Arrays) -> str:
    """Why there is no checkpoint of a form; empty if there is. A library that cannot write it accuses nobody."""
    if reason := form.missing():
        return reason
    try:
        form.write(path, saved)
    except Exception as error:  # noqa: BLE001 - by now these are plain arrays, and the module has no part in it
        return f"it cannot write this state: {type(error).__name__}: {error}"[:200]
    return ""


@contextlib.contextmanager
def unpacked(files: tuple[File, ...]) -> Iterator[Path]:
    """A folder with the files of another process; the judge has made sure that none lies outside."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            file.data.tofile(path)
        yield folder


def twin_of(files: tuple[File, ...]) -> tuple[History, str]:
    """What the twin had done, and the shapes of its last input."""
    with unpacked(files) as folder:
        return pickle.loads((folder / TWIN).read_bytes())  # type: ignore[no-any-return]


def forms(folder: Path) -> tuple[Entry, ...]:
    """Each form of checkpoint, and why there is none; empty text if there is."""
    refused: dict[str, str] = pickle.loads((folder / REFUSED).read_bytes())
    return tuple(Entry(name, reason) for name, reason in refused.items())
