"""The contract `module-laws`: what every stateful `nnx.Module` owes its user, whatever it computes.

A case is a `program`: the seed of an Rngs and a sequence of operations. `execution` runs it on the subject and, in
plain Python, on a twin; `facts` records what both did in each step. `laws` judge a reading of these facts. Each law has
a few fixed programs of its own; the domain `core` draws programs that mix all operations. `script` writes a finding as
a Python file that runs on its own.
"""
