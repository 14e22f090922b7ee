"""Calls layers of `jimmy-vision`: in training and in evaluation, on images and on rows."""

import jax
from flax import nnx
from jimmy.layers import DropPath, Mlp, RMSNormGated
from jimmy.layers.blocks import ConvBlock
from jimmy.layers.configs import ConvBlockConfig

rows = jax.random.normal(jax.random.key(0), (6, 4))
DropPath(0.5, nnx.Rngs(dropout=0))(rows)
Mlp(4, hidden_features=8, act_layer=nnx.gelu, dropout_rate=0.5, rngs=nnx.Rngs(0))(rows)
RMSNormGated(4, nnx.Rngs(1))(rows, 2 * rows)
images = jax.random.normal(jax.random.key(1), (2, 5, 5, 4))
ConvBlock(4, ConvBlockConfig(), rngs=nnx.Rngs(2))(images)
