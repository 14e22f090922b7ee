"""The claims of the checks that all contracts on functions share."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts.reading import Reading, replaced
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits
from nnx_conformance.core.contract import Claims
from nnx_conformance.core.facts import Run, Slot, Value

ARRAYS = ("jax.Array", "numpy.ndarray")


def a_float_array(value: Value | None, shape: tuple[int, ...], kinds: tuple[str, ...] = ARRAYS) -> Claim:
    """The claim that a result is an array of one of these kinds, of this shape, and of a real floating dtype."""
    if value is None or value.type not in kinds or value.array is None:
        actual = "nothing" if value is None else value.type
        return Claim((f"{actual} without numbers" if actual in kinds else actual,), (" or ".join(kinds),))
    dtype = value.array.dtype
    kind = "floating" if dtype.kind == "f" or dtype.name == "bfloat16" else dtype.name
    return Claim((str(value.array.shape), kind), (str(shape), "floating"))


def wrappers(*runs: Run) -> Iterator[Claim]:
    """The claims that each Variable is still one after each call, and at the end of the run."""
    for run in dict.fromkeys(runs):
        yield Claim(tuple(f"{write.target}: {write.after}" for write in run.writes if write.lost), ())
        layouts = {(call.before.layout, call.after.layout) for call in run.calls if call.after}
        layouts |= {(module.start.layout, module.end.layout) for module in run.modules if module.start and module.end}
        for before, after in layouts:
            lost = dict.fromkeys(path for path, *_ in replaced(run.layouts[before], run.layouts[after]))
            paths = [slot.path for slot in run.layouts[before] if slot.variable]
            actual = (f"{path}: {'none' if path in lost else 'a Variable'}" for path in paths)
            yield Claim(tuple(actual), tuple(f"{path}: a Variable" for path in paths))


def a_result(run: Run, shape: tuple[int, ...], kinds: tuple[str, ...] = ARRAYS) -> list[Claim]:
    """The claim that a run returns an array of one of these kinds and of this shape."""
    return [returns(run)] if run.raised else [a_float_array(run.result, shape, kinds)]


def returns(run: Run) -> Claim:
    """The claim that a run does not raise."""
    return Claim((run.raised.type if run.raised else "returns",), ("returns",))


def no_param(slot: Slot) -> Claim:
    """The claim that a Variable is no `nnx.Param`."""
    return Claim((f"{slot.path}: {'nnx.Param' if slot.param else 'no nnx.Param'}",), (f"{slot.path}: no nnx.Param",))


def same_results(_: Case, reading: Reading) -> Iterator[Claim]:
    """The claims that repeating the case gave the same result, to the last bit."""
    again = reading.facts.again
    first, second = reading.run.result, again.result if again is not None else None
    types = tuple("nothing" if value is None else value.type for value in (second, first))
    yield Claim(types[:1], types[1:])
    if first is not None and second is not None and first.array is not None and second.array is not None:
        yield Claim(second.array, first.array)
        yield same_bits(second.array, first.array)


def argument_untouched(name: str) -> Claims:
    """The claims that the argument of this name is alive after the run, and unchanged to the last bit."""

    def untouched(case: Case, reading: Reading) -> Iterator[Claim]:
        argument = next(argument for argument in reading.run.arguments if argument.name == name)
        alive = argument.alive and argument.array is not None
        yield Claim((f"{name}: {'alive' if alive else 'deleted'}",), (f"{name}: alive",))
        if argument.array is not None:
            yield Claim(argument.array, case[name])
            yield same_bits(argument.array, case[name])

    return untouched
