"""Counts in too narrow a dtype: they stop when the next whole number rounds away, or they wrap around."""

from __future__ import annotations

import math

from nnx_conformance.contracts.wording import number_text

KEEP = (
    "Keep the count in float32: float8 stops at 16, bfloat16 at 256, float16 at 2048, and int8 wraps around after 127."
)
#: The least number at which a float stops counting, in float8_e5m2; the ranges of 8-bit and 16-bit integers.
LEAST, RANGES = 8, (2**8, 2**16)


def narrow(path: str, before: float, after: float) -> str:
    """How a narrow dtype explains that a call took a count from `before` to `after`; empty if it does not."""
    if after == before >= LEAST and math.frexp(before)[0] == 0.5:  # a power of two
        return f"`{path}` stops at {number_text(before)}: its dtype holds no number that is larger by 1"
    if before > 0 and before + 1 - after in RANGES:
        return f"`{path}` wraps around after {number_text(before)}, the largest number that its dtype holds"
    return ""
