"""`replay`: run a stored finding again, in a fresh process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.loaded import End, Loaded, NotLoaded
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Blocked, Check, Judgement, NotApplicable, Violation, judgement
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.plan import Request
from nnx_conformance.judging.client import Client
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.session import Ended, Opener
from nnx_conformance.project.stored_findings import StoredFinding
from nnx_conformance.sandbox.jail import ANY_JAIL, Jail

#: A candidate that depends on what ran before, or on chance, is given this many tries to show it.
TRIES = 20

ReplayStatus = Literal["still violated", "fixed", "cannot be replayed"]


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay, and why, in one line."""

    outcome: ReplayStatus
    why: str


def replay(stored: StoredFinding, limits: Limits | None = None, jail: Jail = ANY_JAIL) -> Replayed:
    """Judge the stored case with its check again.

    Raises:
        Misuse: if its target, contract or check no longer exists.
    """
    limits = limits or Limits()
    contract = contracts.get(stored.contract)
    check = contract.check(stored.check)
    names = tuple(argument.name for argument in stored.case.arguments)
    if names != contract.parameters:
        raise Misuse(f"The stored case has arguments {names}, contract {contract.name!r} has {contract.parameters}.")
    with ForkServer(jail) as fork_server:
        target, clock = parse(stored.target), Clock(limits)

        def opener() -> Process:
            return Process(target, clock, fork_server)

        process = opener()
        client = Client(contract, process, opener)
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            return _replayed(client, process.loaded, check, stored)
        except Ended as ended:
            blamed = contract.fallback if stored.case.domain == "core" else stored.case.domain
            broken = check.id == blamed and ended.end is not End.TIMED_OUT
            return Replayed("still violated" if broken else "cannot be replayed", str(ended))
        finally:
            client.close()


def _replayed(client: Client, loaded: Loaded | NotLoaded, check: Check, stored: StoredFinding) -> Replayed:
    contract = client.contract
    if isinstance(loaded, NotLoaded) and loaded.misuse:
        raise Misuse(loaded.reason)
    if isinstance(loaded, NotLoaded):
        return Replayed("cannot be replayed", f"the candidate does not load: {loaded.reason}")
    request = Request(stored.case, contract.observer.everything, contract.calls(stored.case))
    tries = TRIES if check.id == contract.history else 1
    return _tried(client, check, request, tries)


def _tried(client: Client, check: Check, request: Request, tries: int) -> Replayed:
    judged: Judgement = None
    for _ in range(tries):
        client.submit(request)
        judged = judgement(check, request.case, client.contract.read(request.case, client.collect()))
        if isinstance(judged, Violation):
            return Replayed("still violated", judged.what)
    if isinstance(judged, Blocked):
        return Replayed("cannot be replayed", f"the case now breaks {judged.by} first")
    if isinstance(judged, NotApplicable):
        return Replayed("cannot be replayed", judged.reason)
    return Replayed("fixed", "the case passes the check now")


def still_violated(opener: Opener, contract_name: str, check_id: str, cases: Iterable[Case]) -> bool:
    """Whether a candidate breaks a check on any of these cases, where nothing ran before if that can be had."""
    contract = contracts.get(contract_name)
    known = [case for case in cases if tuple(argument.name for argument in case.arguments) == contract.parameters]
    if not known:
        return False
    session = opener()
    client = Client(contract, session, opener)
    try:
        session.load(contract.entry, contract.parameters, contract.observer)
        return any(_breaks(client, contract.check(check_id), case) for case in known)
    finally:
        client.close()


def _breaks(client: Client, check: Check, case: Case) -> bool:
    request = Request(case, client.contract.observer.everything, client.contract.calls(case))
    tries = TRIES if check.id == client.contract.history else 1
    return any(isinstance(client.judge(check, request)[0], Violation) for _ in range(tries))
