"""Tensors of PyTorch. This imports no PyTorch: without it there are no tensors."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

NAME = "torch"


def is_imported() -> bool:
    """Whether PyTorch is imported completely; a failed import leaves a module without `Tensor`."""
    return hasattr(sys.modules.get(NAME), "Tensor")


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of PyTorch."""
    return is_imported() and isinstance(value, sys.modules[NAME].Tensor)


def as_numpy(tensor: Any) -> np.ndarray | None:
    """A copy of a tensor's contents; None if NumPy lacks the dtype, or the tensor has no memory."""
    data = tensor.detach().to("cpu")
    if data.dtype is sys.modules[NAME].bfloat16:
        import ml_dtypes

        return np.array(data.float().numpy()).astype(ml_dtypes.bfloat16)
    try:
        return np.array(data.numpy())
    except (TypeError, RuntimeError):
        return None
