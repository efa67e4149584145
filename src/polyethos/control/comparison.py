"""Statistics of paired outcomes: exact McNemar test, paired bootstrap, Holm's correction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom


def mcnemar(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """Two-sided exact p-value that as many items turn from false to true as from true to false.

    Args:
        before: whether it happened, by item (item,), under one condition.
        after: the same items under the other condition.

    Returns:
        In (0, 1]; 1 where nothing turned.

    Source: McNemar 1947, Psychometrika 12(2), with binomial probabilities.
    """
    up, down = int(np.sum(~before & after)), int(np.sum(before & ~after))
    if up + down == 0:
        return 1.0
    return float(min(1.0, 2 * binom.cdf(min(up, down), up + down, 0.5)))


def bootstrap_interval(
    differences: NDArray[np.float64], *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean of paired differences (item,), items drawn with replacement."""
    generator = np.random.default_rng(seed)
    means = differences[generator.integers(0, len(differences), (draws, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values (test,) adjusted so that the chance of any false rejection stays below the level; NaN stays NaN.

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted


def exceedance(effect: float, null: NDArray[np.float64]) -> float:
    """The p-value (1 + null effects at least as large in absolute value) / (1 + null effects)."""
    return float((1 + np.sum(np.abs(null) >= abs(effect))) / (1 + len(null)))
