"""Tensors of PyTorch, which is looked at only where a candidate has imported it: nothing here imports it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

NAME = "torch"


def is_imported() -> bool:
    """Whether PyTorch is there, whole: an import that failed half-way leaves none."""
    return hasattr(sys.modules.get(NAME), "Tensor")


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of PyTorch."""
    return is_imported() and isinstance(value, sys.modules[NAME].Tensor)


def as_numpy(tensor: Any) -> np.ndarray | None:
    """The contents of a tensor, copied; None where NumPy has no such dtype and for what is not in memory."""
    data = tensor.detach().to("cpu")
    if data.dtype is sys.modules[NAME].bfloat16:
        import ml_dtypes

        return np.array(data.float().numpy()).astype(ml_dtypes.bfloat16)
    try:
        return np.array(data.numpy())
    except (TypeError, RuntimeError):
        return None
