"""Whether `grade` comes to the same verdicts in two tiers as on all cases: for every implementation of a contract.

Judges all that is written by hand, right and wrong, both ways, and lists each whose verdict differs; the status is 1
if one does. Statuses may differ where verdicts do not: who crashes on a late case only is done before that.
Run: python benchmarks/two_tiers.py [CONTRACT] [--every N] [--jobs N]
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from contextlib import closing
from importlib.metadata import version

from nnx_conformance.audit.catalogue import catalogue
from nnx_conformance.audit.specimens import by_hand
from nnx_conformance.core import contracts
from nnx_conformance.core.report import Settings
from nnx_conformance.grading import local
from nnx_conformance.grading.first_tier import first_tier
from nnx_conformance.grading.run import compilations, cores, settled
from nnx_conformance.grading.source import Listed
from nnx_conformance.grading.tasks import GradingPlan, Task
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail


def main() -> None:
    """Judge both ways and compare."""
    parser = argparse.ArgumentParser(description="Compare the verdicts of `grade` and `grade --complete`.")
    parser.add_argument("contract", nargs="?", default="mutability", help="whose implementations (default: mutability)")
    parser.add_argument("--every", type=int, default=1, help="judge one of so many (default: 1)")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes at a time (default: all cores)")
    options = parser.parse_args()
    if min(options.every, options.jobs) < 1:
        parser.error("Expected whole numbers >= 1. Leave the options out for 1 and all cores.")
    contract = contracts.get(options.contract)
    specimens = list(by_hand(catalogue(contract), version("flax")))[:: options.every]
    tasks = [Task(specimen.name, specimen.name, specimen.source) for specimen in specimens]
    jail = settled(Jail(reads="libraries"))
    plan = GradingPlan(contract.name, contract.version, Settings(shrink=False), Limits(), jail)
    two_tiers = dataclasses.replace(plan, tier=first_tier(contract))
    complete, early = (verdicts(tasks, each, options.jobs) for each in (plan, two_tiers))
    different = [name for name in complete if complete[name] != early[name]]
    for name in different:
        print(f"{name}: {complete[name]} on all cases, {early[name]} in two tiers")
    print(f"{contract.name}: {len(tasks)} implementations, {len(different)} verdicts differ")
    sys.exit(bool(different))


def verdicts(tasks: list[Task], plan: GradingPlan, jobs: int) -> dict[str, str]:
    """The verdict on each, by name; where the kit failed, what it failed with."""
    with compilations(plan) as cache:
        grades = local.run(Listed(tasks), dataclasses.replace(plan, cache=cache), jobs)
        with closing(grades):
            return {grade.key: grade.report.verdict if grade.report else grade.reason for grade in grades}


if __name__ == "__main__":
    main()
