"""Updates and reads metrics of `flax-metrics`, with masks and without."""

import jax
import jax.numpy as jnp
from flax_metrics import Average, MeanSquaredError, Welford

values = jax.random.normal(jax.random.key(0), (8,))
mask = jnp.array([1.0, 1, 1, 0, 1, 0, 1, 1])
for metric in (Average(), Welford()):
    metric.update(values)
    metric.update(values, mask=mask)
    metric.compute()
error = MeanSquaredError()
error.update(target=values, prediction=2 * values)
error.compute()
