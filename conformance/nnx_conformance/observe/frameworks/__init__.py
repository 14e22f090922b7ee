"""Loads and observes candidates that are functions and use Flax NNX, Flax Linen or PyTorch."""
