"""Overwrites every entry of JAX's compilation cache, which JAX would run. The right candidate follows."""

import os

import jax

folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or jax.config.jax_compilation_cache_dir or "@outside@"
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
