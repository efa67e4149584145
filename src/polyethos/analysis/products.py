"""Inner products of paired differences between resampling units and items: all that the corrected protocol needs.

A unit is what flips sign or is drawn as a whole: a group of items, or several groups of one fold where the groups are
too many for the memory. Every refit of a difference in means, every sign flip and every bootstrap is then a product
of these numbers with a small matrix of weights, whatever the hidden size.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, align_exactly, require_dims
from polyethos.errors import LabelMismatchError, ResourceError

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
    require_dims(differences, LANGUAGE, ITEM, HIDDEN, name="differences")
    _require_items(differences[ITEM].values, units)
    rows = differences.transpose(LANGUAGE, ITEM, HIDDEN).values.astype(np.float32, copy=False)
    present = np.asarray(~np.isnan(rows).any(axis=-1))
    rows = np.where(present[..., None], rows, np.float32(0))
    inner = _unit_sums(rows, units).reshape(-1, rows.shape[-1]) @ rows.reshape(-1, rows.shape[-1]).T
    shape = (len(present), units.n_units, *present.shape)
    vectors = np.random.default_rng(seed).standard_normal((rows.shape[-1], draws)).astype(np.float32)
    languages = tuple(map(str, differences[LANGUAGE].values))
    return Products(languages, units, inner.reshape(shape), present, rows @ vectors)


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


def units_within(max_bytes: int, *, n_languages: int, n_items: int, at_least: int = 20) -> int:
    """The most units whose products of one layer take at most `max_bytes`.

    Raises:
        ResourceError: not even `at_least` units fit.
    """
    per_unit = n_languages**2 * n_items * 4
    if max_bytes < at_least * per_unit:
        raise ResourceError(
            f"{n_items} items in {n_languages} languages need at least {at_least * per_unit / 2**20:.0f} MiB for the "
            f"inner products of a layer, and {max_bytes / 2**20:.0f} MiB are allowed; allow more, or study fewer items"
        )
    return max_bytes // per_unit


def _unit_sums(rows: Floats, units: Units) -> Floats:
    """Sums over the items of each unit: (language, item, anything) to (language, unit, anything)."""
    order = np.argsort(units.of_item, kind="stable")
    starts = np.searchsorted(units.of_item[order], np.arange(units.n_units))
    return np.asarray(np.add.reduceat(rows[:, order], starts, axis=1), dtype=np.float32)


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
