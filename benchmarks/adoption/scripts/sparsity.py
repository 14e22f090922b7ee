"""Prunes weights by the stateful module of `qwix`: the mask is renewed at some steps and kept between them."""

import jax
from qwix._src.core.sparsity import SparsityRule
from qwix.contrib.sparsity.sparsity_module import SparsityModule

inputs = jax.random.normal(jax.random.key(0), (3, 8))
weight = jax.random.normal(jax.random.key(1), (8, 4))
rule = SparsityRule(weight_sparsity_n=2, weight_sparsity_m=4, weight_sparsity_update_step=2)
module = SparsityModule((8, 4), (), rule)
for _ in range(3):
    module(inputs, weight)
