"""Computes the mean in NumPy, without a module."""

import numpy as np

CATCHES = ("mean-in-state",)


def running_mean(seed, batches, momentum):
    mean = np.zeros(batches.shape[2], np.float32)
    for batch in batches:
        mean = np.float32(momentum) * mean + (np.float32(1) - np.float32(momentum)) * batch.mean(0)
    return mean.astype(np.float32)
