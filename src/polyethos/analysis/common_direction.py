"""The null model of one common direction: what consistency and transfer look like if languages differ in noise only.

Differences are simulated as d*_i(u) = c_i w + f(u) e_i(u): one direction w for all languages, each with its estimated
length c_i, plus its own residuals e_i with a random sign per unit. Residuals keep their covariance, and translations
the noise that they share. Everything follows from inner products; no hidden state is touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyethos.analysis.similarity import UnitGram, raw_products, unbiased_products

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Residuals:
    """Unit sums around the mean difference of their language.

    Attributes:
        between: inner products of residual sums, (source, unit, target, unit).
        along: inner product of a residual sum with every mean difference, (language, unit, mean's language).
        means: inner products of the mean differences, (language, language).
        noise: squared length of the noise in each mean difference, (language,).
        lengths: estimated length of each true direction, 0 where its square is not above 0, (language,).
    """

    between: Array
    along: Array
    means: Array
    noise: Array
    lengths: Array


def residuals(gram: UnitGram) -> Residuals:
    """Residuals of every language's unit sums."""
    n_items = gram.counts.sum(axis=1)
    means = raw_products(gram)
    onto = np.einsum("iujv->iuj", gram.between) / n_items
    along = onto - gram.counts[..., None] * means[:, None]
    between = gram.between - np.einsum("iuj,jv->iujv", along, gram.counts)
    between -= np.einsum("jvi,iu->iujv", onto, gram.counts)
    norms = np.diag(unbiased_products(gram))
    noise = np.maximum(np.diag(means) - norms, np.finfo(float).tiny)
    return Residuals(between, along, means, noise, np.sqrt(np.clip(norms, 0, None)))


def common_axis(found: Residuals, members: NDArray[np.int64]) -> Array:
    """Coefficients of the mean differences that make the unit vector of one direction common to `members`."""
    coefficients = np.zeros(len(found.lengths))
    # The best linear estimate of a direction seen with lengths c and noise variances: weights c / noise.
    coefficients[members] = found.lengths[members] / found.noise[members]
    return np.asarray(coefficients / np.sqrt(coefficients @ found.means @ coefficients))


def p_identical(gram: UnitGram, rho: Array, signs: Array) -> Array:
    """One-sided p for rho = 1: how often one common direction looks at most as similar as `rho`.

    Args:
        gram: of the value and layer.
        rho: noise-corrected similarity, (source, target), NaN where undefined.
        signs: random signs of the units, (unit, replicate).

    Returns:
        (source, target); NaN where `rho` is and on the diagonal.
    """
    found = residuals(gram)
    n = len(rho)
    p = np.full((n, n), np.nan)
    norms = [_quadratic(found.between[i, :, i], signs) for i in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            if np.isfinite(rho[i, j]):
                crossed = _quadratic(found.between[i, :, j], signs)
                simulated = _simulated_rho(gram, found, (i, j), (norms[i], norms[j], crossed), signs)
                # An undefined similarity is at most as similar as any.
                below = ~(simulated > rho[i, j])
                p[i, j] = p[j, i] = (1 + below.sum()) / (1 + len(simulated))
    return p


def _quadratic(between: Array, signs: Array) -> Array:
    """Sum of f(u) f(v) <e(u), e(v)> over different units, per replicate."""
    return np.asarray(np.einsum("vr,vr->r", between.T @ signs, signs) - np.trace(between))


def _simulated_rho(
    gram: UnitGram, found: Residuals, pair: tuple[int, int], noise: tuple[Array, Array, Array], signs: Array
) -> Array:
    i, j = pair
    axis = common_axis(found, np.array(pair))
    totals = gram.counts.sum(axis=1)
    on_axis = found.along @ axis  # (language, unit)

    def product(a: int, b: int, rest: Array) -> Array:
        pairs = totals[a] * totals[b] - gram.counts[a] @ gram.counts[b]
        signal = found.lengths[a] * found.lengths[b] * pairs
        linear = found.lengths[a] * (totals[a] - gram.counts[a]) * on_axis[b]
        linear += found.lengths[b] * (totals[b] - gram.counts[b]) * on_axis[a]
        return np.asarray((signal + linear @ signs + rest) / pairs)

    with np.errstate(invalid="ignore", divide="ignore"):
        return product(i, j, noise[2]) / np.sqrt(product(i, i, noise[0]) * product(j, j, noise[1]))
