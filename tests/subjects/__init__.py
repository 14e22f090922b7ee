"""Subjects of the module laws that others wrote: what Flax ships, and cases after Flax's own tests, as data."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """A subject, and the verdict that it must get.

    Attributes:
        name: unique among all.
        subject: the dict that the kit takes for a Subject.
        min_flax: first version that has it; "" for all.
        below_flax: first version that has it no longer, or means something else by it; "" for none.
        breaks: checks that it must violate, each with the reason; empty for what must conform.
        refused: what the error says, where Flax itself refuses to make or call it, so that no law can be asked.
        excused: checks that may be violated because Flax documents the limit, each with reason and link.
    """

    name: str
    subject: Mapping[str, Any]
    min_flax: str = ""
    below_flax: str = ""
    breaks: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    excused: Mapping[str, str] = field(default_factory=dict)

    def applies_to(self, version: str) -> bool:
        """Whether this version of Flax has it."""
        return _release(self.min_flax) <= _release(version) < (_release(self.below_flax) or (999,))


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def cases(version: str) -> list[Case]:
    """All subjects that this version of Flax has, by name."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    every = [case for module in modules for case in module.CASES]
    return sorted((case for case in every if case.applies_to(version)), key=lambda case: case.name)
