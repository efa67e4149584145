"""Regression of a quantity of language pairs, with a random effect for each of the two languages.

Pairs that share a language are not independent, so that standard errors of ordinary regression are far too small.
Here a pair's error is the sum of its two languages' effects and its own; and inference comes from permuting whole
languages and from leaving languages out, not from the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dyads:
    """A response and predictors over unordered pairs of languages.

    Attributes:
        response: symmetric (language, language), NaN where undefined.
        predictors: symmetric (predictor, language, language), NaN where unknown.
    """

    response: Array
    predictors: Array

    def without(self, language: int) -> Dyads:
        """The same without one language."""
        kept = np.delete(np.arange(len(self.response)), language)
        return Dyads(self.response[np.ix_(kept, kept)], self.predictors[:, kept[:, None], kept])

    def complete(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of each pair i < j for which everything is known."""
        known = np.isfinite(self.response) & np.isfinite(self.predictors).all(axis=0)
        rows, columns = np.nonzero(np.triu(known, 1))
        return rows, columns


@dataclass(frozen=True)
class Fit:
    """Generalised least squares.

    Attributes:
        effects: intercept first, then one per predictor.
        scores: effects in standard errors.
        ratio: variance of a language's effect over that of a pair's own error.
    """

    effects: Array
    scores: Array
    ratio: float


def fit(dyads: Dyads, *, ratio: float | None = None) -> Fit:
    """Regress the response on the predictors, language effects random.

    Args:
        dyads: the pairs; incomplete ones are left out.
        ratio: variance ratio of the language effects; estimated by restricted maximum likelihood by default.

    Source: Patterson and Thompson 1971 for REML; Snijders and Kenny 1999 for pairs with shared members.
    """
    rows, columns = dyads.complete()
    axes = _Axes.of(_members(rows, columns, len(dyads.response)))
    y, x = axes.rotated(dyads.response[rows, columns]), axes.rotated(_design(dyads.predictors[:, rows, columns]))
    if ratio is None:
        # Between a hundredth of and a hundred times the pair's own variance; below that, none.
        found = optimize.minimize_scalar(
            lambda log_ratio: _deviance(y, x, axes, float(np.exp(log_ratio))), bounds=(-5, 5), method="bounded"
        )
        best = float(np.exp(found.x))
        ratio = best if found.fun < _deviance(y, x, axes, 0.0) else 0.0
    weights = axes.weights(ratio)
    return Fit(*_least_squares(weights * y, weights[:, None] * x), ratio)


@dataclass(frozen=True)
class _Axes:
    """Axes along which the errors of the pairs are independent, whatever the variance of the languages' effects.

    Attributes:
        basis: orthonormal columns, (pair, axis).
        shared: variance that effects of variance 1 bring along each axis, (axis,).
    """

    basis: Array
    shared: Array

    @classmethod
    def of(cls, members: Array) -> _Axes:
        basis, lengths, _ = np.linalg.svd(members, full_matrices=True)
        return cls(basis, np.concatenate([lengths**2, np.zeros(len(members) - len(lengths))])[: len(members)])

    def rotated(self, values: Array) -> Array:
        """Values of the pairs, (pair, ...), along the axes."""
        return np.asarray(self.basis.T @ values)

    def weights(self, ratio: float) -> Array:
        """One over the standard deviation of the errors along each axis."""
        return np.asarray(1 / np.sqrt(1 + ratio * self.shared))


def double_semi_partialling(dyads: Dyads, predictor: int, *, permutations: int, seed: int) -> tuple[float, float]:
    """Test one predictor by permuting the languages of what the other predictors do not explain of it.

    Returns:
        Two-sided p, and the standard deviation of the effect under the permutations.

    Source: Dekker, Krackhardt and Snijders 2007, doi:10.1007/s11336-007-9016-1.
    """
    observed = fit(dyads)
    rows, columns = dyads.complete()
    others = np.delete(np.arange(len(dyads.predictors)), predictor)
    values = dyads.predictors[:, rows, columns]
    rest = np.full_like(dyads.response, np.nan)
    explained = _design(values[others])
    rest[rows, columns] = values[predictor] - explained @ np.linalg.lstsq(explained, values[predictor], rcond=None)[0]
    rest[columns, rows] = rest[rows, columns]
    axes = _Axes.of(_members(rows, columns, len(dyads.response)))
    random = np.random.default_rng(seed)
    orders = random.permuted(np.tile(np.arange(len(rest)), (permutations, 1)), axis=1)
    moved = rest[orders[:, rows], orders[:, columns]]
    known = np.isfinite(moved).all(axis=1)
    fixed = np.column_stack([dyads.response[rows, columns], np.ones(len(rows)), values[others].T])
    scores, effects = np.empty(permutations), np.empty(permutations)
    effects[known], scores[known] = _of_first(moved[known].T, fixed, axes, observed.ratio)
    for k in np.flatnonzero(~known):
        there = np.isfinite(moved[k])
        fewer = _Axes.of(_members(rows[there], columns[there], len(dyads.response)))
        effects[[k]], scores[[k]] = _of_first(moved[k, there][:, None], fixed[there], fewer, observed.ratio)
    extreme = np.sum(np.abs(scores) >= abs(observed.scores[1 + predictor]) - 1e-12)
    return float((1 + extreme) / (1 + permutations)), float(effects.std())


def _of_first(moved: Array, fixed: Array, axes: _Axes, ratio: float) -> tuple[Array, Array]:
    """Effects of many predictors, each beside the same others, and the effects in standard errors.

    Args:
        moved: a predictor per column, (pair, column).
        fixed: the response, then the other predictors, (pair, 1 + other).
        axes: of the same pairs.
        ratio: variance ratio of the language effects.

    Source: Frisch and Waugh 1933: regress both sides on the others, then one on the other.
    """
    weights = axes.weights(ratio)[:, None]
    whitened, others = weights * axes.rotated(moved), weights * axes.rotated(fixed)
    basis = np.linalg.qr(others[:, 1:])[0]
    y = others[:, 0] - basis @ (basis.T @ others[:, 0])
    x = whitened - basis @ (basis.T @ whitened)
    squares = np.sum(x**2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effects = (y @ x) / squares
        left = y @ y - effects**2 * squares
        return effects, effects / np.sqrt(left / (len(y) - others.shape[1]) / squares)


def jackknife(dyads: Dyads) -> Array:
    """Effects with each language left out in turn: (language, effect)."""
    return np.array([fit(dyads.without(k)).effects for k in range(len(dyads.response))])


def _design(predictors: Array) -> Array:
    return np.column_stack([np.ones(predictors.shape[1]), predictors.T])


def _members(rows: NDArray[np.int64], columns: NDArray[np.int64], n_languages: int) -> Array:
    """1 where a pair holds a language: (pair, language)."""
    members = np.zeros((len(rows), n_languages))
    members[np.arange(len(rows)), rows] = members[np.arange(len(rows)), columns] = 1
    return members


def _least_squares(y: Array, x: Array) -> tuple[Array, Array]:
    """Effects and effects in standard errors."""
    inverse = np.linalg.pinv(x.T @ x)
    effects = inverse @ x.T @ y
    variance = np.sum((y - x @ effects) ** 2) / (len(y) - x.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return effects, effects / np.sqrt(variance * np.diag(inverse))


def _deviance(y: Array, x: Array, axes: _Axes, ratio: float) -> float:
    """Minus twice the restricted log-likelihood, up to a constant, from values along the axes."""
    weights = axes.weights(ratio)
    white_y, white_x = weights * y, weights[:, None] * x
    freedom = len(y) - x.shape[1]
    effects = np.linalg.lstsq(white_x, white_y, rcond=None)[0]
    error = float(np.sum((white_y - white_x @ effects) ** 2))
    covariance = -2 * np.sum(np.log(weights))
    return float(freedom * np.log(error / freedom) + covariance + np.linalg.slogdet(white_x.T @ white_x)[1])
