"""The files from which a new process continues a program: checkpoints, and the twin's history."""

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

#: The largest size of all checkpoints, in bytes.
MOST = 32 * 1024 * 1024
#: The files of the twin's history, and of the reasons why a form of checkpoint is missing.
TWIN, REFUSED = "twin.pickle", "refused.pickle"


def packed(module: Any, twin: Twin, shapes: str) -> tuple[File, ...]:
    """The module's checkpoints in every form that we can write, and the twin's history.

    Raises:
        ValueError: if they are larger than `MOST`.
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
    """Write a checkpoint; gives why there is none, or nothing. A library that cannot write it accuses nobody."""
    if reason := form.missing():
        return reason
    try:
        form.write(path, saved)
    except Exception as error:  # noqa: BLE001 - these are plain arrays; the module takes no part
        return f"it cannot write this state: {type(error).__name__}: {error}"[:200]
    return ""


@contextlib.contextmanager
def unpacked(files: tuple[File, ...]) -> Iterator[Path]:
    """A folder with the files of another process; the judge has checked that their paths stay inside."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            file.data.tofile(path)
        yield folder


def twin_of(files: tuple[File, ...]) -> tuple[History, str]:
    """The twin's history, and the shapes of its last input."""
    with unpacked(files) as folder:
        return pickle.loads((folder / TWIN).read_bytes())  # type: ignore[no-any-return]


def forms(folder: Path) -> tuple[Entry, ...]:
    """Each form of checkpoint, and why it is missing; empty text if it is there."""
    refused: dict[str, str] = pickle.loads((folder / REFUSED).read_bytes())
    return tuple(Entry(name, reason) for name, reason in refused.items())
