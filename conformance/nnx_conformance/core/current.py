"""Rewrites the code in remedies and examples for a version of Flax, so that it runs there without a warning."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from nnx_conformance.core.contract import Check

#: From the first version of Flax to below the second, the pattern is replaced by the text.
FORMS = (
    ((0, 12), (9999,), re.compile(r"(?<=[\w)\]])\.value\b"), "[...]"),
    ((0,), (0, 10, 7), re.compile(r"(?<=\w)\[\.\.\.\]"), ".value"),
    ((0,), (0, 12), re.compile(r"\.get_value\(\)"), ".value"),
)
#: Marks Linen code, and code that shows something deprecated on purpose.
AS_WRITTEN = re.compile(r"self\.variable\(|is_initializing|batch_stats|deprecated")


def current(text: str, flax: str) -> str:
    """The text for a version of Flax; text marked by `AS_WRITTEN` stays."""
    if AS_WRITTEN.search(text):
        return text
    release = tuple(int(part) for part in re.findall(r"\d+", flax)[:3])
    for since, before, pattern, replacement in FORMS:
        if since <= release < before:
            text = pattern.sub(replacement, text)
    return text


def current_check(check: Check, flax: str) -> Check:
    """A check with its remedy and examples for a version of Flax."""
    remedy, wrong, right = (current(text, flax) for text in (check.remedy, check.wrong, check.right))
    return replace(check, remedy=remedy, wrong=wrong, right=right)


def installed() -> str:
    """The installed version of Flax; empty if it is not installed."""
    try:
        return version("flax")
    except PackageNotFoundError:
        return ""
