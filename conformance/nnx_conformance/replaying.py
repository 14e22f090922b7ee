"""`replay`: run a stored finding again, in a fresh process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nnx_conformance import contract as contracts
from nnx_conformance.asking import Asking
from nnx_conformance.case import Case
from nnx_conformance.contract import Blocked, Check, Judgement, NotApplicable, Violation
from nnx_conformance.errors import Misuse
from nnx_conformance.isolation.jail import ANY_JAIL, Jail
from nnx_conformance.loaded import Loaded, NotLoaded
from nnx_conformance.process import Clock, Limits, Process
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, Opener
from nnx_conformance.stored import Stored
from nnx_conformance.target import parse
from nnx_conformance.zygote import Zygote

#: A candidate that depends on what ran before, or on chance, is given this many tries to show it.
TRIES = 20

Outcome = Literal["still violated", "mended", "cannot be replayed"]


@dataclass(frozen=True)
class Replayed:
    """What became of a finding: the outcome, and why in one line."""

    outcome: Outcome
    why: str


def replay(stored: Stored, limits: Limits | None = None, jail: Jail = ANY_JAIL) -> Replayed:
    """Judge the stored case with its check again.

    Raises:
        Misuse: if its target, contract or check is not to be found any more.
    """
    limits = limits or Limits()
    contract = contracts.get(stored.contract)
    check = contract.check(stored.check)
    names = tuple(argument.name for argument in stored.case.arguments)
    if names != contract.parameters:
        raise Misuse(f"The stored case has arguments {names}, contract {contract.name!r} has {contract.parameters}.")
    with Zygote(jail) as zygote:
        target, clock = parse(stored.target), Clock(limits)

        def opener() -> Process:
            return Process(target, clock, zygote)

        process = opener()
        asking = Asking(contract, process, opener)
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            return _replayed(asking, process.loaded, check, stored)
        except Ended as ended:
            blamed = contract.fallback if stored.case.domain == "core" else stored.case.domain
            return Replayed("still violated" if check.id == blamed else "cannot be replayed", str(ended))
        finally:
            asking.close()


def _replayed(asking: Asking, loaded: Loaded | NotLoaded, check: Check, stored: Stored) -> Replayed:
    contract = asking.contract
    if isinstance(loaded, NotLoaded) and loaded.misuse:
        raise Misuse(loaded.reason)
    if isinstance(loaded, NotLoaded):
        return Replayed("cannot be replayed", f"the candidate does not load: {loaded.reason}")
    request = Request(stored.case, contract.observer.every_probe, contract.calls(stored.case))
    tries = TRIES if check.id == contract.history else 1
    return _tried(asking, check.judge, request, tries)


def _tried(asking: Asking, judge: contracts.Judge, request: Request, tries: int) -> Replayed:
    judged: Judgement = None
    for _ in range(tries):
        asking.submit(request)
        judged = judge(request.case, asking.collect())
        if isinstance(judged, Violation):
            return Replayed("still violated", judged.what)
    if isinstance(judged, Blocked):
        return Replayed("cannot be replayed", f"the case now breaks {judged.by} first")
    if isinstance(judged, NotApplicable):
        return Replayed("cannot be replayed", judged.reason)
    return Replayed("mended", "the case keeps the check now")


def still_violated(opener: Opener, contract_name: str, check_id: str, cases: Iterable[Case]) -> bool:
    """Whether a candidate breaks a check on any of these cases, where nothing ran before if that can be had."""
    contract = contracts.get(contract_name)
    known = [case for case in cases if tuple(argument.name for argument in case.arguments) == contract.parameters]
    if not known:
        return False
    session = opener()
    asking = Asking(contract, session, opener)
    try:
        session.load(contract.entry, contract.parameters, contract.observer)
        return any(_breaks(asking, contract.check(check_id), case) for case in known)
    finally:
        asking.close()


def _breaks(asking: Asking, check: Check, case: Case) -> bool:
    request = Request(case, asking.contract.observer.every_probe, asking.contract.calls(case))
    tries = TRIES if check.id == asking.contract.history else 1
    return any(isinstance(asking.judge(check, request), Violation) for _ in range(tries))
