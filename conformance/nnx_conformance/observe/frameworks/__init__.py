"""Candidates that are functions and use Flax NNX, Flax Linen or PyTorch: how they are loaded and observed."""
