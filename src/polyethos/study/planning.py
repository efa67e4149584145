"""How much of one value's paired differences is read at once, so that a stated amount of memory is enough."""

from __future__ import annotations

from dataclasses import dataclass

from polyethos.analysis.one_way import simulation_bytes
from polyethos.errors import ResourceError

FEWEST_UNITS = 20
"""A sign-flip test of fewer units could not tell much: 20 have a million sign patterns."""

UNITS_BYTES = 3 * 2**28
"""Groups are merged into fewer units where what is resampled of a value would take more than this, 768 MiB."""

_FLOAT32, _FLOAT64 = 4, 8


@dataclass(frozen=True)
class Extent:
    """What decides how many bytes the analysis of a value needs.

    Attributes:
        value: its name, for messages.
        n_languages, n_layers, n_items, hidden: numbers of each; `hidden` is the model's width.
        n_folds: number of cross-fitting folds.
    """

    value: str
    n_languages: int
    n_layers: int
    n_items: int
    hidden: int
    n_folds: int

    @property
    def row(self) -> int:
        """Bytes of one item in all languages, at one layer."""
        return self.n_languages * self.hidden * _FLOAT32

    def per_item(self, layers: int) -> int:
        """Bytes per item of a block of some layers: the block, and the work on one of its layers."""
        # While a block is read, the one before it is still there; reading it, or picking a fold's rows, copies a layer.
        return (2 * layers + 2) * self.row + self.n_languages**2 * self.n_folds * (_FLOAT32 + 1)

    def fixed(self, layers: int) -> int:
        """Bytes that do not depend on the items: sums per fold, directions, counts."""
        sums = (self.n_folds * layers + 3 * self.n_folds + 3) * _FLOAT64 + 2 * layers * _FLOAT32
        counts = 4 * layers * (self.n_folds * self.n_languages) ** 2 * _FLOAT32
        return self.n_languages * self.hidden * sums + counts

    def refitting(self) -> int:
        """Bytes that a direction needs which is fitted on rows instead of sums, one language at a time."""
        n_fits = self.n_folds * (self.n_folds + 1) // 2 + 1
        rows, square = self.n_items * self.hidden, min(self.n_items, self.hidden) ** 2
        return n_fits * self.row + (6 * rows + 4 * square) * _FLOAT64

    def resampling(self, units: int, replicates: int) -> int:
        """Bytes of what is resampled in the tests of one layer; the same for every model of the same data."""
        pairs = self.n_languages**2
        inner, between = pairs * units * self.n_items * _FLOAT32, pairs * units**2 * _FLOAT64
        drawn = (12 * pairs + 3 * units) * replicates * _FLOAT64
        return 4 * inner + 5 * between + drawn

    def testing(self, units: int, patterns: int, replicates: int) -> int:
        """Bytes that the tests need beside blocks: inner products of a layer in a few copies, resampling weights."""
        counted = patterns * (self.n_layers * self.n_folds + self.n_languages**2) * _FLOAT32
        signs = 3 * units * patterns * _FLOAT64
        # Folds of whole groups differ in size.
        simulated = simulation_bytes(self.n_languages, replicates, 2 * self.n_items // self.n_folds)
        return self.resampling(units, replicates) + simulated + signs + counted + 2 * units * self.row


@dataclass(frozen=True)
class Reading:
    """How many layers and items are read at once."""

    n_layers: int
    n_items: int


@dataclass(frozen=True)
class Testing:
    """How the tests read.

    Attributes:
        n_units: the most units to resample.
        n_items: how many items are read at once.
        kept: bytes of inner products that can be kept between passes over the layers.
    """

    n_units: int
    n_items: int
    kept: int


def plan(extent: Extent, memory: int) -> Reading:
    """As many whole layers as fit or, where not even one does, as many items of one layer as fit.

    Raises:
        ResourceError: not even one item fits.
    """
    counts = range(1, extent.n_layers + 1)
    whole = sum(extent.fixed(layers) + extent.n_items * extent.per_item(layers) <= memory for layers in counts)
    if whole:
        return Reading(whole, extent.n_items)
    at_once = (memory - extent.fixed(1)) // extent.per_item(1)
    if at_once < 1:
        raise ResourceError(
            f"{extent.value}: analysing {extent.n_languages} languages at a width of {extent.hidden} needs at least "
            f"{extent.fixed(1) + extent.per_item(1):,} bytes, more than the memory of {memory:,}; allow more (memory)"
        )
    return Reading(1, at_once)


def plan_refitting(extent: Extent, direction: str, memory: int) -> Reading:
    """One whole layer at a time, for a direction that is fitted on rows instead of sums.

    Raises:
        ResourceError: a layer does not fit.
    """
    needed = extent.fixed(1) + extent.n_items * extent.per_item(1) + extent.refitting()
    if needed > memory:
        raise ResourceError(
            f"{extent.value}, layer 1: direction {direction} is fitted on all {extent.n_items:,} items in "
            f"{extent.n_languages} languages at once and needs {needed:,} bytes, more than the memory of {memory:,}; "
            "use difference-in-means, which reads items in blocks, or fewer items, or allow more (memory)"
        )
    return Reading(1, extent.n_items)


def plan_testing(extent: Extent, groups: int, *, patterns: int, replicates: int, memory: int) -> Testing:
    """Units for the tests, and what of the memory is left for reading.

    The units depend on neither the memory nor the model: models can be compared where all draw the same items.

    Raises:
        ResourceError: the inner products and resampling weights do not fit.
    """
    units = min(groups, FEWEST_UNITS)
    while units < groups and extent.resampling(units + 1, replicates) <= UNITS_BYTES:
        units += 1
    left = memory - extent.testing(units, patterns, replicates)
    per_item = extent.per_item(1) + 2 * extent.row + extent.n_languages**2 * units * _FLOAT32
    if left < per_item:
        raise ResourceError(
            f"{extent.value}: the tests of {extent.n_items:,} items in {extent.n_languages} languages need at least "
            f"{memory - left + per_item:,} bytes, more than the memory of {memory:,}; allow more (memory), study fewer "
            "items, or leave the tests out (permutations = 0)"
        )
    n_items = min(extent.n_items, left // per_item)
    return Testing(units, n_items, left - n_items * per_item)
