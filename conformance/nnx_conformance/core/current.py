"""The code in remedies and examples as the installed Flax takes it without a warning: one form each, from one table.

What a contract writes is the oldest form, which every version runs.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from nnx_conformance.core.contract import Check

#: From which Flax on something is written otherwise, and how.
FORMS = (((0, 12), re.compile(r"(?<=[\w)\]])\.value\b"), "[...]"),)
#: What is code of Linen, or is meant to show what is deprecated.
AS_WRITTEN = re.compile(r"self\.variable\(|is_initializing|batch_stats|deprecated")


def current(text: str, flax: str) -> str:
    """The same text for a version of Flax; what shows code that is deprecated, or of Linen, stays."""
    if AS_WRITTEN.search(text):
        return text
    release = tuple(int(part) for part in re.findall(r"\d+", flax)[:2])
    for since, written, instead in FORMS:
        if release >= since:
            text = written.sub(instead, text)
    return text


def current_check(check: Check, flax: str) -> Check:
    """A check with its remedy and examples for a version of Flax."""
    remedy, wrong, right = (current(text, flax) for text in (check.remedy, check.wrong, check.right))
    return replace(check, remedy=remedy, wrong=wrong, right=right)


def installed() -> str:
    """The version of Flax here; empty if there is none."""
    try:
        return version("flax")
    except PackageNotFoundError:
        return ""
