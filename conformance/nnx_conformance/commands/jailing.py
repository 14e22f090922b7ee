"""The options that tell what a candidate is kept to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import click

from nnx_conformance.errors import expected, suggestion
from nnx_conformance.isolation.jail import LEVELS, MIB, Jail, Level

LEAST_MIB, MOST_MIB = 512, 1024 * 1024


def jail_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--isolation`, `--memory` and `--pass-env` to a command."""
    options = (
        click.option(
            "--isolation", metavar=f"[{'|'.join(LEVELS)}]", help="How strictly; by default as the host allows."
        ),
        click.option(
            "--memory", default=2048, show_default=True, type=int, metavar="MIB", help="Data of one candidate."
        ),
        click.option("--pass-env", multiple=True, metavar="NAME", help="Let candidates see this variable, too."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def jail_of(isolation: str | None, memory: int, pass_env: tuple[str, ...]) -> Jail:
    """The jail that the options ask for.

    Raises:
        Misuse: if they mean none.
    """
    if not LEAST_MIB <= memory <= MOST_MIB:
        what = f"a number of MiB >= {LEAST_MIB} (JAX does not run with less) and <= {MOST_MIB}"
        raise expected(what, "--memory", memory, "Leave --memory out for 2048.")
    return Jail(level=_level(isolation), memory=memory * MIB, pass_env=pass_env)


def _level(isolation: str | None) -> Level | Literal[""]:
    if isolation is None:
        return ""
    for level in LEVELS:
        if isolation == level:
            return level
    raise expected("a level of isolation", "--isolation", isolation, suggestion(isolation, LEVELS))
