"""Shards: the pieces in which paired differences are extracted and kept on disk.

A shard holds whole items in all their languages, so that a killed run redoes at most one shard, and it is one
file that appears whole or not at all. Shards of a value are removed once the value's statistics are written, so
the disk never holds more than one value's differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.errors import RunError
from polyethos.files import whole_file


@dataclass(frozen=True)
class Shard:
    """Some items of one value, in all their languages."""

    value: str
    index: int
    pairs: tuple[ContrastPair, ...]


def plan_shards(pairs: ContrastPairs, value: str, *, pairs_per_shard: int) -> list[Shard]:
    """Cut the pairs of `value` into shards of whole items; the same input always gives the same shards.

    Items that share a sentence in some language stay neighbours, so that a sentence is rarely computed twice.
    A shard exceeds `pairs_per_shard` only where a single item has more languages than that.
    """
    by_item: dict[str, list[ContrastPair]] = {}
    for pair in pairs:
        if pair.value == value:
            by_item.setdefault(pair.item, []).append(pair)
    shards: list[Shard] = []
    current: list[ContrastPair] = []
    for item in _neighbours_first(by_item):
        if current and len(current) + len(by_item[item]) > pairs_per_shard:
            shards.append(Shard(value, len(shards), tuple(current)))
            current = []
        current.extend(by_item[item])
    if current:
        shards.append(Shard(value, len(shards), tuple(current)))
    return shards


def _neighbours_first(by_item: dict[str, list[ContrastPair]]) -> list[str]:
    first_item: dict[tuple[str, str], str] = {}
    key: dict[str, str] = {}
    for item, pairs in by_item.items():
        owners = [
            first_item.setdefault((pair.context, text), item)
            for pair in pairs
            for text in (pair.positive, pair.negative)
        ]
        key[item] = next((key[owner] for owner in owners if owner != item), item)
    position = {item: number for number, item in enumerate(by_item)}
    return sorted(by_item, key=lambda item: (position[key[item]], position[item]))


class ShardStore:
    """The shards of one model's run, as files `<value>-<index>.safetensors` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, shard: Shard) -> Path:
        """Where `shard` is kept."""
        return self.folder / f"{shard.value}-{shard.index:05d}.safetensors"

    def write(self, shard: Shard, differences: NDArray[np.float32], norms: NDArray[np.float64]) -> None:
        """Keep a shard's results.

        Args:
            shard: what was extracted.
            differences: float32 (layer, pair, hidden), in the order of `shard.pairs`.
            norms: (layer,) mean Euclidean norm of the states of the shard's sentences.
        """
        with whole_file(self.path(shard)) as temporary:
            save_file({"differences": np.ascontiguousarray(differences), "norms": norms}, temporary)

    def remove(self, shards: Sequence[Shard]) -> None:
        """Remove the files of `shards`."""
        for shard in shards:
            self.path(shard).unlink(missing_ok=True)

    def norms(self, shards: Sequence[Shard]) -> NDArray[np.float64]:
        """Mean Euclidean norm of the hidden states per layer (layer,), over all sentences of `shards`."""
        weights = np.array([len(shard.pairs) for shard in shards], dtype=np.float64)
        stored = np.stack([self._read(shard, "norms") for shard in shards])
        return np.asarray(weights @ stored / weights.sum())

    def differences(self, shard: Shard, layer: int, pairs: slice) -> NDArray[np.float32]:
        """Paired differences (pair, hidden) of some pairs of `shard` at one stored layer; nothing else is read.

        Raises:
            RunError: the shard is broken.
        """
        return self._read(shard, "differences", (layer, pairs))

    def is_done(self, shard: Shard) -> bool:
        """Whether the shard's file is there and readable; a broken one counts as not done and is made again."""
        try:
            with safe_open(self.path(shard), framework="numpy") as stored:
                return bool(stored.get_slice("differences").get_shape()[1] == len(shard.pairs))
        except (OSError, SafetensorError):
            return False

    def _read(self, shard: Shard, name: str, part: slice | tuple[int, slice] = slice(None)) -> NDArray[Any]:
        path = self.path(shard)
        try:
            with safe_open(path, framework="numpy") as stored:
                return np.asarray(stored.get_slice(name)[part])
        except (OSError, SafetensorError) as error:
            raise RunError(f"{path}: broken ({error}); delete it and run the same command again") from error
