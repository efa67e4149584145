"""Sign patterns, bootstrap weights, and what follows from them: p-values and intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

PARTS = 5
"""Parts that the units are dealt into; the signs of a part are turned together within a coset of sign patterns."""

TURNS = 16
"""Patterns of a coset, 2 ** (PARTS - 1): turning all parts together changes no statistic."""


@dataclass(frozen=True)
class SignFlips:
    """Sign patterns over units: `base` times each of the 16 ways to turn whole parts, a union of cosets.

    The first pattern of all leaves the data as they are. Since every coset is complete and the first one holds the
    observed data, the patterns are exchangeable and p-values from them exact (Hemerik and Goeman 2018, section 2),
    while sums over a part serve all 16 patterns of its coset.

    Attributes:
        base: float32 (unit, coset), 1 or -1, first column all 1.
        part: part of each unit, 0..PARTS-1, shape (unit,).
    """

    base: NDArray[np.float32]
    part: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Number of patterns, the observed one included."""
        return int(self.base.shape[1] * TURNS)

    def patterns(self) -> NDArray[np.float32]:
        """Every pattern in the order of all results: float32 (unit, total), pattern = turn * n_cosets + coset."""
        turned = [self.base * turn[self.part][:, None] for turn in part_turns()]
        return np.concatenate(turned, axis=1)


def part_turns() -> NDArray[np.float32]:
    """Signs of the parts in the patterns of a coset: float32 (TURNS, PARTS), first row all 1, last column all 1."""
    turns = [[1 - 2 * (h >> (PARTS - 2 - p) & 1) for p in range(PARTS - 1)] + [1] for h in range(TURNS)]
    return np.array(turns, dtype=np.float32)


def sign_flips(fold: NDArray[np.int64], patterns: int, *, seed: int) -> SignFlips:
    """At least `patterns` sign patterns for units in these folds; units of every fold are spread over all parts."""
    random = np.random.default_rng(seed)
    n_cosets = -(-patterns // TURNS)
    base = random.integers(0, 2, size=(len(fold), n_cosets)).astype(np.float32) * 2 - 1
    base[:, 0] = 1
    order = np.lexsort((random.random(len(fold)), fold))
    part = np.empty(len(fold), dtype=np.int64)
    part[order] = np.arange(len(fold)) % PARTS
    return SignFlips(base, part)


def bootstrap_weights(n_units: int, replicates: int, *, seed: int) -> NDArray[np.float64]:
    """How often each unit is drawn in each bootstrap sample of whole units: (replicate, unit)."""
    random = np.random.default_rng(seed)
    return random.multinomial(n_units, np.full(n_units, 1 / n_units), size=replicates).astype(np.float64)


def random_signs(n_units: int, replicates: int, *, seed: int) -> NDArray[np.float64]:
    """Independent signs of the units, 1 or -1: (unit, replicate)."""
    drawn = np.random.default_rng(seed).integers(0, 2, size=(n_units, replicates))
    return np.asarray(drawn * 2.0 - 1.0, dtype=np.float64)


def percentile_interval(replicates: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Percentile bootstrap interval along the first axis; NaN where more than half of the replicates are undefined."""
    undefined = np.isnan(replicates).mean(axis=0) > 0.5
    filled = np.where(undefined, 0.0, replicates)
    low, high = np.nanquantile(filled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def wilson_interval(
    share: Array, variance: Array, n_items: Array, *, n_units: int, level: float = 0.95
) -> tuple[Array, Array]:
    """Interval of a share whose sampling variance is known from a cluster bootstrap.

    The variance sets the effective number of items, which goes into Wilson's interval: unlike percentiles, it does
    not shrink to a point at 0 or 1, where the bootstrap sees no variation at all.

    Args:
        share: accuracy in [0, 1].
        variance: its bootstrap variance.
        n_items: items it was counted on, an upper bound of the effective number.
        n_units: units it was counted on, the effective number where every item came out alike.
        level: coverage.

    Returns:
        Lower and upper ends.

    Source: Wilson 1927; effective sample size as in Korn and Graubard 1998.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(variance > 0, share * (1 - share) / variance, n_units)
    # A language without items is NaN all through: its share is.
    effective = np.clip(effective, 1, np.maximum(n_items, 1))
    z = stats.norm.ppf((1 + level) / 2)
    centre = (share + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
    return centre - half, centre + half


def holm(p_values: Array) -> Array:
    """p-values corrected for their number. Source: Holm 1979."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty_like(stepped)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
