"""Exit statuses: 0 conforms, 1 does not, 2 misuse, 3 the kit failed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from nnx_conformance.errors import KitError, Misuse

MISUSE, KIT_FAILED = 2, 3
NO_VERDICT = "this is no verdict on the candidate"


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Turn misuse into exit status 2, and a failure of the kit into 3, each with one message."""
    try:
        yield
    except Misuse as error:
        click.echo(f"nnx-conformance: {error}", err=True)
        sys.exit(MISUSE)
    except KitError as error:
        click.echo(f"nnx-conformance: the kit failed, {NO_VERDICT}. {error}", err=True)
        sys.exit(KIT_FAILED)
    except Exception:  # noqa: BLE001 - status 1 would say that the candidate does not conform
        click.echo(f"nnx-conformance: the kit failed, {NO_VERDICT}. {traceback.format_exc()}", err=True)
        sys.exit(KIT_FAILED)
