"""Each call takes a scale from a deck, a list in a plain object: two branches take two of it, and one is used."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("switch-agrees",)
MIN_FLAX = "0.10.7"


class Deck:
    def __init__(self):
        self.cards = [3.0, 2.0, 1.0]

    def deal(self):
        self.cards = [self.cards[-1], *self.cards[:-1]]
        return self.cards[0]


class Augment(nnx.Module):
    def __init__(self):
        self.deck = Deck()
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        x = x * self.deck.deal()
        self.total.value = self.total.value + x.sum()
        return x


subject = {"make": lambda rngs: Augment(), "inputs": (np.arange(1, 5, dtype=np.float32),)}
