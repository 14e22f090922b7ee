"""How far two sides may be apart: not at all where the arithmetic is the same, else as the dtypes of the state ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.program.language import BY_NAME
from nnx_conformance.core.claim import Claim

#: How many units in the last place a transform may move a number: XLA fuses and reorders.
#: Half precision gets fewer, for each is a large part of the number.
UNITS = {"float64": 2.0**12, "float32": 2.0**8}
HALF_UNITS = 2.0**3
#: A difference that the last bit of the input makes in the twin may come so many times larger in the subject.
NOISE = 64.0
EPS = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
COMPLEX = {"complex64": "float32", "complex128": "float64"}


@dataclass(frozen=True)
class Tolerance:
    """Numbers a and b agree if they differ by at most `rtol * |b| + share * largest + atol`; largest: of b's array.

    Integers do so only within a tolerance that the subject declares: `declared`. Else they must be equal, as booleans
    and random streams must be in any case.
    """

    rtol: float
    share: float
    atol: float
    declared: bool = False


EXACT = Tolerance(0.0, 0.0, 0.0)


def tolerance(facts: ProgramFacts, position: int) -> Tolerance:
    """How far subject and twin may be apart after the step at a position: exact until the first transform."""
    inexact = sum(not BY_NAME[step.operation].exact for step in facts.steps[: position + 1] if not step.skipped)
    if not inexact:
        return EXACT
    if facts.trait("rtol") or facts.trait("atol"):
        return Tolerance(float(facts.trait("rtol") or 0), 0.0, float(facts.trait("atol") or 0), declared=True)
    twin = facts.steps[position].twin
    name = lowest((*facts.start, *twin.state, *twin.outputs))
    unit = EPS[name] * UNITS.get(name, HALF_UNITS)
    return Tolerance(unit * inexact, unit * inexact, 0.0)


def lowest(leaves: Iterable[LeafFacts]) -> str:
    """The dtype of the lowest precision among floating leaves."""
    names = {COMPLEX.get(leaf.dtype, leaf.dtype) for leaf in leaves}
    return next((name for name in EPS if name in names), "float32")


def close(got: np.ndarray, wanted: np.ndarray, within: Tolerance, noise: float) -> Claim:
    """The claim that two arrays agree; NaN equals NaN, an infinity itself."""
    inexact = any(array.dtype.kind in "fc" or array.dtype.name == "bfloat16" for array in (got, wanted))
    counts = within.declared and all(array.dtype.kind in "iu" for array in (got, wanted))
    exact = within == EXACT or not (inexact or counts) or got.shape != wanted.shape
    native = got.dtype == wanted.dtype and got.dtype.kind in "biufc"
    if native and (exact or got.tobytes() == wanted.tobytes()):
        return Claim(got, wanted)
    a, b = ((array.astype(np.float64) if counts else _wide(array)) for array in (got, wanted))
    if exact:
        return Claim(a, b, 0.0)
    with np.errstate(all="ignore"):
        return Claim(a, b, _bound(b, within, noise))


def distance(got: np.ndarray, wanted: np.ndarray, within: Tolerance) -> float:
    """How far two arrays are apart, in units of the tolerance; 0 where that is zero, or the shapes differ."""
    a, b = _wide(got), _wide(wanted)
    if within == EXACT or a.shape != b.shape or not a.size or a.dtype.kind not in "fc":
        return 0.0
    with np.errstate(all="ignore"):
        apart = np.abs(a - b) / _bound(b, within, 0.0)
    return float(np.max(apart, where=np.isfinite(apart), initial=0.0))


def _bound(wanted: np.ndarray, within: Tolerance, noise: float) -> np.ndarray:
    """How far from each number another one may be."""
    largest = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))
    bound = within.rtol * np.abs(wanted) + within.share * max(largest, 1e-6) + within.atol + NOISE * max(noise, 0.0)
    return np.asarray(bound)


def _wide(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "biu":
        return array.astype(np.float64) if array.dtype.itemsize < 8 else array
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
