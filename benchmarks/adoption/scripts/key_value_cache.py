"""Fills the key-value cache of `zlynx` row by row, and calls its adapters."""

import jax
from flax import nnx
from zlynx.module.cache import KVCache
from zlynx.module.peft import DoraLinear, LoraLinear

key, value = jax.random.normal(jax.random.key(0), (2, 2, 1, 2, 4))
cache = KVCache(2, 4)
cache.init_cache_state(2, 64)
for _ in range(3):
    cache.update_cache(key, value)
x = jax.random.normal(jax.random.key(1), (3, 4))
LoraLinear(nnx.Linear(4, 5, rngs=nnx.Rngs(0)), 2, 4, nnx.Rngs(1))(x)
DoraLinear(nnx.Linear(4, 5, rngs=nnx.Rngs(0)), 2, 4, nnx.Rngs(1))(x)
