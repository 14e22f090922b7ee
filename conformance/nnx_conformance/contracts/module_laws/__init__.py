"""The contract `module-laws`: what every stateful `nnx.Module` owes its user, whatever it computes.

A case is a `program`: the seed of an Rngs and a sequence of operations. `execution` carries it out on the subject,
beside a twin that is only ever called in plain Python; what each did in each step is in `facts`. `laws` judge a reading
of them: each has a few fixed programs of its own, and those that the machine draws, of all operations, are the core.
`script` writes a finding down as Python that runs as it stands.
"""
