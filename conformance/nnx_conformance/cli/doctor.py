"""`nnx-conformance doctor`: tries which jail this host allows, and says how to get a stronger one."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnx_conformance.core import contracts
from nnx_conformance.core.errors import KitError
from nnx_conformance.grading.run import cores
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox import isolation, processor
from nnx_conformance.sandbox.jail import LEVELS, Jail, Level

PACKAGES = ("nnx-conformance", "flax", "jax", "jaxlib", "hypothesis", "chex", "numpy")
EXTRAS = {"ray": "grading on a cluster: pip install 'nnx-conformance[ray]'"}
TRIAL_SECONDS = 60
PROCESSOR = (
    "time limits count the processor time of a candidate's own processes, whatever else runs; a candidate that sleeps "
    f"ends after {Limits().wall:g} times as long"
)
WALL = (
    f"time limits count wall-clock time, {Limits().wall:g} times as long: this host does not report the processor time "
    "of other processes"
)
WAYS = {
    "limits": "Grade on Linux, in a virtual machine or a container if need be.",
    "Landlock": "Use Linux 5.13 or later whose boot options name `landlock` among `lsm=`; gVisor has none.",
    "seccomp": "Use a machine of x86_64 or aarch64.",
    "namespaces": "Allow user namespaces: `sysctl user.max_user_namespaces=15000`, on Ubuntu also "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container, run it with a seccomp profile that "
    "permits `unshare`. Without them the sandbox has no file system of its own for temporary files.",
}


@click.command()
def doctor() -> None:
    """Show versions, contracts and the jail of this host."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(Text("versions", "bold"))
    console.print(f"  Python {platform.python_version()} on {platform.platform()}, {cores()} cores")
    console.print(f"  {', '.join(f'{name} {_version(name)}' for name in PACKAGES)}")
    for name, purpose in EXTRAS.items():
        console.print(f"  {name} {_version(name)}" if find_spec(name) else f"  {name} is not installed; {purpose}")
    _contracts(console)
    obtained = isolation.obtain(Jail())
    trials = {level: _trial(level) for level in LEVELS[: LEVELS.index(obtained.level) + 1]}
    _isolation(trials, console)
    console.print(Text("limits", "bold"))
    console.print(f"  {PROCESSOR if processor.known() else WALL}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "is missing"


def _contracts(console: Console) -> None:
    console.print(Text("contracts", "bold"))
    for name in sorted(contracts.names()):
        contract = contracts.get(name)
        console.print(f"  {name} {contract.version}, {len(contract.checks)} checks")


def _trial(level: Level) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "nnx_conformance.sandbox.trial", level]
    with tempfile.TemporaryDirectory(prefix=isolation.PREFIX) as folder:  # removed even if the trial is interrupted
        environment = {**os.environ, "TMPDIR": folder}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TRIAL_SECONDS)
    try:
        return json.loads(done.stdout)  # type: ignore[no-any-return]
    except ValueError as error:
        raise KitError(f"The jail of level {level!r} could not be tried: {done.stderr.strip()[-2000:]}") from error


def _outcome(stopped: bool) -> Text:
    return Text("stopped", "green") if stopped else Text("possible", "yellow")


def _isolation(trials: dict[Level, dict[str, Any]], console: Console) -> None:
    console.print(Text("isolation, tried here", "bold"))
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("  a candidate that tries to")
    for level in trials:
        table.add_column(level)
    for what in trials["process"]["tried"]:
        table.add_row(f"  {what}", *(_outcome(trial["tried"].get(what, False)) for trial in trials.values()))
    console.print(table)
    strongest = list(trials)[-1]
    obtained = trials[strongest]["obtained"]
    parts = f" ({', '.join(obtained['parts'])})" if obtained["parts"] else ""
    console.print(f"  default: {strongest}{parts}")
    for name, reason in obtained["missing"].items():
        console.print(Text(f"  without {name}: {reason}. {WAYS[name]}", "yellow"))
