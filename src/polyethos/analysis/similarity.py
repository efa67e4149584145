"""Consistency corrected for estimation noise: what the cosine of two directions would be with endless items.

The inner product of two mean differences adds, to that of the true directions, the noise that the same items bring
into both. Leaving out the products of a unit with itself removes it: for items as units and none missing,
C_ij = m_i . m_j - tr(S_ij) / n exactly, the U-statistic of the inner product. With groups, and with items that one
language lacks, it stays unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyethos.analysis.products import Products
from polyethos.analysis.resampling import percentile_interval

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class UnitGram:
    """Inner products of unit sums, and which of them count.

    Attributes:
        between: (source, unit, target, unit).
        counts: items per (language, unit).
        counted: whether a pair of units counts, (unit, unit); a unit with itself never does.
    """

    between: Array
    counts: Array
    counted: Mask


@dataclass(frozen=True)
class Estimate:
    """An estimate with its bootstrap.

    Attributes:
        value: the estimate.
        low, high: 95 % interval.
        replicates: the estimate in every bootstrap sample, (replicate, ...).
    """

    value: Array
    low: Array
    high: Array
    replicates: Array


@dataclass(frozen=True)
class Consistency:
    """Noise-corrected similarity of one value at one layer.

    Attributes:
        rho: cosine of the true directions, (source, target), 1 on the diagonal, NaN where a direction is undefined. May
            leave [-1, 1]: estimates of a cosine near 1 must, to be right on average.
        norm: squared length of the true direction, (language,).
        defined: whether the interval of `norm` lies above 0, (language,).
        p_unrelated: two-sided p for rho = 0, (source, target).
    """

    rho: Estimate
    norm: Estimate
    defined: Mask
    p_unrelated: Array


def unit_gram(products: Products) -> UnitGram:
    """The unit sums of `products`, every pair of different units counted."""
    return UnitGram(products.between_units(), products.counts(), ~np.eye(products.units.n_units, dtype=bool))


def unbiased_products(gram: UnitGram) -> Array:
    """Inner products of the true directions of every two languages, C_ij; N_i on the diagonal.

    Returns:
        (source, target), unbiased; NaN where two languages lack units to pair.
    """
    sums = np.einsum("iujv,uv->ij", gram.between, gram.counted.astype(float), optimize=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(_n_pairs(gram) > 0, sums / _n_pairs(gram), np.nan))


def raw_products(gram: UnitGram) -> Array:
    """Inner products of the mean differences as estimated, noise and all: (source, target)."""
    n_items = gram.counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(gram.between.sum(axis=(1, 3)) / (n_items[:, None] * n_items))


def reliability(gram: UnitGram) -> Array:
    """Share of a mean difference's squared length that is no noise, N_i / |m_i|^2: (language,), below 0 by chance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.diag(unbiased_products(gram)) / np.diag(raw_products(gram)))


def ratio(products: Array) -> Array:
    """Cosines C_ij / sqrt(N_i N_j) from (..., source, target); NaN where a squared length is not above 0."""
    norms = np.einsum("...ii->...i", products)
    with np.errstate(invalid="ignore"):
        lengths = np.sqrt(np.where(norms > 0, norms, np.nan))
    return np.asarray(products / (lengths[..., :, None] * lengths[..., None, :]))


def consistency(gram: UnitGram, weights: Array, signs: Array) -> Consistency:
    """Noise-corrected similarity of every two languages, its intervals, and the test of rho = 0.

    Intervals bootstrap whole units. The test flips the sign of what a unit contributes to C_ij around its mean, in
    both languages at once: it keeps the directions themselves and the noise that translations share. Flipping the
    differences of each language on its own would do neither, and reject too often whenever both directions exist.

    Args:
        gram: of the value and layer.
        weights: bootstrap weights of the units, (replicate, unit).
        signs: random signs of the units, (unit, replicate).
    """
    products = unbiased_products(gram)
    n = len(products)
    kernels = {(i, j): _kernel(gram, products, i, j) for i in range(n) for j in range(i, n)}
    norm = _estimates([products[i, i] for i in range(n)], [kernels[i, i] for i in range(n)], weights)
    defined = norm.low > 0
    rho = ratio(np.where(defined[:, None] & defined, products, np.nan))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    slopes = [_ratio_kernel(kernels, products, rho[i, j], i, j) for i, j in pairs]
    cosines = _estimates([rho[pair] for pair in pairs], slopes, weights)
    p = [_flipped_p(products[pair], kernels[pair], signs) if np.isfinite(rho[pair]) else np.nan for pair in pairs]
    square = _Square(pairs, np.where(defined, 1.0, np.nan))
    table = Estimate(
        rho, square(cosines.low), square(cosines.high), np.stack([square(row) for row in cosines.replicates])
    )
    return Consistency(table, norm, defined, square(np.array(p), diagonal=np.nan))


def influence(kernel: Array) -> tuple[Array, float]:
    """What each unit contributes to a sum over pairs of units, and by how much its spread overstates the sum's.

    The contributions contain the noise of the units they are paired with, so that in a sum of pure noise the variance
    of each pair is counted twice. The factor takes it out again.

    Args:
        kernel: (unit, unit), 0 on the diagonal, sum 0.

    Returns:
        Contributions (unit,), sum 0, and the factor by which resampled contributions are to be multiplied.

    Source: Hoeffding 1948 (decomposition); Efron and Stein 1981 (the jackknife's excess).
    """
    n_units = len(kernel)
    symmetric = (kernel + kernel.T) / 2
    rows = symmetric.sum(axis=1)
    rest = symmetric - (rows[:, None] + rows) / (n_units - 2)
    rest[symmetric == 0] = 0
    linear, quadratic = n_units / (n_units - 1) * np.sum((2 * rows) ** 2), 2 * np.sum(rest**2)
    # A sum of pure noise has half the variance that its contributions suggest, and none has less.
    factor = np.sqrt(max(0.5, 1 - quadratic / linear)) if linear > 0 else 1.0
    return 2 * rows, float(factor)


def _n_pairs(gram: UnitGram) -> Array:
    return np.asarray(gram.counts @ gram.counted.astype(float) @ gram.counts.T)


def _kernel(gram: UnitGram, products: Array, i: int, j: int) -> Array:
    """Deviation of C_ij as a sum over pairs of units (unit, unit)."""
    expected = products[i, j] * np.outer(gram.counts[i], gram.counts[j])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((gram.between[i, :, j] - expected) * gram.counted / _n_pairs(gram)[i, j])


def _ratio_kernel(kernels: dict[tuple[int, int], Array], products: Array, rho: float, i: int, j: int) -> Array:
    """Deviation of rho_ij as a sum over pairs of units, to first order in those of C_ij, N_i and N_j."""
    with np.errstate(invalid="ignore"):
        length = np.sqrt(products[i, i] * products[j, j])
    norms = kernels[i, i] / products[i, i] + kernels[j, j] / products[j, j]
    return np.asarray(kernels[i, j] / length - rho / 2 * norms)


def _estimates(values: list[float], kernels: list[Array], weights: Array) -> Estimate:
    value = np.array(values)
    if not kernels:  # a single language has no other to be compared with
        return Estimate(value, value, value, np.empty((len(weights), 0)))
    columns = [np.multiply(*influence(kernel)) for kernel in kernels]
    replicates = value + (weights - 1) @ np.reshape(columns, (len(columns), -1)).T
    return Estimate(value, *percentile_interval(replicates), replicates)


def _flipped_p(value: float, kernel: Array, signs: Array) -> float:
    """Two-sided p of a sum over pairs of units, from random signs of the units' contributions.

    Both sides are studentised: a pattern that happens to line up large contributions is measured by what is left of
    their spread, as the observed sum is.

    Source: Janssen 1997 (studentised tests by resampling).
    """
    contributions, factor = influence(kernel)
    squares = float(np.sum(contributions**2))
    if squares == 0:
        return 1.0
    sums = np.abs(contributions @ signs)
    with np.errstate(divide="ignore"):
        flipped = sums / np.sqrt(np.maximum(squares - sums**2 / len(kernel), 0))
    observed = abs(value) / (factor * np.sqrt(squares))
    return float((1 + np.sum(flipped >= observed)) / (1 + signs.shape[1]))


@dataclass(frozen=True)
class _Square:
    """Puts numbers of unordered pairs into a symmetric table."""

    pairs: list[tuple[int, int]]
    diagonal: Array

    def __call__(self, values: Array, *, diagonal: float = 1.0) -> Array:
        table = np.diag(self.diagonal * diagonal)
        for (i, j), value in zip(self.pairs, values, strict=True):
            table[i, j] = table[j, i] = value
        return table
