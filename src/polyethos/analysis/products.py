"""Inner products of paired differences between resampling units and items: all that the corrected protocol needs.

A unit is what flips sign or is drawn as a whole: a group of items, or several groups of one fold where the groups are
too many for the memory. Every refit of a difference in means, every sign flip and every bootstrap is then a product
of these numbers with a small matrix of weights, whatever the hidden size.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.blocks import Blocks
from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, align_exactly, require_dims
from polyethos.errors import LabelMismatchError

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """How the items of one value are resampled.

    Attributes:
        items: item ids, length n.
        of_item: unit of each item, 0..U-1, shape (n,).
        fold: fold of each unit, 0..K-1, shape (U,).
    """

    items: tuple[str, ...]
    of_item: Integers
    fold: Integers

    @property
    def n_units(self) -> int:
        """Number of units, U."""
        return len(self.fold)

    @property
    def fold_of_item(self) -> Integers:
        """Fold of each item, shape (n,)."""
        return self.fold[self.of_item]

    def indicator(self) -> Floats:
        """1 where an item belongs to a unit: float32 (unit, item)."""
        return np.asarray(np.arange(self.n_units)[:, None] == self.of_item, dtype=np.float32)


@dataclass(frozen=True)
class Products:
    """Inner products of one value at one layer.

    Attributes:
        languages: language codes, length L.
        units: how the items are resampled.
        inner: float32 (source, unit, target, item): the source's differences summed over the unit, times the target's
            difference of the item; 0 where either is missing.
        present: whether a language has an item, shape (L, n).
        random: inner products of every difference with random vectors of no preferred direction, (language, item,
            draw); 0 where missing.
    """

    languages: tuple[str, ...]
    units: Units
    inner: Floats
    present: NDArray[np.bool_]
    random: Floats

    def between_units(self) -> NDArray[np.float64]:
        """Inner products of unit sums, (source, unit, target, unit)."""
        return np.asarray(self.inner.astype(np.float64) @ self.units.indicator().T.astype(np.float64))

    def counts(self) -> NDArray[np.float64]:
        """Items that each language has in each unit, (language, unit)."""
        return np.asarray(self.present.astype(np.float64) @ self.units.indicator().T.astype(np.float64))


def resampling_units(folds: xr.DataArray, *, max_units: int | None = None, seed: int = 0) -> Units:
    """Units of one value: its groups, merged at random within their fold where they are more than `max_units`.

    Flipping merged groups together keeps the sign-flip test exact; it only has fewer sign patterns to draw from.

    Args:
        folds: integer (item,), with a coordinate `group` along item; without it every item is a group.
        max_units: the most units to keep; all groups by default.
        seed: of the merging.

    Raises:
        LabelMismatchError: a group lies in more than one fold, or there are fewer than two folds.
    """
    require_dims(folds, ITEM, name="folds")
    items = tuple(str(item) for item in folds[ITEM].values)
    labels = folds["group"].values if "group" in folds.coords else folds[ITEM].values
    groups, of_item = np.unique(labels.astype(str), return_inverse=True)
    fold_of_item = folds.values.astype(np.int64)
    fold = np.zeros(len(groups), dtype=np.int64)
    fold[of_item] = fold_of_item
    torn = np.flatnonzero(fold[of_item] != fold_of_item)
    if torn.size:
        raise LabelMismatchError(
            f"folds: group {str(groups[of_item[torn[0]]])!r} lies in more than one fold; give whole groups one fold"
        )
    if len(np.unique(fold)) < 2:
        raise LabelMismatchError(f"folds: {len(items)} items in {len(np.unique(fold))} fold(s); at least 2 are needed")
    if max_units is not None and len(groups) > max_units:
        merged = _merged(fold, max_units, seed)
        of_item, fold = merged[of_item], fold[np.unique(merged, return_index=True)[1]]
    return Units(items, of_item.astype(np.int64), fold)


def products_of(differences: xr.DataArray, units: Units, *, draws: int = 64, seed: int = 0) -> Products:
    """Inner products of one value at one layer from the paired differences themselves.

    Args:
        differences: float32 (language, item, hidden), upheld minus violated; NaN where an item is missing.
        units: of the same items, in the same order.
        draws: number of random vectors.
        seed: of the random vectors.

    Raises:
        LabelMismatchError: other dimensions or other items.
    """
    return products_of_blocks(lambda: [differences], units, draws=draws, seed=seed)


def products_of_blocks(blocks: Blocks, units: Units, *, draws: int = 64, seed: int = 0) -> Products:
    """`products_of` for differences that are read in blocks of items; holds two copies of a block beside its result.

    Args:
        blocks: (language, item, hidden), in the order of the units' items; called twice, for the sums of the units and
            for their products with the items.
        units: of all items.
        draws: number of random vectors.
        seed: of the random vectors.

    Raises:
        LabelMismatchError: other dimensions or other items.
    """
    sums = _block_sums(blocks(), units)
    n_languages, n_units, hidden = sums.shape
    n_items = len(units.items)
    inner = np.empty((n_languages, n_units, n_languages, n_items), dtype=np.float32)
    random = np.empty((n_languages, n_items, draws), dtype=np.float32)
    present = np.empty((n_languages, n_items), dtype=bool)
    vectors = np.random.default_rng(seed).standard_normal((hidden, draws)).astype(np.float32)
    for place, differences in _placed(blocks(), units):
        rows, present[:, place] = _known_rows(differences)
        products = sums.reshape(-1, hidden) @ rows.reshape(-1, hidden).T
        inner[..., place] = products.reshape(n_languages, n_units, n_languages, -1)
        random[:, place] = rows @ vectors
        languages = tuple(map(str, differences[LANGUAGE].values))
    return Products(languages, units, inner, present, random)


def products_from_gram(gram: xr.DataArray, units: Units, *, draws: int = 64, seed: int = 0) -> Products:
    """Inner products of one value at one layer from the Gram matrix of its paired differences.

    Args:
        gram: (language, item, language_2, item_2), NaN where an item is missing.
        units: of the same items, in the same order.
        draws: number of random vectors.
        seed: of the random vectors.

    Raises:
        LabelMismatchError: other dimensions, other items, or rows and columns in different order.
    """
    require_dims(gram, LANGUAGE, ITEM, f"{LANGUAGE}_2", f"{ITEM}_2", name="gram")
    _require_items(gram[ITEM].values, units)
    for name in (LANGUAGE, ITEM):
        columns = xr.DataArray(gram[f"{name}_2"].values, dims=name, coords={name: gram[f"{name}_2"].values})
        align_exactly(xr.DataArray(gram[name].values, dims=name, coords={name: gram[name].values}), columns)
    values = gram.transpose(LANGUAGE, ITEM, f"{LANGUAGE}_2", f"{ITEM}_2").values
    present: NDArray[np.bool_] = ~np.isnan(np.einsum("isis->is", values))
    known = np.where(np.isnan(values), np.float32(0), values).astype(np.float32, copy=False)
    inner = _unit_sums(known.reshape(*present.shape, -1), units).reshape(len(present), -1, *present.shape)
    random = np.random.default_rng(seed)
    projected = np.stack([_random_projections(known[i, :, i], draws, random) for i in range(len(present))])
    return Products(tuple(map(str, gram[LANGUAGE].values)), units, inner, present, projected)


def _placed(blocks: Iterable[xr.DataArray], units: Units) -> Iterator[tuple[slice, xr.DataArray]]:
    """Each block with the place of its items among those of the units; checks that together they are the same."""
    found: list[Hashable] = []
    for block in blocks:
        require_dims(block, LANGUAGE, ITEM, HIDDEN, name="differences")
        place = slice(len(found), len(found) + block.sizes[ITEM])
        found.extend(str(item) for item in block[ITEM].values)
        if tuple(found[place]) != units.items[place]:
            _require_items(found, units)
        yield place, block
    _require_items(found, units)


def _known_rows(differences: xr.DataArray) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows (language, item, hidden), 0 where an item is missing, and which are there."""
    rows = differences.transpose(LANGUAGE, ITEM, HIDDEN).values.astype(np.float32, copy=False)
    present = np.asarray(~np.isnan(rows).any(axis=-1))
    return rows if present.all() else np.where(present[..., None], rows, np.float32(0)), present


def _block_sums(blocks: Iterable[xr.DataArray], units: Units) -> Floats:
    """Sums over the items of each unit: (language, unit, hidden)."""
    sums = np.zeros(0, dtype=np.float32)
    for place, differences in _placed(blocks, units):
        rows, _ = _known_rows(differences)
        if not sums.size:
            sums = np.zeros((len(rows), units.n_units, rows.shape[-1]), dtype=np.float32)
        _add_units(sums, rows, units.of_item[place])
    return sums


def _unit_sums(rows: Floats, units: Units) -> Floats:
    """Sums over the items of each unit: (language, item, anything) to (language, unit, anything)."""
    sums = np.zeros((len(rows), units.n_units, rows.shape[-1]), dtype=np.float32)
    _add_units(sums, rows, units.of_item)
    return sums


def _add_units(sums: Floats, rows: Floats, of_item: Integers) -> None:
    """Add rows (language, item, anything) to the sums of their units, in place."""
    order = np.argsort(of_item, kind="stable")
    found, starts = np.unique(of_item[order], return_index=True)
    sums[:, found] += np.add.reduceat(rows[:, order], starts, axis=1)


def _random_projections(gram: Floats, draws: int, random: np.random.Generator) -> Floats:
    """Products of items with Gaussian vectors are Gaussian, their covariance the Gram matrix: (item, draw)."""
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    scaled = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(scaled @ random.standard_normal((len(gram), draws)), dtype=np.float32)


def _merged(fold: Integers, max_units: int, seed: int) -> Integers:
    """New unit of each group: within each fold, groups dealt out at random over that fold's share of `max_units`."""
    random = np.random.default_rng(seed)
    merged = np.zeros(len(fold), dtype=np.int64)
    folds = np.unique(fold)
    first = 0
    for k in folds:
        members = random.permutation(np.flatnonzero(fold == k))
        n_new = min(len(members), max(1, max_units // len(folds)))
        merged[members] = first + np.arange(len(members)) % n_new
        first += n_new
    return merged


def _require_items(found: Sequence[Hashable] | NDArray[np.generic], units: Units) -> None:
    labels = [str(item) for item in found]
    if labels != list(units.items):
        different = next((k for k, pair in enumerate(zip(labels, units.items, strict=False)) if pair[0] != pair[1]), -1)
        raise LabelMismatchError(
            f"item: {len(labels)} items and folds for {len(units.items)}; first difference at position {different}"
        )
