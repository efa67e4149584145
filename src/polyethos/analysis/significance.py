"""Existence and transfer, tested: sign flips with refitting and layer choice inside, and family-wise control.

Null hypothesis: the paired difference d(s) of an item is as likely as -d(s), jointly in all languages and layers, so
that no direction tells the upheld side of an item it has not seen. Source: Hemerik and Goeman 2018, TEST 27, for tests
over random sets of transformations; Westfall and Young 1993, chapter 2, for the maximum statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from polyethos.analysis.flipping import correct_counts
from polyethos.analysis.products import Products, Units
from polyethos.analysis.resampling import SignFlips

Array = NDArray[np.float64]
Scores = NDArray[np.float32]
ProductsAt = Callable[[int], Products]


@dataclass(frozen=True)
class Cells:
    """Test of a family of cells (source, target, ...), each a share of items.

    Attributes:
        p: one cell by itself.
        score: observed share in standard deviations of the cell's null distribution.
        mean, deviation: of the null distribution of the share.
    """

    p: Array
    score: Array
    mean: Array
    deviation: Array


@dataclass(frozen=True)
class ValueTest:
    """Sign-flip test of one value.

    Attributes:
        languages: codes, length L.
        layers: as given.
        by_layer: cells (source, target, layer).
        chosen: cells (source, target), at the layer that each fold's training folds choose.
        choice: the chosen layer per fold, in the observed data.
        own_quantile: share that a language's own vector exceeds with probability 0.05 under the null, layer choice
            inside, (language,).
        highest: maximum score over cells for every sign pattern, per family: "own layer" (source = target, all
            layers), "other layer" (source != target, all layers), "own chosen", "other chosen".
    """

    languages: tuple[str, ...]
    layers: tuple[int, ...]
    by_layer: Cells
    chosen: Cells
    choice: tuple[int, ...]
    own_quantile: Array
    highest: dict[str, Scores]


def sign_flip_test(products_at: ProductsAt, layers: Sequence[int], flips: SignFlips, *, workers: int = 1) -> ValueTest:
    """Accuracy of every source on every target under sign flips of whole units, refitted and retested each time.

    Args:
        products_at: inner products of the value at a layer; asked for each layer twice.
        layers: the layers that the training folds choose among.
        flips: sign patterns over the units, the observed one first.
        workers: threads; each holds the counts of one source. More than one gains little: arrays are small, and threads
            wait for the interpreter's lock between them.
    """
    first = products_at(layers[0])
    n, n_items = len(first.languages), first.present.sum(axis=1)
    with ThreadPoolExecutor(workers) as pool, threadpool_limits(1, user_api="blas"):
        choice = _choices(products_at, layers, flips, pool)
        chosen = np.zeros((n, n, flips.total), dtype=np.uint16)
        highest, by_layer = _Highest(), []
        for position, layer in enumerate(layers):
            products = products_at(layer)
            taken = [np.flatnonzero(of_fold == position) for of_fold in choice]
            tasks = [pool.submit(_source, products, i, flips, taken, chosen[i]) for i in range(n)]
            by_layer.append(highest.add("layer", [task.result() for task in tasks]))
        at_choice = highest.add("chosen", [_scored(chosen[i], n_items, i) for i in range(n)])
    own = np.stack([chosen[i, i] for i in range(n)])
    with np.errstate(divide="ignore", invalid="ignore"):
        quantile = np.quantile(own, 0.95, axis=1, method="higher") / n_items
    return ValueTest(
        first.languages,
        tuple(layers),
        _stacked(by_layer, axis=2),
        at_choice,
        tuple(layers[k] for k in choice[:, 0]),
        quantile,
        dict(highest),
    )


def family_p(scores: Array, highest: Scores) -> Array:
    """Family-wise p of every cell, by the maximum score over the cells of all values for each sign pattern.

    Args:
        scores: of the cells, (value, ...).
        highest: `ValueTest.highest` of the family, (value, pattern).

    Returns:
        Shaped as `scores`; only cells of the family mean anything.
    """
    over_values = np.sort(highest.max(axis=0))
    above = len(over_values) - np.searchsorted(over_values, scores.astype(np.float32), side="left")
    return np.asarray(np.where(np.isnan(scores), np.nan, above / len(over_values)))


def family_threshold(highest: Scores, *, level: float = 0.05) -> float:
    """Score that the highest cell of the family exceeds with probability `level` under the null.

    Args:
        highest: `ValueTest.highest` of the family, (value, pattern).
        level: family-wise error.
    """
    return float(np.quantile(highest.max(axis=0), 1 - level))


def _choices(
    products_at: ProductsAt, layers: Sequence[int], flips: SignFlips, pool: ThreadPoolExecutor
) -> NDArray[np.int64]:
    """Position of the layer that the training folds of each fold choose, under every pattern: (fold, pattern)."""
    training = []
    for layer in layers:
        products = products_at(layer)
        tasks = [pool.submit(_training_accuracy, products, i, flips) for i in range(len(products.languages))]
        training.append(np.nanmean([task.result() for task in tasks], axis=0))
    # Accuracies are shares of a few items and often tie; rounding errors must not decide between them.
    return np.asarray(np.argmax(np.round(training, 6), axis=0))


def _training_accuracy(products: Products, i: int, flips: SignFlips) -> NDArray[np.float32]:
    """Accuracy of language i on the training folds of each fold, every item with its own fold left out as well."""
    units = products.units
    folds = np.unique(units.fold)
    # A direction without folds f and g is one without g whose products with the units of f are set to 0.
    keeps = units.fold[:, None] != folds
    inner = np.ascontiguousarray(products.inner[i, :, i, None, :] * keeps[..., None].astype(np.float32))
    right = np.zeros((len(folds), flips.total), dtype=np.float32)
    for g, fold in enumerate(folds):
        counts = _tested_on(inner, units, int(fold), flips).astype(np.float32)
        counts[g] = 0
        right += counts
    per_fold = np.array([products.present[i, units.fold_of_item == fold].sum() for fold in folds])
    with np.errstate(invalid="ignore"):
        return np.asarray(right / (per_fold.sum() - per_fold)[:, None], dtype=np.float32)


def _tested_on(inner: NDArray[np.float32], units: Units, fold: int, flips: SignFlips) -> NDArray[np.uint16]:
    test = np.flatnonzero(units.fold_of_item == fold)
    return correct_counts(inner, flips, train=units.fold != fold, test=test, unit=units.of_item)


def _source(
    products: Products, i: int, flips: SignFlips, taken: list[NDArray[np.int64]], chosen: NDArray[np.uint16]
) -> _Scored:
    """Cells of source i at this layer; adds what the folds that chose this layer got right to `chosen`."""
    units = products.units
    total = np.zeros_like(chosen)
    for fold, patterns in zip(np.unique(units.fold), taken, strict=True):
        counts = _tested_on(products.inner[i], units, int(fold), flips)
        total += counts
        chosen[:, patterns] += counts[:, patterns]
    return _scored(total, products.present.sum(axis=1), i)


class _Scored(NamedTuple):
    """Cells of source i, and the scores of every pattern: of its own language, and the highest of the others."""

    cells: Cells
    own: Scores
    other: Scores


def _scored(counts: NDArray[np.uint16], n_items: NDArray[np.int64], i: int) -> _Scored:
    """From counts (target, pattern)."""
    values = counts.astype(np.float32)
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(deviation[:, None] > 0, (values - mean[:, None]) / deviation[:, None], np.float32(0))
        share = 1 / np.where(n_items > 0, n_items, np.nan)
    p = np.where(n_items > 0, (counts >= counts[:, :1]).mean(axis=1), np.nan)
    cells = Cells(p, scores[:, 0].astype(np.float64), mean * share, deviation * share)
    return _Scored(cells, scores[i], np.delete(scores, i, axis=0).max(axis=0, initial=-np.inf))


class _Highest(dict[str, Scores]):
    """Highest score of every pattern so far, per family."""

    def add(self, kind: str, scored: list[_Scored]) -> Cells:
        """Take in the sources of one table of cells; returns the table (source, target)."""
        for name, scores in (("own", [each.own for each in scored]), ("other", [each.other for each in scored])):
            family = f"{name} {kind}"
            self[family] = np.max([*scores, *([self[family]] if family in self else [])], axis=0)
        return _stacked([each.cells for each in scored], axis=0)


def _stacked(cells: Sequence[Cells], *, axis: int) -> Cells:
    names = ("p", "score", "mean", "deviation")
    return Cells(*(np.stack([getattr(cell, name) for cell in cells], axis=axis) for name in names))
