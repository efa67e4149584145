"""Training rows: every row is a function of the seed and its number alone, so that a resumed run sees the same data."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from polyethos.lab.mixture import Kind
from polyethos.lab.tokenizer import END, SPECIAL_TOKENS
from polyethos.lab.world import World, document


class Source(Protocol):
    """Where rows come from."""

    def row(self, kind: Kind, number: int) -> list[int]:
        """Token ids of the row that is the `number`-th of its kind, always of the same length."""


class WorldRows:
    """Rows about the small world: documents one after the other, the last one cut."""

    def __init__(self, world: World, tokenizer: PreTrainedTokenizerFast, *, length: int, seed: int) -> None:
        self._world, self._length, self._seed = world, length, seed
        self._encode = tokenizer.backend_tokenizer.encode_batch_fast
        self._end = SPECIAL_TOKENS.index(END)

    def row(self, kind: Kind, number: int) -> list[int]:
        """Token ids of a row, see `Source`."""
        chooser = random.Random(f"{self._seed}:{'-'.join(kind)}:{number}")
        ids: list[int] = []
        while len(ids) < self._length:
            ids += self._encode([document(self._world, kind, chooser)])[0].ids
            ids.append(self._end)
        return ids[: self._length]


class Schedule:
    """Which kind of row comes when."""

    def __init__(self, kinds: Mapping[Kind, float], *, rows: int, seed: int) -> None:
        """Draw the kinds of `rows` rows, each kind as often as its probability says, up to rounding."""
        self.kinds = list(kinds)
        shares = np.array(list(kinds.values()))
        # Evenly spaced points instead of independent draws: a small language gets its rows, not its rows more or less.
        points = (np.arange(rows) + 0.5) / rows
        drawn = np.searchsorted(np.cumsum(shares / shares.sum()), points)
        self._order: NDArray[np.int64] = np.random.default_rng(seed).permutation(np.minimum(drawn, len(shares) - 1))
        self._numbers = np.empty(rows, dtype=np.int64)
        for kind in range(len(shares)):
            (places,) = np.nonzero(self._order == kind)
            self._numbers[places] = np.arange(len(places))

    def batch(self, source: Source, first: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token ids (row, position) of rows `first` to `first + size`, and the index of each row's kind (row,)."""
        chosen = self._order[first : first + size]
        numbers = self._numbers[first : first + size]
        rows = [source.row(self.kinds[kind], int(number)) for kind, number in zip(chosen, numbers, strict=True)]
        return np.array(rows, dtype=np.int64), chosen
