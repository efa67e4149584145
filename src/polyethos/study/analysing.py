"""From the shards of one value to its statistics, in either protocol."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from polyethos.analysis import published, recognition
from polyethos.analysis.beside import beside
from polyethos.analysis.blocks import Blocks
from polyethos.analysis.consistency import cosine, layer_curve, similarity
from polyethos.arrays import HIDDEN, LANGUAGE, LAYER, read_dataset, write_dataset
from polyethos.dataset.pairs import ContrastPairs
from polyethos.dataset.splits import fold_coordinate, folds
from polyethos.errors import DataFormatError
from polyethos.execution.reading import StoredDifferences
from polyethos.execution.shards import Shard, ShardStore
from polyethos.representation.directions import DIRECTIONS
from polyethos.study.definition import Study
from polyethos.study.planning import Extent, Reading, plan, plan_refitting

DIFFERENCE_IN_MEANS = "difference-in-means"


@dataclass(frozen=True)
class ValueData:
    """The paired differences of one value, on disk.

    Attributes:
        value: its name.
        pairs: the study's pairs, in file order.
        store: holds `shards`.
        shards: all shards of the value.
        n_layers: number of decoder blocks.
        hidden_size: width of the model.
    """

    value: str
    pairs: ContrastPairs
    store: ShardStore
    shards: Sequence[Shard]
    n_layers: int
    hidden_size: int

    @functools.cached_property
    def stored(self) -> StoredDifferences:
        """The differences, to be read."""
        return StoredDifferences(self.store, self.shards, self.pairs.languages)

    def extent(self, study: Study) -> Extent:
        """What decides how much memory the analysis needs."""
        n_languages, n_items = len(self.pairs.languages), len(self.stored.items)
        return Extent(self.value, n_languages, self.n_layers, n_items, self.hidden_size, study.folds)


@dataclass(frozen=True)
class Partial:
    """What a run keeps of one value.

    Attributes:
        value: its name.
        statistics: its results, without a dimension `value`.
        vectors: float32 (language, layer, hidden).
        norms: (layer,) mean Euclidean norm of the residual stream.
    """

    value: str
    statistics: xr.Dataset
    vectors: xr.DataArray
    norms: xr.DataArray


def plan_analysis(study: Study, data: ValueData) -> Reading:
    """How much of a value's differences is read at once; can be asked before anything is extracted.

    Raises:
        ResourceError: the study's memory is not enough for what it asks.
    """
    if study.direction == DIFFERENCE_IN_MEANS:
        return plan(data.extent(study), study.memory)
    return plan_refitting(data.extent(study), study.direction, study.memory)


def analyse_value(study: Study, data: ValueData) -> Partial:
    """All statistics of one value that need its paired differences, in the study's protocol.

    Protocol "corrected" has those of protocol "paper" beside them, from the same differences, see `analysis.beside`.

    Raises:
        ResourceError: the study's memory is not enough for what it asks.
    """
    # Stored after the blocks' outputs is the state after the final norm, which is the paper's last layer.
    blocks, after_norm = [*range(data.n_layers)], [*range(data.n_layers - 1), data.n_layers]
    positions = after_norm if study.protocol == "paper" else blocks
    reading = plan_analysis(study, data)
    layers = range(1, data.n_layers + 1)
    published = _published(data, _groups(data, reading, after_norm)).assign_coords({LAYER: layers})
    if study.protocol == "paper":
        analysed = published
    else:
        analysed = _corrected(study, data, _groups(data, reading, blocks)).assign_coords({LAYER: layers})
        analysed = analysed.assign(beside(published.drop_vars("direction")))
    norms = xr.DataArray(data.store.norms(data.shards)[positions], dims=LAYER)
    vectors = analysed["direction"].transpose(LANGUAGE, LAYER, HIDDEN)
    return Partial(data.value, analysed.drop_vars("direction"), vectors, norms.assign_coords({LAYER: layers}))


def _groups(data: ValueData, reading: Reading, positions: Sequence[int]) -> Iterator[Blocks]:
    """The differences at these stored positions, as many layers at a time as are read at once."""
    for first in range(0, len(positions), reading.n_layers):
        yield data.stored.reader(positions[first : first + reading.n_layers], n_items=reading.n_items)


def _corrected(study: Study, data: ValueData, groups: Iterable[Blocks]) -> xr.Dataset:
    of_value = folds(data.pairs, folds=study.folds, seed=study.seed)[data.value]
    item_folds = fold_coordinate(data.stored.items, of_value)
    outcomes = xr.concat([_tested(study.direction, blocks, item_folds) for blocks in groups], LAYER)
    cosines = cosine(outcomes["direction"])
    layers = recognition.chosen_layers(outcomes["training_accuracy"])
    at_layer = recognition.accuracy_at(outcomes, layers["shared"])
    return xr.Dataset(
        {
            "accuracy": recognition.accuracy(outcomes),
            "cosine": cosines,
            "transfer_accuracy": at_layer,
            "transfer_accuracy_per_cell": recognition.accuracy_at(outcomes, layers["per_cell"]),
            "recognition": recognition.own_language(at_layer),
            "similarity_by_value": similarity(cosines, layers["shared"]),
            "layer_curve": layer_curve(cosines),
            "chosen_layer": layers["shared"],
            "n_items": recognition.n_items(outcomes),
            "direction": outcomes["direction"],
        }
    )


def _tested(direction: str, blocks: Blocks, item_folds: xr.DataArray) -> xr.Dataset:
    if direction == DIFFERENCE_IN_MEANS:
        return recognition.cross_fit_blocks(blocks, item_folds)
    (differences,) = blocks()
    return recognition.cross_fit(differences, item_folds, DIRECTIONS[direction])


def _published(data: ValueData, groups: Iterable[Blocks]) -> xr.Dataset:
    of_value = [pair for pair in data.pairs if pair.value == data.value]
    orders = {
        language: published.item_order(pair for pair in of_value if pair.language == language)
        for language in data.pairs.languages
    }
    measured = xr.concat([published.measure_blocks(blocks, orders) for blocks in groups], LAYER)
    counts = [len(orders[language]) for language in data.pairs.languages]
    return measured.assign(n_items=(LANGUAGE, counts))


def write_partial(folder: Path, partial: Partial) -> None:
    """Keep a finished value, whole or not at all."""
    content = partial.statistics.assign(vectors=partial.vectors, norms=partial.norms)
    write_dataset(folder / f"{partial.value}.nc", content, {"value": partial.value})


def read_partial(folder: Path, value: str) -> Partial | None:
    """What `write_partial` kept, or None where the value is not finished."""
    path = folder / f"{value}.nc"
    if not path.is_file():
        return None
    try:
        content, _ = read_dataset(path)
    except DataFormatError:
        return None
    statistics = content.drop_vars(["vectors", "norms"])
    return Partial(value, statistics, content["vectors"], content["norms"])
