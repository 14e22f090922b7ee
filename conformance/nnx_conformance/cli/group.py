"""The command line."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import click

from nnx_conformance.cli.adopt import adopt
from nnx_conformance.cli.audit import audit
from nnx_conformance.cli.check import check
from nnx_conformance.cli.doctor import doctor
from nnx_conformance.cli.explain import explain, list_contracts
from nnx_conformance.cli.explore import explore
from nnx_conformance.cli.grading.grade import grade
from nnx_conformance.cli.grading.results import results
from nnx_conformance.cli.replay import replay
from nnx_conformance.cli.scaffolding.init import init
from nnx_conformance.cli.scaffolding.new_contract import new_contract
from nnx_conformance.cli.statuses import exit_statuses
from nnx_conformance.cli.watch import watch


class Commands(click.Group):
    """A group whose commands all end with the kit's exit statuses."""

    def invoke(self, ctx: click.Context) -> Any:
        with exit_statuses():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("nnx-conformance"), prog_name="nnx-conformance")
def cli() -> None:
    """Judge stateful Flax NNX code: which promise it breaks, with the smallest input that shows it.

    Exit status: 0 conforms; 1 does not conform; 2 misuse; 3 the kit failed; 130 interrupted, 143 terminated.
    """


JUDGING = (check, watch, adopt, explore, grade, results, audit, replay)
for command in (*JUDGING, init, new_contract, doctor, list_contracts, explain):
    cli.add_command(command)
