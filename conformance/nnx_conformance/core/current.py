"""The code in remedies and examples as the installed Flax runs it without a warning: one form each, from one table."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from nnx_conformance.core.contract import Check

#: For which versions of Flax, from the first to below the second, what is written otherwise, and how.
FORMS = (
    ((0, 12), (9999,), re.compile(r"(?<=[\w)\]])\.value\b"), "[...]"),
    ((0,), (0, 10, 7), re.compile(r"(?<=\w)\[\.\.\.\]"), ".value"),
    ((0,), (0, 12), re.compile(r"\.get_value\(\)"), ".value"),
)
#: What is code of Linen, or is meant to show what is deprecated.
AS_WRITTEN = re.compile(r"self\.variable\(|is_initializing|batch_stats|deprecated")


def current(text: str, flax: str) -> str:
    """The same text for a version of Flax; what shows code that is deprecated, or of Linen, stays."""
    if AS_WRITTEN.search(text):
        return text
    release = tuple(int(part) for part in re.findall(r"\d+", flax)[:3])
    for since, before, written, instead in FORMS:
        if since <= release < before:
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
