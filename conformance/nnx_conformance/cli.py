"""The command line."""

from __future__ import annotations

from importlib.metadata import version

import click

from nnx_conformance.commands.audit import audit
from nnx_conformance.commands.check import check
from nnx_conformance.commands.doctor import doctor
from nnx_conformance.commands.explore import explore
from nnx_conformance.commands.grade import grade
from nnx_conformance.commands.init import init
from nnx_conformance.commands.new_contract import new_contract
from nnx_conformance.commands.replay import replay
from nnx_conformance.commands.results import results
from nnx_conformance.commands.telling import explain, list_contracts


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("nnx-conformance"), prog_name="nnx-conformance")
def cli() -> None:
    """Judge stateful Flax NNX code: which promise it breaks, with the smallest input that shows it.

    Exit status: 0 conforms; 1 does not conform; 2 misuse; 3 the kit failed.
    """


for command in (check, explore, grade, results, audit, replay, init, new_contract, doctor, list_contracts, explain):
    cli.add_command(command)
