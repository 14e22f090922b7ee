"""A count that its dtype cannot hold: it stops where the next whole number is rounded away, or wraps around."""

from __future__ import annotations

import math

from nnx_conformance.contracts.wording import number_text

KEEP = (
    "Keep the count in float32: float8 stops at 16, bfloat16 at 256, float16 at 2048, and int8 wraps around after 127."
)
#: The least number at which a float stops, that of float8_e5m2, and the ranges of integers.
LEAST, RANGES = 8, (2**8, 2**16)


def narrow(path: str, before: float, after: float) -> str:
    """Why a call took a count from one number to another, if the dtype explains it; empty if it does not."""
    if after == before >= LEAST and math.frexp(before)[0] == 0.5:  # a power of two
        return f"`{path}` stops at {number_text(before)}: its dtype holds no number that is larger by 1"
    if before > 0 and before + 1 - after in RANGES:
        return f"`{path}` wraps around after {number_text(before)}, the largest number that its dtype holds"
    return ""
