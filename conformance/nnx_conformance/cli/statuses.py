"""The exit statuses of all commands: 0 conforms, 1 does not, 2 misuse, 3 the kit failed; 128 and more for a signal."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from nnx_conformance.cli import ending
from nnx_conformance.core.errors import KitError, Misuse

MISUSE, KIT_FAILED = 2, 3
NO_VERDICT = "this is no verdict on the candidate"
#: What a file system refuses, whatever the kit does.
REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Turn misuse and errors of the system into exit status 2, a failure of the kit into 3, each with one message."""
    try:
        _somewhere()
        yield
    except KeyboardInterrupt as stopped:
        sys.exit(ending.status(stopped))
    except click.Abort:  # an interrupted prompt, or one whose input ended
        sys.exit(ending.status(KeyboardInterrupt()))
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:  # noqa: BLE001 - status 1 would say that the candidate does not conform
        status, text = explained(error)
        click.echo(f"nnx-conformance: {text}", err=True)
        sys.exit(status)


def explained(error: Exception) -> tuple[int, str]:
    """The exit status of an error, and its message."""
    if isinstance(error, Misuse):
        return MISUSE, str(error)
    if isinstance(error, OSError) and (refusal := _refusal(error)):
        return MISUSE, refusal
    said = str(error) if isinstance(error, KitError) else traceback.format_exc()
    return KIT_FAILED, f"the kit failed, {NO_VERDICT}. {said}"


def _somewhere() -> None:
    """Raise `Misuse` if the current folder is gone, before each relative path fails in its own way."""
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise Misuse("The current folder no longer exists. Change into one that does, `cd`.") from error


def _refusal(error: OSError) -> str:
    """An error of the file system in one line; empty for any other error."""
    try:
        _somewhere()
        tempfile.gettempdir()
    except Misuse as gone:
        return str(gone)
    except FileNotFoundError as nowhere:
        return f"There is no folder for temporary files: {nowhere.strerror}. Name one that can be written by TMPDIR."
    if error.errno not in REFUSALS:
        return ""
    where = f"{os.fsdecode(error.filename)} cannot be used" if error.filename is not None else "cannot write"
    return f"{where}: {error.strerror}."
