"""pass@k: how likely one of k samples of a task conforms, from the candidates whose ids are `task/sample`.

The estimate of each task is the unbiased one of Chen et al. (2021), 1 - C(n - c, k) / C(n, k) for c that conform among
n; the figure is the mean over the tasks. Its interval is Wilson's score interval of 95 %, which keeps its width where
all or none conform: for one task over its samples, for several over the tasks, as many as their spread amounts to.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from nnx_conformance.core.errors import expected
from nnx_conformance.grading.grade import FINAL
from nnx_conformance.grading.store import StoredGrade

Z = NormalDist().inv_cdf(0.975)
FIX = "Name candidates `task/sample`, as a folder of one folder for each task does."


@dataclass(frozen=True)
class Pass:
    """One figure.

    Attributes:
        k: of how many samples.
        share: the estimate, 0 to 1.
        low, high: the bounds of its interval.
        tasks, samples: what it rests on.
        left_out: how many tasks have fewer than k samples.
    """

    k: int
    share: float
    low: float
    high: float
    tasks: int
    samples: int
    left_out: int


def passes(rows: Iterable[StoredGrade], ks: Sequence[int]) -> list[Pass]:
    """pass@k for each k. A candidate without a verdict is no sample; one that timed out does not pass.

    Raises:
        Misuse: if a k is < 1, an id is not of the form, or no task has so many samples.
    """
    tasks = _tasks(rows)
    return [_pass(tasks, k) for k in ks]


def _tasks(rows: Iterable[StoredGrade]) -> dict[str, list[bool]]:
    tasks: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        task, slash, sample = row.id.rpartition("/")
        if not (task and slash and sample):
            raise expected("ids of the form task/sample with --pass-at", "id", row.id, FIX)
        if row.status in FINAL:
            tasks[task].append(row.status == "conforms")
    return tasks


def _pass(tasks: dict[str, list[bool]], k: int) -> Pass:
    if k < 1:
        raise expected("a whole number >= 1", "--pass-at", k, "Leave it out for the listing.")
    enough = {task: passed for task, passed in tasks.items() if len(passed) >= k}
    if not enough:
        most = max(map(len, tasks.values()), default=0)
        what = "a number of judged samples that some task has"
        raise expected(what, "--pass-at", k, f"The largest task has {most}.")
    shares = [estimate(len(passed), sum(passed), k) for passed in enough.values()]
    low, high = _interval(shares, list(enough.values()), k)
    samples = sum(map(len, enough.values()))
    return Pass(k, fmean(shares), low, high, len(enough), samples, len(tasks) - len(enough))


def estimate(n: int, c: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k): of k samples out of n, of which c pass, how likely one passes."""
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def _interval(shares: list[float], tasks: list[list[bool]], k: int) -> tuple[float, float]:
    if len(tasks) == 1:
        bounds = wilson(fmean(tasks[0]), len(tasks[0]))
        return 1 - (1 - bounds[0]) ** k, 1 - (1 - bounds[1]) ** k
    mean, spread = fmean(shares), variance(shares)
    # As many yes-or-no tasks as vary so much; no fewer than there are, or tasks that all come to the same say too much.
    amount = max(float(len(shares)), mean * (1 - mean) * len(shares) / spread) if spread else float(len(shares))
    return wilson(mean, amount)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's score interval of 95 % for a share of n."""
    centre, scale = share + Z**2 / (2 * n), 1 + Z**2 / n
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
