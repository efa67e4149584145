"""Directions of one layer that leave folds of items out, for testing on items that no fit has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.blocks import present_rows, with_folds

Direction = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Fits (n, hidden) paired differences into (hidden,), oriented so that the upheld side projects higher."""


class Fitted(Protocol):
    """Directions of every language at one layer; NaN where a language has nothing to fit on."""

    def without(self, fold: int) -> NDArray[np.float32]:
        """Directions that leave out `fold` and each fold g in turn, g = `fold` included: (language, g, hidden)."""

    def overall(self) -> NDArray[np.float32]:
        """Directions that leave out nothing: (language, hidden)."""


@dataclass(frozen=True)
class Means:
    """Differences in means, from one sum per fold.

    Attributes:
        sums: float64 (language, fold, hidden).
        counts: (language, fold), how many rows each sum has.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    def add(self, rows: NDArray[np.float32], present: NDArray[np.bool_], fold: NDArray[np.intp]) -> None:
        """Count in more items: (language, item, hidden), (language, item) and (item,)."""
        for f in np.unique(fold):
            members, there = rows[:, fold == f], present[:, fold == f]
            members[~there] = 0
            self.sums[:, f] += members.sum(axis=1, dtype=np.float64)
            self.counts[:, f] += there.sum(axis=1)

    def without(self, fold: int) -> NDArray[np.float32]:
        """See `Fitted`."""
        kept = 1 - np.eye(self.counts.shape[1])
        kept[:, fold] = 0
        return _mean(kept @ self.sums, self.counts @ kept.T)

    def overall(self) -> NDArray[np.float32]:
        """See `Fitted`."""
        return _mean(self.sums.sum(axis=1), self.counts.sum(axis=1))


@dataclass(frozen=True)
class Refits:
    """Any direction, fitted anew on every training set.

    Attributes:
        fitted: float32 (fit, language, hidden), the last fit on all items.
        fit: (fold, fold) at [f, g] the fit that leaves out f and g.
    """

    fitted: NDArray[np.float32]
    fit: NDArray[np.intp]

    def without(self, fold: int) -> NDArray[np.float32]:
        """See `Fitted`."""
        return np.asarray(self.fitted[self.fit[fold]].swapaxes(0, 1))

    def overall(self) -> NDArray[np.float32]:
        """See `Fitted`."""
        return np.asarray(self.fitted[-1])


def fold_means(blocks: Iterable[xr.DataArray], folds: xr.DataArray) -> list[Means]:
    """Differences in means of every layer, from blocks of items that come one after the other.

    Args:
        blocks: float32 (language, layer, item, hidden).
        folds: integer (item,), the fold of every item of every block.

    Raises:
        LabelMismatchError: blocks differ in languages or layers, an item has no fold, or comes twice or never.
        DataError: a difference is infinite or only partly NaN.
    """
    layers: list[Means] = []
    n_folds = len(np.unique(folds.values))
    for block, fold in with_folds(blocks, folds):
        for layer, one_layer in enumerate(block):
            if layer == len(layers):
                n_languages, _, hidden = one_layer.shape
                layers.append(Means(np.zeros((n_languages, n_folds, hidden)), np.zeros((n_languages, n_folds))))
            layers[layer].add(one_layer.values, present_rows(one_layer), fold)
    return layers


def refits(differences: xr.DataArray, folds: xr.DataArray, direction: Direction) -> list[Refits]:
    """Directions of every layer fitted by `direction`, which needs the rows of all items at once.

    Args:
        differences: float32 (language, layer, item, hidden).
        folds: integer (item,).
        direction: called for every language, layer, fold and two folds left out.

    Raises:
        LabelMismatchError, DataError: as `fold_means`.
    """
    ((block, fold),) = with_folds([differences], folds)
    n_folds = int(fold.max()) + 1
    left_out = list(combinations_with_replacement(range(n_folds), 2))
    fit = np.empty((n_folds, n_folds), dtype=np.intp)
    for number, (f, g) in enumerate(left_out):
        fit[f, g] = fit[g, f] = number
    used = np.array([(fold != f) & (fold != g) for f, g in left_out] + [fold >= 0])
    return [Refits(_fitted(one_layer, used, direction), fit) for one_layer in block]


def _fitted(one_layer: xr.DataArray, used: NDArray[np.bool_], direction: Direction) -> NDArray[np.float32]:
    """One fit per row of `used` (fit, item): (fit, language, hidden)."""
    present = present_rows(one_layer)
    n_languages, _, hidden = one_layer.shape
    fitted = np.full((len(used), n_languages, hidden), np.nan, dtype=np.float32)
    for language, rows in enumerate(one_layer.values):
        for number, items in enumerate(used):
            training = rows[items & present[language]]
            if len(training):
                fitted[number, language] = direction(training)
    return fitted


def _mean(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):  # no items, no direction: 0 / 0 is the NaN that says so
        return np.asarray(sums / counts[..., None], dtype=np.float32)
