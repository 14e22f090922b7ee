"""Hands over JSON that nests a million deep."""

import os
import struct


def mutability_increment_count(seed, x, n_calls):
    text = memoryview(b"[" * 1_000_000)
    os.write(4, struct.pack(">4sII", b"NNXC", len(text), 0))
    while text:
        text = text[os.write(4, text) :]
