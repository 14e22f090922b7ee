"""One buffer holds two moments in its rows; the first row is the mean."""

import torch
from torch import nn

NEEDS = ("torch",)


class Moments(nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("moments", torch.zeros(2, features))

    @torch.no_grad()
    def forward(self, batch):
        new = torch.stack([batch.mean(0), batch.square().mean(0)])
        self.moments.mul_(self.momentum).add_(new, alpha=1 - self.momentum)
        return batch - self.moments[0]


def running_mean(seed, batches, momentum):
    model = Moments(batches.shape[2], momentum)
    for batch in batches:
        model(torch.tensor(batch, dtype=torch.float32))
    return model.moments[0].clone()
