"""Regression of a quantity of language pairs, with a random effect for each of the two languages.

Pairs that share a language are not independent, so that standard errors of ordinary regression are far too small.
Here a pair's error is the sum of its two languages' effects and its own; and inference comes from permuting whole
languages and from leaving languages out, not from the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

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
    y, x = dyads.response[rows, columns], _design(dyads.predictors[:, rows, columns])
    members = _members(rows, columns, len(dyads.response))
    if ratio is None:
        # Between a hundredth of and a hundred times the pair's own variance; below that, none.
        found = optimize.minimize_scalar(
            lambda log_ratio: _deviance(y, x, members, float(np.exp(log_ratio))), bounds=(-5, 5), method="bounded"
        )
        best = float(np.exp(found.x))
        ratio = best if found.fun < _deviance(y, x, members, 0.0) else 0.0
    y, x = _whiten(members, ratio, y, x)
    return Fit(*_least_squares(y, x), ratio)


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
    members = _members(rows, columns, len(dyads.response))
    factor = linalg.cholesky(_covariance(members, observed.ratio), lower=True)
    random = np.random.default_rng(seed)
    scores, effects = np.empty(permutations), np.empty(permutations)
    for k in range(permutations):
        order = random.permutation(len(rest))
        moved = rest[order[rows], order[columns]]
        known = np.isfinite(moved)
        design = np.column_stack([np.ones(len(rows)), moved, values[others].T])[known]
        response = dyads.response[rows, columns][known]
        part = factor if known.all() else linalg.cholesky(_covariance(members[known], observed.ratio), lower=True)
        whitened = linalg.solve_triangular(part, np.column_stack([response, design]), lower=True)
        found, score = _least_squares(whitened[:, 0], whitened[:, 1:])
        effects[k], scores[k] = found[1], score[1]
    extreme = np.sum(np.abs(scores) >= abs(observed.scores[1 + predictor]) - 1e-12)
    return float((1 + extreme) / (1 + permutations)), float(effects.std())


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


def _covariance(members: Array, ratio: float) -> Array:
    return np.eye(len(members)) + ratio * members @ members.T


def _whiten(members: Array, ratio: float, y: Array, x: Array) -> tuple[Array, Array]:
    factor = linalg.cholesky(_covariance(members, ratio), lower=True)
    whitened = linalg.solve_triangular(factor, np.column_stack([y, x]), lower=True)
    return whitened[:, 0], whitened[:, 1:]


def _least_squares(y: Array, x: Array) -> tuple[Array, Array]:
    """Effects and effects in standard errors."""
    inverse = np.linalg.pinv(x.T @ x)
    effects = inverse @ x.T @ y
    variance = np.sum((y - x @ effects) ** 2) / (len(y) - x.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return effects, effects / np.sqrt(variance * np.diag(inverse))


def _deviance(y: Array, x: Array, members: Array, ratio: float) -> float:
    """Minus twice the restricted log-likelihood, up to a constant."""
    white_y, white_x = _whiten(members, ratio, y, x)
    freedom = len(y) - x.shape[1]
    effects = np.linalg.lstsq(white_x, white_y, rcond=None)[0]
    error = float(np.sum((white_y - white_x @ effects) ** 2))
    covariance = np.linalg.slogdet(_covariance(members, ratio))[1]
    return float(freedom * np.log(error / freedom) + covariance + np.linalg.slogdet(white_x.T @ white_x)[1])
