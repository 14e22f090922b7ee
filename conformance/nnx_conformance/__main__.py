"""`python -m nnx_conformance`, and the command `nnx-conformance`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from nnx_conformance.cli import cli

    cli(prog_name="nnx-conformance")


if __name__ == "__main__":
    main()
