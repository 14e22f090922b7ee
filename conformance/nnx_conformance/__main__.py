"""`python -m nnx_conformance`, and the command `nnx-conformance`."""

from __future__ import annotations

import sys

from nnx_conformance.cli import ending


def main() -> None:
    """Run the command line."""
    ending.end_on_signals()
    ending.guard_screens()
    try:
        from nnx_conformance.cli.group import cli

        cli(prog_name="nnx-conformance")
    except KeyboardInterrupt as stopped:  # while commands were imported, or afterwards
        sys.exit(ending.status(stopped))


if __name__ == "__main__":
    main()
