"""Ties the output layer to the embedding by a function that closes over the Variable: copies keep the first one's."""

import numpy as np
from flax import nnx

CATCHES = ("jit-agrees", "optimizer-safe")


class Language(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(5, 3, rngs=rngs)
        table = self.embed.embedding
        self.head = lambda hidden: hidden @ table.value.T

    def __call__(self, tokens):
        return self.head(self.embed(tokens))


subject = {"make": Language, "inputs": (np.array([0, 3], np.int32),), "traits": {"per_lane_state": False}}
