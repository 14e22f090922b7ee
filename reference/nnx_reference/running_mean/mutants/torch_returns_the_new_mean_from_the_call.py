"""Its call returns the new mean, by `torch.func.functional_call`, and changes no state: the loop does."""

import numpy as np
import torch
from torch.func import functional_call

CATCHES = ("one-update-per-step",)


class Mean(torch.nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))

    def forward(self, x):
        return {"mean": self.momentum * self.mean + (1 - self.momentum) * x.mean(0)}


def running_mean(seed, batches, momentum):
    xs = torch.as_tensor(np.array(batches, dtype=np.float32))
    module = Mean(xs.shape[-1], float(momentum))
    for x in xs.unbind(0):
        buffers = {name: b.detach().clone() for name, b in module.named_buffers()}
        new = functional_call(module, buffers, (x,))
        module.load_state_dict(new)
    return module.mean
