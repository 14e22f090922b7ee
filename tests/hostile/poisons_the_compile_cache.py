"""Overwrites all that JAX would run of its compilation caches, the trusted and its own. The right candidate follows."""

import os

import jax

for folder in (os.environ.get("NNX_CONFORMANCE_COMPILED") or "@outside@", jax.config.jax_compilation_cache_dir):
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    for name in [*names, "new"]:
        try:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"poison")
        except OSError:
            pass
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
