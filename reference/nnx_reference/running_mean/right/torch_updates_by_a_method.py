"""A method of its own updates the mean, and not `forward`."""

import torch
from torch import nn

NEEDS = ("torch",)


class RunningStat(nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))

    @torch.no_grad()
    def update(self, batch):
        self.mean.copy_(self.momentum * self.mean + (1 - self.momentum) * batch.mean(0))

    def compute(self):
        return self.mean.clone()


def running_mean(seed, batches, momentum):
    stat = RunningStat(batches.shape[2], momentum)
    for batch in batches:
        stat.update(torch.tensor(batch, dtype=torch.float32))
    return stat.compute()
