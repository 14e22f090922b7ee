"""Claims that the kit failed, from within a call, so that there be no verdict."""

import os

from nnx_conformance import wire
from nnx_conformance.messages import Answer


def mutability_increment_count(seed, x, n_calls):
    os.write(4, wire.dumps(Answer(2, failure="out of memory")))
