"""A LoRA adapter that shrinks its own factors in every call; a LoRAParam is a Param."""

import numpy as np
from flax import nnx

CATCHES = ("params-untouched", "optimizer-safe")
MIN_FLAX = "0.10.7"


class Shrinking(nnx.Module):
    def __init__(self, rngs):
        self.lora = nnx.LoRA(3, 2, 3, rngs=rngs)

    def __call__(self, x):
        self.lora.lora_a.value = self.lora.lora_a.value * 0.9
        return self.lora(x)


subject = {"make": lambda rngs: Shrinking(rngs), "inputs": (np.ones((2, 3), np.float32),)}
