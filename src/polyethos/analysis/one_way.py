"""Is transfer one-way? The test of adjusted excess against languages that differ in noise only.

"Unidirectional" needs both: high-resource vectors do better on low-resource languages than those languages' own, and
low-resource vectors do worse on high-resource ones. Each half is tested against simulated studies in which all
languages hold one direction (see `common_direction`), and the claim needs both, so that its p is the larger one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyethos.analysis.asymmetry import ProductsAt, Tested, accuracy_of, excess, split, training_reliability
from polyethos.analysis.common_direction import common_axis, residuals, signed_pairs
from polyethos.analysis.products import Products
from polyethos.analysis.similarity import unit_gram

Array = NDArray[np.float64]

_SLICE_BYTES = 2**26  # that projections of simulated items may take; more items than that are simulated in slices
_COPIES = 5  # of an array (replicate, target, item), while projections are made and compared


@dataclass(frozen=True)
class OneWay:
    """Mean adjusted excess in the two directions, as deviations from what one common direction makes on average.

    Attributes:
        high_to_low, low_to_high: mean excess over pairs of a high- and a low-resource language.
        null_high_to_low, null_low_to_high: the same in simulated studies with one common direction, (replicate,).
    """

    high_to_low: float
    low_to_high: float
    null_high_to_low: Array
    null_low_to_high: Array

    @property
    def p(self) -> tuple[float, float, float]:
        """One-sided p from high to low (above), from low to high (below), and of both together."""
        n = 1 + len(self.null_high_to_low)
        # An undefined simulated excess counts as extreme.
        up = (1 + np.sum(~(self.null_high_to_low < self.high_to_low))) / n
        down = (1 + np.sum(~(self.null_low_to_high > self.low_to_high))) / n
        if np.isnan(self.high_to_low) or np.isnan(self.low_to_high):
            return float("nan"), float("nan"), float("nan")
        return float(up), float(down), float(max(up, down))

    def claimed(self, *, level: float = 0.05) -> bool:
        """Whether transfer is one-way: both signs right and both halves beyond the common direction."""
        return self.high_to_low > 0 > self.low_to_high and self.p[2] <= level


def observed_excess(tested: Tested) -> Array:
    """Adjusted excess of every source on every target, (source, target)."""
    n_items = np.isfinite(tested.correct[0]).sum(axis=-1)
    return excess(accuracy_of(tested.correct), n_items, tested.reliability)


def simulated_excess(products_at: ProductsAt, choice: Sequence[int], signs: Array) -> Array:
    """Adjusted excess in studies with one common direction and everything else as observed.

    Args:
        products_at: inner products of the value at a layer.
        choice: the chosen layer of each fold.
        signs: random signs of the units, (unit, replicate).

    Returns:
        (replicate, source, target).
    """
    first = products_at(choice[0])
    folds, n = np.unique(first.units.fold), len(first.languages)
    right, reliable = np.zeros((signs.shape[1], n, n)), np.zeros((signs.shape[1], n))
    for layer in dict.fromkeys(choice):
        products = products_at(layer)
        model = _CommonModel(products, signs)
        for fold in folds[np.array(choice) == layer]:
            train, test = split(products, int(fold))
            reliable += training_reliability(model.counts, train, *model.lengths_squared()) / len(folds)
            step = max(1, _SLICE_BYTES // simulation_bytes(n, signs.shape[1], 1))
            for i, start in itertools.product(range(n), range(0, len(test), step)):
                items = test[start : start + step]
                above = model.projections(i, train, items) > 0
                right[:, i] += np.where(products.present[:, items], above, False).sum(axis=-1)
    n_items = first.present.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return excess(right / n_items, n_items, reliable)


def simulation_bytes(n_languages: int, replicates: int, n_test: int) -> int:
    """Bytes that `simulated_excess` needs for the projections of the test items of a fold; at most 64 MiB in slices."""
    one = _COPIES * 8 * n_languages * replicates
    return max(one, min(_SLICE_BYTES, one * n_test))


def one_way(observed: Array, simulated: Array, high: NDArray[np.bool_]) -> OneWay:
    """Mean excess between high- and low-resource languages, observed and simulated.

    Args:
        observed: (source, target).
        simulated: (replicate, source, target).
        high: whether a language is high-resource, (language,).
    """
    expected = average(simulated)
    centred, null = observed - expected, simulated - expected
    down, up = np.outer(high, ~high), np.outer(~high, high)
    return OneWay(
        float(average(centred[down])),
        float(average(centred[up])),
        average(null[:, down].T),
        average(null[:, up].T),
    )


def average(values: Array) -> Array:
    """Mean along the first axis of what is defined; NaN where nothing is."""
    known = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))


class _CommonModel:
    """One direction for all languages at one layer, with the residuals of the data and random signs."""

    def __init__(self, products: Products, signs: Array) -> None:
        self.products, self.signs, self.counts = products, signs, products.counts()
        self._found = found = residuals(unit_gram(products))
        axis = common_axis(found, np.flatnonzero(found.lengths > 0))
        inner = products.inner.astype(np.float64)
        n_items = self.counts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._mean_on_items = np.nan_to_num(inner.sum(axis=1) / n_items[:, None, None])  # (source, target, item)
            self._units_on_means = np.nan_to_num(inner.sum(axis=3) / n_items)  # (source, unit, target)
        self._units_on_axis = axis.units
        means = np.nan_to_num(found.means)
        on_axis = np.einsum("i,ijs->js", axis.coefficients, self._mean_on_items)
        on_axis = (on_axis - (axis.coefficients @ means)[:, None]) * axis.scale[:, None]
        self._items_on_axis = np.where(products.present, on_axis, 0.0)  # (language, item)

    def lengths_squared(self) -> tuple[Array, Array]:
        """Squared lengths of the true directions and of the means, as estimated in each replicate."""
        found, counts = self._found, self.counts
        totals = counts.sum(axis=1)
        along = self._units_on_axis @ self.signs  # (language, replicate)
        noise = np.stack([signed_pairs(found.between[i, :, i], self.signs) for i in range(len(totals))])
        own = np.einsum("iuiu->i", found.between)
        squares = (totals**2 * found.lengths**2)[:, None] + 2 * (totals * found.lengths)[:, None] * along
        squares = squares + noise + own[:, None]
        same = (counts**2).sum(axis=1) * found.lengths**2
        crossed = 2 * found.lengths[:, None] * ((counts * self._units_on_axis) @ self.signs)
        with np.errstate(divide="ignore", invalid="ignore"):
            norms = (squares - own[:, None] - same[:, None] - crossed) / (totals**2 - (counts**2).sum(axis=1))[:, None]
            return norms.T, (squares / totals[:, None] ** 2).T

    def projections(self, i: int, train: NDArray[np.bool_], test: NDArray[np.int64]) -> Array:
        """Of the test items on the vector of source `i`, (replicate, target, test item), up to a positive factor."""
        products, lengths, counts = self.products, self._found.lengths, self.counts[i, train]
        residual = products.inner[i, train][:, :, test].astype(np.float64)
        residual -= counts[:, None, None] * self._mean_on_items[i][:, test]
        centre = self._units_on_means[i, train] - counts[:, None] * np.nan_to_num(self._found.means[i])
        residual -= centre[..., None] * products.present[:, test]
        noise = (self.signs[train].T @ residual.reshape(len(counts), -1)).reshape(-1, *residual.shape[1:])
        own = self.signs[products.units.of_item[test]].T[:, None, :]  # (replicate, 1, test item)
        signal = lengths[i] * counts.sum() * (lengths[:, None] + own * self._items_on_axis[:, test])
        along = self.signs[train].T @ self._units_on_axis[i, train]
        return np.asarray(signal + along[:, None, None] * lengths[:, None] + own * noise)
