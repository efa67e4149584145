"""Blocks of items: how statistics read paired differences that do not fit into memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, align_exactly, require_dims
from polyethos.errors import DataError, LabelMismatchError

Blocks = Callable[[], Iterable[xr.DataArray]]
"""Gives the same blocks each time it is called: float32 (language, layer, item, hidden), each with other items."""


def layered(blocks: Iterable[xr.DataArray]) -> Iterator[xr.DataArray]:
    """The blocks as (layer, language, item, hidden), checked to have the same languages and layers.

    Raises:
        LabelMismatchError: other dimensions, or blocks that differ in languages or layers.
        DataError: there is no block.
    """
    first: xr.DataArray | None = None
    for block in blocks:
        require_dims(block, LANGUAGE, LAYER, ITEM, HIDDEN, name="differences")
        # A deep copy, since even an empty view would keep the whole block in memory.
        labels = block.isel({ITEM: slice(0)}).copy(deep=True)
        first = labels if first is None else first
        align_exactly(first, labels)
        yield block.transpose(LAYER, LANGUAGE, ITEM, HIDDEN)
    if first is None:
        raise DataError("differences: no block of items; expected at least one")


def with_folds(blocks: Iterable[xr.DataArray], folds: xr.DataArray) -> Iterator[tuple[xr.DataArray, NDArray[np.intp]]]:
    """The `layered` blocks, each with the position of every item's fold among the sorted labels of `folds`.

    Args:
        blocks: as above.
        folds: integer (item,), the fold of every item of every block.

    Raises:
        LabelMismatchError: an item has no fold, or comes twice or never.
    """
    require_dims(folds, ITEM, name="folds")
    positions = np.unique(folds.values, return_inverse=True)[1]
    fold_of = dict(zip(folds[ITEM].values.tolist(), positions.tolist(), strict=True))
    for block in layered(blocks):
        folds_of_block = []
        for item in block[ITEM].values.tolist():
            if item not in fold_of:
                raise LabelMismatchError(f"differences: item {item!r} has no fold, or comes twice")
            folds_of_block.append(fold_of.pop(item))
        yield block, np.array(folds_of_block, dtype=np.intp)
    if fold_of:
        raise LabelMismatchError(f"differences: item {next(iter(fold_of))!r} has a fold but is in no block")


def present_rows(one_layer: xr.DataArray) -> NDArray[np.bool_]:
    """Which rows of (language, item, hidden) exist: (language, item).

    Raises:
        DataError: a row is broken rather than missing.
    """
    rows = one_layer.values
    present = np.asarray(np.isfinite(rows).all(axis=-1))
    if not present.all():
        broken = np.argwhere(~present & ~np.isnan(rows).all(axis=-1))
        if len(broken):
            language, item = broken[0]
            raise DataError(
                f"differences, language {str(one_layer[LANGUAGE].values[language])!r}, "
                f"item {str(one_layer[ITEM].values[item])!r}, layer {one_layer[LAYER].item()}: not finite; "
                "the model overflowed: extract with dtype bfloat16 or float32"
            )
    return present
