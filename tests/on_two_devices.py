"""Modules on two devices, judged: `python tests/on_two_devices.py` prints what each law says of them, as JSON."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import PartitionSpec

from lawful import judged, read, write
from nnx_conformance.core.contract import Blocked, NotApplicable
from nnx_conformance.observe.flax_versions import set_devices

EVEN, ODD = (np.linspace(-1, 2, 4 * rows, dtype=np.float32).reshape(rows, 4) for rows in (4, 3))


class Reports(nnx.Module):
    """Reports each input, one after the other, as JAX does on one device alone."""

    def __call__(self, x: Any) -> Any:
        jax.debug.callback(lambda _: None, x, ordered=True)
        return x


class Mean(nnx.Module):
    """Takes off a running mean, which `over` may reduce over shards."""

    def over(self, mean: Any) -> Any:
        return mean

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(4))

    def __call__(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * self.over(x.mean(0)))
        return x - read(self.mean)


class Reduced(Mean):
    def over(self, mean: Any) -> Any:
        try:
            return jax.lax.pmean(mean, "data")
        except NameError:
            return mean


class Shared(Mean):
    def over(self, mean: Any) -> Any:
        return mean / jax.device_count()


class Grown(Mean):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(4) + len(jax.devices()))


class Peak(nnx.Module):
    """Overwrites its peak, which lies split over `model`; its subclass pins what it writes."""

    def pinned(self, peak: Any) -> Any:
        return peak

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.peak = nnx.Variable(jnp.zeros(4), sharding=("model",))

    def __call__(self, x: Any) -> Any:
        write(self.peak, self.pinned(x.max(0)))
        return x - read(self.peak)


class Pinned(Peak):
    def pinned(self, peak: Any) -> Any:
        return jax.lax.with_sharding_constraint(peak, PartitionSpec("model"))


class Three(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.scale = nnx.Param(jnp.ones(3), sharding=("model",))

    def __call__(self, x: Any) -> Any:
        return x[:, :3] * read(self.scale)


class Drops(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.dropout(x)


DATA, MODEL = {"data": 2}, {"data": 1, "model": 2}
SHARD, PLACE, MAP = "call shard call", "call place call", "call shardmap"
#: The name of a case, and what is judged: a make, a law, a program, and fields of the subject.
CASES: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
    "a running mean": (Mean, "sharded-agrees", SHARD, {}),
    "a mask": (Drops, "sharded-agrees", SHARD, {"traits": {"draws_randomness": True}}),
    "a number of devices": (Shared, "sharded-agrees", SHARD, {}),
    "a start by devices": (Grown, "sharded-agrees", SHARD, {}),
    "an ordered callback": (lambda rngs: Reports(), "sharded-agrees", SHARD, {}),
    "a batch of odd length": (Mean, "sharded-agrees", SHARD, {"inputs": [ODD]}),
    "two lengths": (lambda rngs: Two(), "sharded-agrees", SHARD, {"inputs": [(EVEN, ODD)]}),
    "a peak that moves": (Peak, "sharding-stable", PLACE, {"mesh": MODEL}),
    "a peak that is pinned": (Pinned, "sharding-stable", PLACE, {"mesh": MODEL}),
    "a peak that moves agrees": (Peak, "sharded-agrees", PLACE, {"mesh": MODEL}),
    "no axis": (Mean, "sharding-stable", PLACE, {}),
    "three in two": (Three, "sharded-agrees", PLACE, {"mesh": MODEL}),
    "a mean of a shard": (Mean, "shard-map-agrees", MAP, {"mesh": DATA}),
    "a mean over shards": (Reduced, "shard-map-agrees", MAP, {"mesh": DATA}),
    "a state of each shard": (Mean, "shard-map-agrees", MAP, {"mesh": DATA, "traits": {"per_shard_state": True}}),
    "no state of each shard": (Mean, "shard-map-agrees", MAP, {"traits": {"per_shard_state": False}}),
    "no mesh": (Mean, "shard-map-agrees", MAP, {}),
}


class Two(nnx.Module):
    def __call__(self, x: Any, y: Any) -> Any:
        return x.sum() + y.sum()


def main() -> None:
    """Judge all cases."""
    set_devices(2)
    said = {}
    for name, (make, law, program, fields) in CASES.items():
        judgement = judged(make, law, program, **{"inputs": [EVEN, 2 * EVEN]} | fields)
        reason = judgement.reason if isinstance(judgement, NotApplicable) else ""
        reason = f"blocked by {judgement.by}" if isinstance(judgement, Blocked) else reason
        said[name] = reason or getattr(judgement, "what", "holds")
    print(json.dumps(said))


if __name__ == "__main__":
    main()
