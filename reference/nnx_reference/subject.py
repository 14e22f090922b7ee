"""A subject that keeps all module laws, as data: to write it, nobody need import the kit."""

import numpy as np
from flax import nnx

INPUT = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)

subject = {
    "make": lambda rngs: nnx.BatchNorm(4, rngs=rngs),
    "inputs": [INPUT, 2 * INPUT],
    "traits": {"has_eval_mode": True},
}
