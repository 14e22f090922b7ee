"""The code behind the contract's observer: loads subjects and carries out programs. Imported where a subject runs."""

from __future__ import annotations

from nnx_conformance.laws.loading import adopt as adopt
from nnx_conformance.laws.loading import load as load
from nnx_conformance.laws.running import observe as observe
