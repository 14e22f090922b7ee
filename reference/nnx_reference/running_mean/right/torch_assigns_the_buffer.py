"""Assigns a tensor to the name of the buffer, which PyTorch registers again, and keeps a parameter beside it."""

import torch

NEEDS = ("torch",)


class RunningMean(torch.nn.Module):
    def __init__(self, features, momentum):
        super().__init__()
        self.momentum = momentum
        self.weight = torch.nn.Parameter(torch.ones(features))
        self.register_buffer("mean", torch.zeros(features))

    def forward(self, batch):
        self.mean = torch.lerp(batch.detach().mean(0), self.mean, self.momentum)
        return (batch - self.mean) * self.weight


def running_mean(seed, batches, momentum):
    model = RunningMean(batches.shape[2], float(momentum))
    for batch in batches:
        model(torch.from_numpy(batch).float())
    return model.mean.numpy()
