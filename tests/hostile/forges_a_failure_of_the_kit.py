"""Claims that the kit failed, from within a call, so that there be no verdict."""

import os

from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer, Failure


def mutability_increment_count(seed, x, n_calls):
    os.write(4, wire.dumps(Answer(2, Failure("out of memory"))))
