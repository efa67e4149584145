"""Inner products after whitening the noise, so that directions in which all differences vary do not inflate cosines.

The covariance of the residuals, all languages pooled, is shrunk towards a multiple of the identity and inverted; by
Woodbury's identity inner products of the differences are all that takes. A product of units of two folds is whitened
with the residuals of the remaining folds, so that no unit is whitened with its own noise.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from polyethos.analysis.products import Products
from polyethos.analysis.similarity import UnitGram
from polyethos.errors import DataError

Array = NDArray[np.float64]
Units = NDArray[np.int64]

LEAST_FOLDS = 3
"""Two folds are left out, and the others fit the whitening."""

_MOST_ROWS = 2000


def whitened(products: Products, *, hidden: int, seed: int = 0) -> UnitGram:
    """Whitened inner products of unit sums; only units of different folds are paired.

    Args:
        products: of the value and layer.
        hidden: hidden size of the model.
        seed: of the choice of residuals where there are more than 2,000.

    Raises:
        DataError: fewer than three folds.

    Source: Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, for the shrinkage.
    """
    fold = products.units.fold
    folds = np.unique(fold)
    if len(folds) < LEAST_FOLDS:
        raise DataError(
            f"folds: {len(folds)}; whitening leaves two out and fits on the others, so it needs {LEAST_FOLDS}"
        )
    gram, counts = products.between_units(), products.counts()
    languages = np.arange(len(counts))
    result = np.zeros_like(gram)
    random = np.random.default_rng(seed)
    for f, g in itertools.combinations(folds, 2):
        rows, columns = np.flatnonzero(fold == f), np.flatnonzero(fold == g)
        outside = np.flatnonzero((fold != f) & (fold != g))
        block = _block(gram, counts, rows, columns, _Residuals(counts, outside, random), hidden)
        result[np.ix_(languages, rows, languages, columns)] = block
        result[np.ix_(languages, columns, languages, rows)] = block.transpose(2, 3, 0, 1)
    return UnitGram(result, counts, fold[:, None] != fold)


class _Residuals:
    """Picks residuals out of unit sums: deviations from the language's mean, scaled to the variance of one item."""

    def __init__(self, counts: Array, units: Units, random: np.random.Generator) -> None:
        self.units = units
        self.counts = counts[:, units]
        self.kept = np.flatnonzero(self.counts)
        if len(self.kept) > _MOST_ROWS:
            self.kept = np.sort(random.choice(self.kept, _MOST_ROWS, replace=False))

    def of(self, products: Array) -> Array:
        """From inner products (language, unit, anything) to those of residuals (residual, anything)."""
        sums = products[:, self.units]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums.sum(axis=1, keepdims=True) / self.counts.sum(axis=1)[:, None, None]
            scaled = (sums - self.counts[..., None] * means) / np.sqrt(self.counts)[..., None]
        return np.asarray(scaled.reshape(-1, products.shape[2])[self.kept])


def _block(gram: Array, counts: Array, rows: Units, columns: Units, residuals: _Residuals, hidden: int) -> Array:
    """Whitened products (language, row unit, language, column unit)."""
    n_languages, n_units = counts.shape
    onto = residuals.of(gram.reshape(n_languages, n_units, -1))  # (residual, language * unit)
    among = residuals.of(onto.T.reshape(n_languages, n_units, -1))
    kept, ridge = _shrinkage(among, hidden)
    onto = onto.reshape(-1, n_languages, n_units)
    left, right = (onto[:, :, units].reshape(len(among), -1) for units in (rows, columns))
    explained = left.T @ linalg.solve(ridge / kept * len(among) * np.eye(len(among)) + among, right, assume_a="pos")
    shape = (n_languages, len(rows), n_languages, len(columns))
    return np.asarray((gram[:, rows][:, :, :, columns] - explained.reshape(shape)) / ridge)


def _shrinkage(among: Array, hidden: int) -> tuple[float, float]:
    """Weights of the sample covariance and of the identity, from the residuals' inner products."""
    n, squares = len(among), np.diag(among)
    mean, square = squares.sum() / (n * hidden), np.sum(among**2) / n**2
    distance = square - hidden * mean**2
    error = (np.sum(squares**2) / n - square) / n
    toward = float(np.clip(error / distance, 0.01, 0.99)) if distance > 0 else 0.99
    return 1 - toward, toward * mean
