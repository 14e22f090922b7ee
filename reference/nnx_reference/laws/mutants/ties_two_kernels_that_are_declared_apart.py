"""Encoder and decoder are one layer, where its subject declares the Params of two."""

import numpy as np
from flax import nnx

CATCHES = ("inventory",)


class Autoencoder(nnx.Module):
    def __init__(self, rngs):
        self.encoder = nnx.Linear(3, 3, rngs=rngs)
        self.decoder = self.encoder

    def __call__(self, x):
        return self.decoder(self.encoder(x))


subject = {
    "make": Autoencoder,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "variables": {"Param": 4},
}
