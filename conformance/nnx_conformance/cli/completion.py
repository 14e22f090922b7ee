"""Shell completion: files, contracts, checks and formats for each argument and option.

An error here would land in the middle of somebody's command line, so what does not load is not offered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse
from nnx_conformance.project import tracks
from nnx_conformance.project.settings import find

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The files that the shell finds."""
    return [CompletionItem(incomplete, type="file")]


def contract_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The installed contracts."""
    return _beginning(contracts.names(), incomplete)


def track_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The installed tracks."""
    return _beginning(tracks.names(), incomplete)


def checks(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The checks of the contract that the command names, or that the settings do."""
    return _beginning(_ids([_contract(context.params)]), incomplete)


def every_check(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The checks of the contract that the command names, else those of all that are installed."""
    given = context.params.get("contract")
    return _beginning(_ids([given] if given else contracts.names()), incomplete)


def checks_and_contracts(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The checks and contracts that `explain` takes."""
    return [*every_check(context, parameter, incomplete), *_beginning(contracts.names(), incomplete)]


def one_of(*words: str) -> Complete:
    """A completion that offers these words."""
    return lambda _, __, incomplete: _beginning(words, incomplete)


def _beginning(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in sorted(set(words)) if word.startswith(incomplete)]


def _contract(given: dict[str, Any]) -> str:
    if named := given.get("contract"):
        return str(named)
    with contextlib.suppress(Misuse, OSError):
        return find(Path.cwd()).contract
    return "mutability"


def _ids(names: Iterable[str]) -> set[str]:
    found = set()
    for name in names:
        with contextlib.suppress(Misuse):
            found |= set(contracts.get(name).by_id)
    return found
