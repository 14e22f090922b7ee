"""Metrics, optimisers and averages of Flax: what holds state beside a model."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from subjects import Case

X = np.cos(np.arange(8, dtype=np.float32)).reshape(4, 2)
VALUES = np.array([0.5, 2.0, -1.0], np.float32)
LOGITS = np.cos(np.arange(12, dtype=np.float32)).reshape(4, 3)
LABELS = np.array([0, 2, 1, 1], np.int32)


def measured(metric: Any, values: Any) -> Any:
    """One update of a metric, and what it is then."""
    metric.update(values=values)
    return metric.compute()


def scored(metric: Any, logits: Any, labels: Any) -> Any:
    """One update of an accuracy, and what it is then."""
    metric.update(logits=logits, labels=labels)
    return metric.compute()


def scored_and_measured(metric: Any, logits: Any, labels: Any) -> Any:
    """One update of two metrics, and what they are then."""
    metric.update(logits=logits, labels=labels, values=jnp.asarray(logits))
    return metric.compute()


class Training(nnx.Module):
    """A model with its optimiser; a call is one step, and returns the loss."""

    def __init__(self, model: nnx.Module, transform: Any) -> None:
        self.model = model
        self.optimizer = nnx.Optimizer(model, transform, wrt=nnx.Param)

    def __call__(self, x: Any) -> Any:
        loss, grads = nnx.value_and_grad(lambda model: jnp.mean(model(x) ** 2))(self.model)
        if "model" in inspect.signature(self.optimizer.update).parameters:
            self.optimizer.update(self.model, grads)
        else:  # before Flax 0.11
            self.optimizer.update(grads)  # type: ignore[call-arg]
        return loss


class Averaging(nnx.Module):
    """A model with the average of its weights; a call updates that."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.model = nnx.Linear(2, 2, rngs=rngs)
        self.average = nnx.EMA(nnx.Linear(2, 2, rngs=rngs), 0.5, only=nnx.Param)

    def __call__(self, x: Any) -> Any:
        self.average.update(self.model)
        return self.average.apply_to(self.model)(x)


def trained(make: Any, transform: Any) -> dict[str, Any]:
    """A subject that trains a model: its Params are what it is there to write."""
    return {
        "make": lambda rngs: Training(make(rngs), transform),
        "inputs": [X],
        "traits": {"rewrites_param": True, "rtol": 1e-3, "atol": 1e-4},
    }


CASES = [
    Case(
        name="metrics.Average",
        subject={"make": lambda rngs: nnx.metrics.Average(), "call": measured, "inputs": [VALUES, VALUES**2]},
    ),
    Case(
        name="metrics.Welford",
        subject={"make": lambda rngs: nnx.metrics.Welford(), "call": measured, "inputs": [VALUES, VALUES**2]},
    ),
    Case(
        name="metrics.Accuracy",
        subject={"make": lambda rngs: nnx.metrics.Accuracy(), "call": scored, "inputs": [(LOGITS, LABELS)]},
    ),
    Case(
        name="metrics.MultiMetric",
        subject={
            "make": lambda rngs: nnx.MultiMetric(accuracy=nnx.metrics.Accuracy(), loss=nnx.metrics.Average()),
            "call": scored_and_measured,
            "inputs": [(LOGITS, LABELS)],
        },
    ),
    Case(name="Optimizer, sgd", subject=trained(lambda rngs: nnx.Linear(2, 2, rngs=rngs), optax.sgd(0.1))),
    Case(name="Optimizer, adamw", subject=trained(lambda rngs: nnx.Linear(2, 2, rngs=rngs), optax.adamw(0.01))),
    Case(
        name="Optimizer of a BatchNorm",
        subject=trained(lambda rngs: nnx.BatchNorm(2, rngs=rngs), optax.sgd(0.1, momentum=0.9)),
    ),
    Case(
        name="EMA",
        subject={
            "make": Averaging,
            "inputs": [X],
            "traits": {"rewrites_param": True},
        },
        min_flax="0.12.8",
    ),
]
