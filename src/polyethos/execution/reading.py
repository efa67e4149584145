"""Reading one value's paired differences back from its shards, all at once or in blocks of items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER
from polyethos.execution.shards import Shard, ShardStore

ABSENT = -1


class StoredDifferences:
    """The paired differences of one value on disk.

    Attributes:
        items: their ids, in the order of the shards.
        groups: the group of each item, the item itself where it has none.
        languages: the labels of the language dimension; pairs in another language are left out.
    """

    def __init__(self, store: ShardStore, shards: Sequence[Shard], languages: Sequence[str]) -> None:
        """Note where every pair is; nothing is read yet.

        Args:
            store: holds `shards`.
            shards: all shards of the value.
            languages: which languages, in which order.
        """
        groups = {pair.item: pair.group or pair.item for shard in shards for pair in shard.pairs}
        self.items, self.languages = tuple(groups), tuple(languages)
        self.groups, self._store, self._shards = tuple(groups.values()), store, shards
        row = {language: number for number, language in enumerate(languages)}
        column = {item: number for number, item in enumerate(groups)}
        # Per shard: row and column of every pair. Columns never decrease, since an item's pairs are neighbours.
        self._rows = [np.array([row.get(pair.language, ABSENT) for pair in shard.pairs]) for shard in shards]
        self._columns = [np.array([column[pair.item] for pair in shard.pairs]) for shard in shards]

    def read(self, layers: Sequence[int], *, start: int = 0, stop: int | None = None) -> xr.DataArray:
        """Read the differences of some layers and items.

        Args:
            layers: 0-based positions along the stored layer axis (the last one is the state after the final norm).
            start: position of the first item.
            stop: position after the last one; to the end by default.

        Returns:
            float32 (language, layer, item, hidden), layer labelled 1, 2, ... from position 0; NaN where a language
            lacks an item; the coordinate `group` runs along item.

        Raises:
            RunError: a shard is broken.
        """
        stop = len(self.items) if stop is None else min(stop, len(self.items))
        result: NDArray[np.float32] = np.empty((0,), dtype=np.float32)
        for shard, rows, columns in zip(self._shards, self._rows, self._columns, strict=True):
            first, last = np.searchsorted(columns, [start, stop])
            if first == last:
                continue
            kept = rows[first:last] != ABSENT
            place = rows[first:last][kept], columns[first:last][kept] - start
            for position, layer in enumerate(layers):
                stored = self._store.differences(shard, layer, slice(int(first), int(last)))
                if not result.size:
                    shape = (len(layers), len(self.languages), stop - start, stored.shape[1])
                    result = np.full(shape, np.nan, dtype=np.float32)
                result[position][place] = stored if kept.all() else stored[kept]
        coords = {
            LANGUAGE: list(self.languages),
            LAYER: [layer + 1 for layer in layers],
            ITEM: list(self.items[start:stop]),
            "group": (ITEM, list(self.groups[start:stop])),
        }
        # Layers outermost in memory: statistics go layer by layer.
        return xr.DataArray(result, dims=(LAYER, LANGUAGE, ITEM, HIDDEN), coords=coords)

    def blocks(self, layers: Sequence[int], *, n_items: int) -> Iterator[xr.DataArray]:
        """`read` of `n_items` items after the other, every item once."""
        for start in range(0, len(self.items), n_items):
            yield self.read(layers, start=start, stop=start + n_items)

    def reader(self, layers: Sequence[int], *, n_items: int) -> Callable[[], Iterator[xr.DataArray]]:
        """`blocks` that can be had again and again; a single block is read once and kept."""
        if n_items >= len(self.items):
            return functools.partial(iter, [self.read(layers)])
        return functools.partial(self.blocks, layers, n_items=n_items)
