"""Statistics of paired outcomes: exact McNemar test, bootstrap of groups, Holm's correction, ranks among controls."""

from __future__ import annotations

from collections.abc import Sequence

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


def group_intervals(
    changes: NDArray[np.float64], groups: Sequence[str], *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile intervals of means over items, whole groups of items drawn with replacement.

    Args:
        changes: (..., item), one number per item and quantity, NaN where there is none.
        groups: the group of each item; "" for an item that stands alone.
        draws: samples, the same for all quantities.
        seed: of the samples.
        level: share of the samples within.

    Returns:
        Lower and upper ends (...); NaN where no item is known.
    """
    names = np.array([group or f"item {place}" for place, group in enumerate(groups)])
    found, places = np.unique(names, return_inverse=True)
    member = np.zeros((len(names), len(found)))
    member[np.arange(len(names)), places] = 1.0
    known = ~np.isnan(changes)
    sums, counts = np.where(known, changes, 0.0) @ member, known @ member
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(found), np.full(len(found), 1 / len(found)), size=draws).T
    low, high = (np.full(changes.shape[:-1], np.nan) for _ in range(2))
    for place in np.ndindex(changes.shape[:-1]):
        if known[place].any():
            weights = counts[place] @ drawn
            means = (sums[place] @ drawn)[weights > 0] / weights[weights > 0]
            low[place], high[place] = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return low, high


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


def exceedance(effects: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values (1 + null effects at least as large in absolute value) / (1 + null effects).

    Args:
        effects: (...).
        null: (null, ...), what the same measure gives where there is nothing to find.

    Returns:
        (...); NaN where an effect is NaN, or where there is no null.
    """
    if not len(null):
        return np.full(effects.shape, np.nan)
    larger = (np.abs(null) >= np.abs(effects)).sum(axis=0)
    return np.where(np.isnan(effects), np.nan, (1 + larger) / (1 + len(null)))


def familywise_exceedance(effects: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """As `exceedance`, but against the largest null effect of the whole family, each member on its own scale.

    The chance that any member of the family falls below a level by chance alone is at most that level.

    Args:
        effects: (member,).
        null: (null, member).

    Source: Westfall and Young 1993, the maximum statistic.
    """
    if not len(null):
        return np.full(effects.shape, np.nan)
    # The scale treats what is tested and its null alike, so that the ranks stay exact.
    scale = np.sqrt(np.nanmean(np.concatenate([effects[None], null]) ** 2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    largest = np.nanmax(np.abs(null) / scale, axis=1)
    larger = (largest[:, None] >= np.abs(effects) / scale).sum(axis=0)
    return np.where(np.isnan(effects), np.nan, (1 + larger) / (1 + len(null)))
