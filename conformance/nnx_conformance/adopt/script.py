"""Runs a script as `python SCRIPT` does, and records what it makes and calls.

`python -m nnx_conformance.adopt.script RECORDED PACKAGE SCRIPT ARGUMENT...` ends as the script does.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from nnx_conformance.adopt import records
from nnx_conformance.adopt.recorder import Recorder


def main() -> None:
    """Run the script that the command line names."""
    recorded, package, script, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    recorder = Recorder(package)
    try:
        with recorder.recording():
            runpy.run_path(script, run_name="__main__")
    finally:
        records.save(recorder.session, Path(recorded))


if __name__ == "__main__":
    main()
