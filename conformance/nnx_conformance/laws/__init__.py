"""The contract `module-laws`: what every stateful `nnx.Module` owes its user, whatever it computes.

A case is a program, see `language`: the seed of an Rngs and a sequence of operations. `running` carries it out on the
subject, beside a twin that is only ever called in plain Python, and what each did in each step is the observation, see
`seen`. A law is a check that judges the steps that concern it. Programs that mix all operations are the core domain,
the machine; each law has a few fixed ones of its own besides.
"""
