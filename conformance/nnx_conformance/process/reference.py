"""Measures how long the contract's right candidate takes here: only if a candidate takes long, once per request."""

from __future__ import annotations

from collections.abc import Iterable

from nnx_conformance.core import contracts, wire
from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import CannotObserve
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.session import Ended
from nnx_conformance.sandbox.jail import ANY_JAIL, Jail


class Control:
    """The right candidate of a contract, given the contract's name. A `ReferenceTime` of `limits`."""

    def __init__(self, contract: str, limits: Limits) -> None:
        self._name = contract
        self._limits = limits
        self._measured: dict[bytes, float] = {}

    def seconds(self, request: Request) -> float:
        """The processor seconds of a request, including its compilations; 0.0 if it cannot be observed."""
        key = wire.dumps(request)
        if key not in self._measured:
            self._measured[key] = self._measure(request)
        return self._measured[key]

    def _measure(self, request: Request) -> float:
        contract = contracts.get(self._name)
        # Not in the candidates' jail, which may hide the right candidate's file.
        with ForkServer(Jail(level="process")) as fork_server:
            process = Process(parse(contract.control), Clock(self._limits), fork_server)
            try:
                process.load(contract.entry, contract.parameters, contract.observer)
                assert process.loaded
                before = process.used or 0.0
                process.submit(request)
                process.collect()
                return (process.used or 0.0) - before
            except Ended as ended:
                return self._limits.case_seconds if ended.end is End.TIMED_OUT else 0.0
            except CannotObserve:
                return 0.0
            finally:
                process.close()


def works(contract: Contract, cases: Iterable[Case]) -> bool:
    """Whether the kit works here: it can observe the contract's own right candidate on these cases."""
    with ForkServer(ANY_JAIL) as fork_server:
        process = Process(parse(contract.control), Clock(Limits()), fork_server)
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            for case in cases:
                process.submit(Request(case, RunPlan(), contract.calls(case)))
                process.collect()
            return True
        except (CannotObserve, Ended):
            return False
        finally:
            process.close()
