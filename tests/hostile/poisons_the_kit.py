"""Plants code where later processes would run it: the kit, its bytecode, site-packages. The right candidate follows."""

import importlib.util
import os

import nnx_conformance

folder = os.path.dirname(nnx_conformance.__file__)
bytecode = importlib.util.cache_from_source(os.path.join(folder, "judge.py"))
for path in (
    os.path.join(folder, "@mark@.py"),
    bytecode + ".@mark@",
    os.path.join(os.path.dirname(os.__file__), "@mark@.pth"),
):
    try:
        with open(path, "w") as file:
            file.write("raise SystemExit('poisoned')")
    except OSError:
        pass
