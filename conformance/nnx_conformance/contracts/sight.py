"""Calls that cannot be seen, because they run inside a trace."""

from __future__ import annotations

from nnx_conformance.contract import NotApplicable
from nnx_conformance.observation import Observation
from nnx_conformance.plain_text import short

UNSEEN = "no call was seen outside of a trace, and this case is not one of those whose traces are looked into"


def out_of_sight(seen: Observation, why: str) -> NotApplicable:
    """Why the calls of a case cannot be judged; there is no verdict where the candidate itself keeps them from sight.

    Args:
        seen: what was observed.
        why: why, if the candidate runs without traces as well.
    """
    if seen.untraced is None:
        return NotApplicable(UNSEEN)
    if seen.untraced.raised is None or seen.run.raised:
        return NotApplicable(why)
    raised = seen.untraced.raised
    what = f"{raised.type}: {short(raised.message)}" if raised.message else raised.type
    return NotApplicable(
        "the calls ran inside a trace; they can be seen only under `jax.disable_jit()`, and there the candidate raises "
        f"{what}. Let it run there, too; what `.lower().compile()` returns cannot",
        elsewhere=True,
    )
