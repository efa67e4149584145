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
        n_items: items per language, (language,).
        lengths: estimated length of each true direction, 0 where its square is not above 0, (language,).
    """

    between: Array
    along: Array
    means: Array
    noise: Array
    n_items: Array
    lengths: Array


def residuals(gram: UnitGram) -> Residuals:
    """Residuals of every language's unit sums."""
    n_items = gram.counts.sum(axis=1)
    means = raw_products(gram)
    with np.errstate(invalid="ignore"):
        onto = np.einsum("iujv->iuj", gram.between) / n_items
    along = onto - gram.counts[..., None] * means[:, None]
    between = gram.between - np.einsum("iuj,jv->iujv", along, gram.counts)
    between -= np.einsum("jvi,iu->iujv", onto, gram.counts)
    norms = np.diag(unbiased_products(gram))
    noise = np.maximum(np.diag(means) - norms, np.finfo(float).tiny)
    return Residuals(between, along, means, noise, n_items, np.sqrt(np.clip(norms, 0, None)))


@dataclass(frozen=True)
class CommonAxis:
    """The direction that languages have in common, a unit vector.

    Attributes:
        coefficients: of the mean differences, (language,).
        units: inner product of each residual sum with the true direction, (language, unit).
        scale: factor that takes the noise of the estimated direction out of its products with residuals, (language,).
    """

    coefficients: Array
    units: Array
    scale: Array


def common_axis(found: Residuals, members: NDArray[np.int64]) -> CommonAxis:
    """The best linear estimate of one direction seen with lengths c and noise variances: weights c / noise.

    The estimate points a little into the noise, where residuals are long by construction: their products with it would
    be too long. What the noise of the estimate adds to their variance is estimated from products of different units.
    """
    coefficients = np.zeros(len(found.lengths))
    coefficients[members] = found.lengths[members] / found.noise[members]
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(coefficients[:, None] * coefficients != 0, found.means, 0.0)
        coefficients = np.asarray(coefficients / np.sqrt(coefficients @ known @ coefficients))
    along = np.nan_to_num(found.along)[..., members] @ coefficients[members]
    noise = np.einsum("i,iujv->ujv", coefficients[members] / found.n_items[members], found.between[members])
    own = np.einsum("i,uiu->u", coefficients[members] / found.n_items[members], noise[:, members])
    np.einsum("uju->uj", noise)[...] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = 1 - np.sum(noise**2, axis=(0, 2)) / np.sum(along**2, axis=1)
        scale = np.sqrt(np.clip(kept / max(1 - own.sum(), 0.1), 0.1, 1))
    scale = np.where(np.isfinite(scale), scale, 1.0)
    return CommonAxis(coefficients, along * scale[:, None], scale)


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
    norms = [signed_pairs(found.between[i, :, i], signs) for i in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            if np.isfinite(rho[i, j]):
                crossed = signed_pairs(found.between[i, :, j], signs)
                simulated = _simulated_rho(gram, found, (i, j), (norms[i], norms[j], crossed), signs)
                # An undefined similarity is at most as similar as any.
                below = ~(simulated > rho[i, j])
                p[i, j] = p[j, i] = (1 + below.sum()) / (1 + len(simulated))
    return p


def signed_pairs(between: Array, signs: Array) -> Array:
    """Sum of f(u) f(v) <e(u), e(v)> over different units, (replicate,), for signs (unit, replicate)."""
    return np.asarray(np.einsum("vr,vr->r", between.T @ signs, signs) - np.trace(between))


def _simulated_rho(
    gram: UnitGram, found: Residuals, pair: tuple[int, int], noise: tuple[Array, Array, Array], signs: Array
) -> Array:
    i, j = pair
    on_axis = common_axis(found, np.array(pair)).units
    totals = gram.counts.sum(axis=1)

    def product(a: int, b: int, rest: Array) -> Array:
        pairs = totals[a] * totals[b] - gram.counts[a] @ gram.counts[b]
        signal = found.lengths[a] * found.lengths[b] * pairs
        linear = found.lengths[a] * (totals[a] - gram.counts[a]) * on_axis[b]
        linear += found.lengths[b] * (totals[b] - gram.counts[b]) * on_axis[a]
        return np.asarray((signal + linear @ signs + rest) / pairs)

    with np.errstate(invalid="ignore", divide="ignore"):
        return product(i, j, noise[2]) / np.sqrt(product(i, i, noise[0]) * product(j, j, noise[1]))
