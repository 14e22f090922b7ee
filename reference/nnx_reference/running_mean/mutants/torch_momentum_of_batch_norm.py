"""Passes the momentum to `BatchNorm1d` as it is; there it weighs the batch."""

import torch

CATCHES = ("one-update-per-step",)
NEEDS = ("torch",)


def running_mean(seed, batches, momentum):
    norm = torch.nn.BatchNorm1d(batches.shape[2], momentum=float(momentum))
    for batch in batches:
        rows = torch.from_numpy(batch).float()
        norm(rows if len(rows) > 1 else rows.repeat(2, 1))
    return norm.running_mean
