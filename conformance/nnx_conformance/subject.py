"""A subject of the module laws: how a stateful module is made and called, as data. Importing this imports no JAX."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnx_conformance.errors import Misuse, expected, suggestion

#: Traits that are declared True (or False), and what each says.
CAPABILITIES = {
    "draws_randomness": "a call draws from a random stream or key",
    "has_eval_mode": "`module.eval()` makes calls deterministic and stops updates",
    "grows": "calls add state on purpose",
    "rewrites_param": "a call rewrites a Param on purpose",
    "per_lane_state": "state may be split over the lanes of `nnx.vmap` (the default); False where it may not",
}
#: Traits that are numbers: how far arithmetic may differ between plain Python and a transform.
#: They go for integers, too; random streams stay exact.
TOLERANCES = ("rtol", "atol")
TRAITS = (*CAPABILITIES, *TOLERANCES)


def plainly(module: Any, *arguments: Any) -> Any:
    """How a module is called unless its subject says otherwise."""
    return module(*arguments)


@dataclass(frozen=True, eq=False)
class Subject:
    """A stateful module to be judged by the module laws.

    A dict with these keys is accepted in its place, so that a package can describe its modules without importing the
    kit: `{"make": ..., "inputs": ..., "traits": ...}`.

    Attributes:
        make: makes a module from an `nnx.Rngs` of its own, `lambda rngs: nnx.BatchNorm(4, rngs=rngs)`.
        inputs: what a call is given: a Hypothesis strategy, or a list of examples. A tuple stands for several
            arguments, anything else for one; arrays in it may be NumPy's or JAX's. A few are drawn, once.
        traits: what the module declares: the words of `TRAITS`. What is left out counts as not declared.
        call: how it is called, `call(module, *arguments)`; `module(*arguments)` by default.
        horizon: how many calls its state must count or sum without stalling or overflowing in its dtype.
        name: what reports call it.
    """

    make: Callable[[Any], Any]
    inputs: Any
    traits: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] = plainly
    horizon: int = 10_000
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.make):
            mend = "Pass a function, such as `lambda rngs: nnx.BatchNorm(4, rngs=rngs)`."
            raise expected("a function that makes a module from an nnx.Rngs", "make", self.make, mend)
        if not callable(self.call):
            raise expected("a function", "call", self.call, "Leave it out for `module(*arguments)`.")
        if type(self.horizon) is not int or self.horizon < 1:
            raise expected("a whole number >= 1", "horizon", self.horizon, "Leave it out for 10000.")
        if not isinstance(self.traits, Mapping):
            raise expected("a dict of traits", "traits", self.traits, "Write `{'has_eval_mode': True}`.")
        for trait, value in self.traits.items():
            _check_trait(trait, value)

    def declares(self, trait: str) -> bool:
        """Whether a capability is declared."""
        return bool(self.traits.get(trait, trait == "per_lane_state"))


def _check_trait(trait: Any, value: Any) -> None:
    if trait not in TRAITS:
        raise expected("a trait of a module", "traits", trait, suggestion(str(trait), TRAITS))
    if trait in CAPABILITIES and type(value) is not bool:
        raise expected("True or False", f"traits[{trait!r}]", value, f"It says whether {CAPABILITIES[trait]}.")
    if trait in TOLERANCES and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9):
        raise expected("a number >= 0", f"traits[{trait!r}]", value, "Leave it out for what the dtypes ask for.")


def as_subject(value: Any) -> Subject:
    """The subject that a value is: itself, or a mapping with its fields.

    Raises:
        Misuse: if it is neither, or a field does not fit.
    """
    if isinstance(value, Subject):
        return value
    if not isinstance(value, Mapping):
        mend = "Write `Subject(make=lambda rngs: ..., inputs=..., traits={})`, or a dict with these keys."
        raise expected("a Subject", "subject", value, mend)
    known = [one.name for one in dataclasses.fields(Subject)]
    for key in value:
        if key not in known:
            raise expected("a field of a Subject", "subject", key, suggestion(str(key), known))
    for key in ("make", "inputs"):
        if key not in value:
            raise Misuse(f"Expected a subject with {key!r} but got the keys {sorted(value)}. Add `{key!r}: ...`.")
    return Subject(**value)


def is_candidate(value: Any) -> bool:
    """Whether a Python object may be a candidate of some contract: a function or a class, or a subject as data."""
    return callable(value) or isinstance(value, (Subject, Mapping))


def written(value: Any) -> Any:
    """What of a Python object has a name and a file: of a subject, the function that makes its module."""
    if isinstance(value, Mapping):
        return value.get("make", value)
    return value.make if isinstance(value, Subject) else value


def object_name(value: Any) -> str:
    """What reports call a Python object: a subject's own name, or that of the function that makes its module."""
    given = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", "")
    named = given if isinstance(value, (Mapping, Subject)) else ""
    made = written(value)
    return str(named or getattr(made, "__qualname__", type(made).__name__))
