"""Tolerances: none if both sides compute in the same way, otherwise by the dtypes of the state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.program.language import BY_NAME
from nnx_conformance.core.claim import Claim

#: By how many units in the last place a transform may change a number: XLA fuses and reorders. Fewer in half precision,
#: where a unit is a large part of the number.
UNITS = {"float64": 2.0**12, "float32": 2.0**8}
HALF_UNITS = 2.0**3
#: How much larger a difference may be in the subject than the one that the input's last bit makes in the twin.
NOISE = 64.0
EPS = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
COMPLEX = {"complex64": "float32", "complex128": "float64"}


@dataclass(frozen=True)
class Tolerance:
    """Numbers a and b agree if they differ by at most `rtol * |b| + share * largest + atol`; largest: in b's array.

    Integers may differ only if the subject declares the tolerance (`declared`). Booleans and streams must be equal.
    """

    rtol: float
    share: float
    atol: float
    declared: bool = False


EXACT = Tolerance(0.0, 0.0, 0.0)


def tolerance(facts: ProgramFacts, position: int) -> Tolerance:
    """The tolerance for subject and twin after the step at a position: exact up to the first transform."""
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
    """The claim that two arrays agree; NaN equals NaN, and infinity equals infinity."""
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
    """The largest difference of two arrays in units of the tolerance; 0 if that is exact, or the shapes differ."""
    a, b = _wide(got), _wide(wanted)
    if within == EXACT or a.shape != b.shape or not a.size or a.dtype.kind not in "fc":
        return 0.0
    with np.errstate(all="ignore"):
        ratio = np.abs(a - b) / _bound(b, within, 0.0)
    return float(np.max(ratio, where=np.isfinite(ratio), initial=0.0))


def _bound(wanted: np.ndarray, within: Tolerance, noise: float) -> np.ndarray:
    """The largest allowed difference from each number."""
    largest = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))
    bound = within.rtol * np.abs(wanted) + within.share * max(largest, 1e-6) + within.atol + NOISE * max(noise, 0.0)
    return np.asarray(bound)


def _wide(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "biu":
        return array.astype(np.float64) if array.dtype.itemsize < 8 else array
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
