"""Calls the layers of `mamba2-jax` with and without the states of earlier calls."""

import jax
from flax import nnx
from mamba2_jax.modeling import DepthwiseConv1d, Mamba2Config, Mamba2Mixer, RMSNorm

config = Mamba2Config(vocab_size=20, hidden_size=8, state_size=4, head_dim=4, chunk_size=4, num_hidden_layers=1)
x = jax.random.normal(jax.random.key(0), (2, 6, 8))
RMSNorm(8, gate_residual=True, rngs=nnx.Rngs(0))(x, residual=2 * x)
convolution = DepthwiseConv1d(8, 4, rngs=nnx.Rngs(1))
_, state = convolution(x)
convolution(x, state)
mixer = Mamba2Mixer(config, 0, rngs=nnx.Rngs(2))
mixer(x)
