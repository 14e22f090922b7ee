"""Assertions on stateful NNX modules, in chex's manner, for anybody's own tests.

They raise `AssertionError` in chex's form, take chex's keywords (`custom_message=`), obey `chex.disable_asserts`,
need no contract and start no process.
"""

from nnx_conformance.asserts.leaves import StateCopy, snapshot
from nnx_conformance.asserts.ownership import assert_independent, assert_keys_advance, keys_advance
from nnx_conformance.asserts.state import (
    assert_params_untouched,
    assert_state_close,
    assert_state_equal,
    assert_state_untouched,
    assert_variable,
    params_untouched,
    state_untouched,
)
from nnx_conformance.asserts.transforms import assert_compiles_once, assert_same_under
from nnx_conformance.asserts.updates import assert_updates_kept
from nnx_conformance.asserts.wrappers import (
    assert_no_tracers,
    assert_not_param,
    assert_wrappers_kept,
    wrappers_kept,
)

__all__ = [
    "StateCopy",
    "assert_compiles_once",
    "assert_independent",
    "assert_keys_advance",
    "assert_no_tracers",
    "assert_not_param",
    "assert_params_untouched",
    "assert_same_under",
    "assert_state_close",
    "assert_state_equal",
    "assert_state_untouched",
    "assert_updates_kept",
    "assert_variable",
    "assert_wrappers_kept",
    "keys_advance",
    "params_untouched",
    "snapshot",
    "state_untouched",
    "wrappers_kept",
]
