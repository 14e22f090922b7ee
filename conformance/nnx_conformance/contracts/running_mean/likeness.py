"""Names for a wrong mean: momentum the wrong way round, another axis, another start. A hint, not a judgement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.contracts.running_mean.oracle import running

WITHOUT_STEPS = "no step was made, so it should be the start: zeros"
#: The relative rounding of bfloat16, the coarsest dtype.
COARSE = 2.0**-8
NOTHING = "further off than float32 arithmetic in any order can be"


def like(batches: np.ndarray, momentum: float, observed: np.ndarray, bound: np.ndarray) -> str:
    """The cause of a wrong mean.

    Args:
        batches: shape `[steps, batch, features]`.
        momentum: in [0, 1).
        observed, bound: the wrong mean, and the largest error of a right one; shape `[features]`.
    """
    if not len(batches):
        return WITHOUT_STEPS
    with np.errstate(all="ignore"):
        names = [name for name, values in _likenesses(batches, momentum) if _near(observed, values, bound)]
        rounded = COARSE * min(len(batches), 1 / (1 - momentum)) * np.abs(batches).max(initial=0)
        half = bool(np.all(np.abs(observed - running(batches, momentum).values[-1]) <= bound + rounded))
    if 1 <= len(names) <= 3:
        return f"it is {' or '.join(names)}"
    return f"{NOTHING}, and yet near it: accumulated in half precision, or with a rounded momentum" if half else NOTHING


def _near(observed: np.ndarray, values: np.ndarray, bound: np.ndarray) -> bool:
    return values.shape == observed.shape and bool(np.all(np.abs(observed - values) <= 4 * bound + 1e-30))


def _likenesses(batches: np.ndarray, momentum: float) -> Iterator[tuple[str, np.ndarray]]:
    steps, count, features = batches.shape
    numbers = batches.astype(np.float64)
    means = numbers.mean(axis=1)
    final = running(batches, momentum).values[-1]
    yield "the start: no update shows in it", np.zeros(features)
    yield "the mean with momentum the wrong way round", running(batches, 1 - momentum).values[-1]
    if steps > 1:
        yield "the last step alone: each step starts from the first state", (1 - momentum) * means[-1]
        yield "the mean of all steps, without momentum", means.mean(axis=0)
        yield "the mean without the first step", running(batches[1:], momentum).values[-1]
        yield "the mean without the last step", running(batches[:-1], momentum).values[-1]
    twice = np.concatenate([batches[:1], batches])
    yield "the mean with the first batch counted twice, as when `init` updates it", running(twice, momentum).values[-1]
    yield "the mean that starts from ones", running(batches, momentum, np.ones(features)).values[-1]
    yield "the mean that starts from the first batch", running(batches, momentum, means[0]).values[-1]
    yield "the mean corrected for its start", final / (1 - momentum**steps)
    yield "the sum over the batch instead of its mean", final * count
    if count > 1:
        yield "the sum over the batch divided by one less than its size", final * count / (count - 1)
    yield "the mean of the last batch", means[-1]
    if count == features:
        yield "the mean over the features instead of the batch", running(numbers.swapaxes(1, 2), momentum).values[-1]
    everything = np.repeat(numbers.reshape(steps, -1, 1), features, axis=2)
    yield "the mean over batch and features together", running(everything, momentum).values[-1]
