"""The bootstrap samples and random signs of one value, the same for every model of the same data."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from polyethos.analysis.asymmetry import accuracy_of, drawn_accuracy
from polyethos.analysis.products import Products
from polyethos.analysis.resampling import bootstrap_weights, random_signs, wilson_interval

Array = NDArray[np.float64]


class Draws:
    """Bootstrap weights and random signs of one value.

    Attributes:
        seed: follows from the study's seed and the value.
        units: how the items are resampled.
        languages: codes.
        n_items: items of each language, (language,).
        weights: how often each unit is drawn, (replicate, unit).
        signs: random signs of the units, (unit, replicate).
    """

    def __init__(self, products: Products, value: str, replicates: int, seed: int) -> None:
        self.seed = zlib.crc32(f"{seed} {value}".encode())
        self.units = products.units
        self.languages = list(products.languages)
        self.n_items = products.present.sum(axis=1)
        self.weights = bootstrap_weights(self.units.n_units, replicates, seed=self.seed)
        self.signs = random_signs(self.units.n_units, replicates, seed=self.seed + 1)

    @property
    def key(self) -> int:
        """Equal for equal items drawn in equal samples."""
        units = (self.units.items, self.units.of_item.tolist(), self.units.fold.tolist())
        return zlib.crc32(self.weights.tobytes(), zlib.crc32(repr(units).encode()))

    def accuracy(self, correct: Array) -> Array:
        """Accuracy in every sample, (replicate, ...) from (..., item)."""
        return drawn_accuracy(correct, self.weights, self.units.of_item)

    def interval(self, correct: Array) -> tuple[Array, Array, Array, Array]:
        """Accuracy, its 95 % interval, and the accuracy in every sample, from (..., language, item)."""
        share, drawn = accuracy_of(correct), self.accuracy(correct)
        low, high = wilson_interval(share, drawn.var(axis=0), self.n_items, n_units=self.units.n_units)
        return share, low, high, drawn
