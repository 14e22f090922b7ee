"""Each step makes the module anew and loads the `state_dict` that the step before it saved."""

import torch
from torch import nn

NEEDS = ("torch",)


class RunningMean(nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))

    @torch.no_grad()
    def forward(self, batch):
        self.mean.mul_(self.momentum).add_(batch.mean(0), alpha=1 - self.momentum)
        return batch - self.mean


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], momentum)
    for batch in batches:
        saved = {name: value.clone() for name, value in model.state_dict().items()}
        model = RunningMean(batches.shape[2], momentum)
        model.load_state_dict(saved)
        model(torch.tensor(batch, dtype=torch.float32))
    return model.mean
