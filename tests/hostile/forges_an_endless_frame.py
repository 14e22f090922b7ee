"""Announces a frame of 255 MiB, and hands it over byte by byte."""

import os
import struct
import time


def mutability_increment_count(seed, x, n_calls):
    os.write(4, struct.pack(">4sII", b"NNXC", 1000, 255 * 2**20))
    for _ in range(200):
        os.write(4, b" ")
        time.sleep(0.1)
