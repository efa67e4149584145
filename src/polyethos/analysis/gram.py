"""Inner products of paired differences, from which every other statistic of a value follows.

Small sets keep the whole Gram matrix. Larger ones are streamed: sums per fold and language, and products between the
languages of each item, both of a size that does not depend on the number of items.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.blocks import with_folds
from polyethos.arrays import FOLD, HIDDEN, ITEM, LANGUAGE, LAYER, SOURCE, TARGET, require_dims
from polyethos.errors import ResourceError

LANGUAGE_2, ITEM_2 = "language_2", "item_2"
BUDGET = 2**30
"""Bytes that `gram` may take by default, one GiB."""

_FLOAT32 = np.dtype(np.float32).itemsize


def gram(differences: xr.DataArray, *, budget: int = BUDGET) -> xr.DataArray:
    """Inner product of every two paired differences of one value, layer by layer.

    Computed over slices of the hidden dimension, as wide as the budget leaves room for.

    Args:
        differences: float32 (language, layer, item, hidden), NaN rows where a language lacks an item.
        budget: bytes for the result and the work on it, the input not counted.

    Returns:
        float32 (layer, language, item, language_2, item_2), NaN where one of the two is missing.

    Raises:
        ResourceError: it does not fit; the message says how many bytes would do and what to use instead.
    """
    require_dims(differences, LANGUAGE, LAYER, ITEM, HIDDEN, name="differences")
    sizes = differences.sizes
    n_rows = sizes[LANGUAGE] * sizes[ITEM]
    width = _slice_width(n_rows, sizes[LAYER], sizes[HIDDEN], budget)
    products = np.zeros((sizes[LAYER], n_rows, n_rows), dtype=np.float32)
    for layer, product in enumerate(products):
        missing = np.zeros(n_rows, dtype=bool)
        for start in range(0, sizes[HIDDEN], width):
            part = differences.isel({LAYER: layer, HIDDEN: slice(start, start + width)})
            rows = part.transpose(LANGUAGE, ITEM, HIDDEN).values.reshape(n_rows, -1).astype(np.float32)
            missing |= np.isnan(rows).any(axis=1)
            rows[missing] = 0
            product += rows @ rows.T
        product[missing] = np.nan
        product[:, missing] = np.nan
    shape = (sizes[LAYER], sizes[LANGUAGE], sizes[ITEM], sizes[LANGUAGE], sizes[ITEM])
    codes, items = differences[LANGUAGE].values, differences[ITEM].values
    coords = {LAYER: differences[LAYER].values, LANGUAGE: codes, ITEM: items, LANGUAGE_2: codes, ITEM_2: items}
    return xr.DataArray(products.reshape(shape), dims=tuple(coords), coords=coords)


def moments(blocks: Iterable[xr.DataArray], folds: xr.DataArray) -> xr.Dataset:
    """Fold-wise sums and cross-language products of one value, from blocks of items that come one after the other.

    Never holds more than one block, one layer of it twice, and the result.

    Args:
        blocks: float32 (language, layer, item, hidden), each with other items; NaN rows where one is missing.
        folds: integer (item,), the fold of every item of every block.

    Returns:
        `sums` float64 (fold, language, layer, hidden): sum of d_i(s) over the items s of a fold.
        `products` float64 (fold, layer, source, target): sum of d_i(s) . d_j(s) over the items both languages have.
        `counts` integer (fold, source, target): how many items both have; the diagonal is the language's own number.

    Raises:
        LabelMismatchError: blocks differ in languages or layers, an item has no fold, or comes twice or never.
        DataError: there is no block.
    """
    labels = np.unique(folds.values)
    total = xr.Dataset()
    for block, fold in with_folds(blocks, folds):
        if not total:
            total = _empty(block, labels)
        for layer, one_layer in enumerate(block):
            _add_layer(total, layer, one_layer.values.astype(np.float32, copy=False), fold)
    return total


def mean_directions(moments: xr.Dataset) -> xr.DataArray:
    """Difference in means of every language over all items, from `moments`: float64 (language, layer, hidden)."""
    own = np.diagonal(moments["counts"].sum(FOLD).values)
    counts = xr.DataArray(own, dims=LANGUAGE, coords={LANGUAGE: moments[LANGUAGE].values})
    return moments["sums"].sum(FOLD) / counts.where(counts > 0)


def mean_products(moments: xr.Dataset) -> xr.Dataset:
    """Inner products of the languages' mean differences, as they are and with the items' noise taken out.

    Args:
        moments: from `moments`.

    Returns:
        `raw` float64 (layer, source, target): m_i . m_j.
        `unbiased` of the same shape: the mean of d_i(s) . d_j(t) over different items s and t. Where both languages
        have the same n items it equals m_i . m_j - tr(S_ij) / n, with S_ij the sample covariance; on the diagonal it
        estimates the squared length of the true direction. NaN where there are no two different items.
    """
    sums = moments["sums"].sum(FOLD).transpose(LAYER, LANGUAGE, HIDDEN).values
    products = moments["products"].sum(FOLD).transpose(LAYER, SOURCE, TARGET).values
    both = moments["counts"].sum(FOLD).transpose(SOURCE, TARGET).values
    every_pair = np.multiply.outer(np.diagonal(both), np.diagonal(both)).astype(np.float64)
    total = sums @ sums.swapaxes(-1, -2)
    with np.errstate(invalid="ignore"):  # no items: 0 / 0 is undefined, as it should be
        estimates = {"raw": total / every_pair, "unbiased": (total - products) / (every_pair - both)}
    coords = {LAYER: moments[LAYER].values, SOURCE: moments[SOURCE].values, TARGET: moments[TARGET].values}
    return xr.Dataset({name: ((LAYER, SOURCE, TARGET), values) for name, values in estimates.items()}, coords=coords)


def _slice_width(n_rows: int, n_layers: int, hidden: int, budget: int) -> int:
    """Hidden columns worked on at once: the result, one more layer of it, and two copies of a slice must fit."""
    fixed, per_column = (n_layers + 1) * n_rows**2 * _FLOAT32, 2 * n_rows * _FLOAT32
    if fixed + per_column > budget:
        raise ResourceError(
            f"the Gram matrix of {n_rows} paired differences in {n_layers} layers needs {fixed + per_column:,} bytes, "
            f"more than the budget of {budget:,}; raise it, pass fewer layers at a time, or stream with `moments`"
        )
    return max(1, min(hidden, (budget - fixed) // per_column))


def _empty(block: xr.DataArray, labels: NDArray[np.int64]) -> xr.Dataset:
    sizes, codes = block.sizes, block[LANGUAGE].values
    n_folds, n_languages, n_layers = len(labels), sizes[LANGUAGE], sizes[LAYER]
    sums = np.zeros((n_folds, n_languages, n_layers, sizes[HIDDEN]))
    products = np.zeros((n_folds, n_layers, n_languages, n_languages))
    counts = np.zeros((n_folds, n_languages, n_languages), dtype=np.int64)
    return xr.Dataset(
        {
            "sums": ((FOLD, LANGUAGE, LAYER, HIDDEN), sums),
            "products": ((FOLD, LAYER, SOURCE, TARGET), products),
            "counts": ((FOLD, SOURCE, TARGET), counts),
        },
        coords={FOLD: labels, LANGUAGE: codes, LAYER: block[LAYER].values, SOURCE: codes, TARGET: codes},
    )


def _add_layer(total: xr.Dataset, layer: int, rows: NDArray[np.float32], fold: NDArray[np.intp]) -> None:
    """Add one layer of a block, (language, item, hidden), to the accumulators in place."""
    present = np.asarray(~np.isnan(rows).any(axis=-1))
    if not present.all():
        rows = np.where(present[..., None], rows, np.float32(0))
    for f in np.unique(fold):
        members = rows[:, fold == f]
        flat = members.reshape(len(members), -1)
        total["sums"].values[f, :, layer] += members.sum(axis=1, dtype=np.float64)
        total["products"].values[f, layer] += flat @ flat.T
        if layer == 0:
            there = present[:, fold == f].astype(np.int64)
            total["counts"].values[f] += there @ there.T
