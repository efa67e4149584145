"""From the shards of one value to its statistics, in either protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from polyethos.analysis import published, recognition
from polyethos.analysis.consistency import cosine, layer_curve, similarity
from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, read_dataset, write_dataset
from polyethos.dataset.pairs import ContrastPairs
from polyethos.dataset.splits import fold_coordinate, folds
from polyethos.errors import DataFormatError
from polyethos.execution.shards import Shard, ShardStore
from polyethos.representation.directions import DIRECTIONS
from polyethos.study.definition import Study

LAYERS_BYTES = 2**30
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
    """

    value: str
    pairs: ContrastPairs
    store: ShardStore
    shards: Sequence[Shard]
    n_layers: int

    def layer_groups(self, positions: Sequence[int]) -> Iterator[xr.DataArray]:
        """Differences (language, layer, item, hidden) of some stored layers, at most 1 GiB (or one layer) at a time."""
        languages = self.pairs.languages
        first = self.store.differences(self.shards, languages=languages, layers=positions[:1])
        at_once = max(1, LAYERS_BYTES // first.nbytes)
        yield first
        for start in range(1, len(positions), at_once):
            layers = positions[start : start + at_once]
            yield self.store.differences(self.shards, languages=languages, layers=layers)


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


def analyse_value(study: Study, data: ValueData) -> Partial:
    """All statistics of one value that need its paired differences, in the study's protocol."""
    statistics, vectors = _published(data) if study.protocol == "paper" else _corrected(study, data)
    layers = vectors[LAYER].values
    norms = xr.DataArray(data.store.norms(data.shards)[_positions(study, data.n_layers)], dims=LAYER)
    return Partial(data.value, statistics, vectors, norms.assign_coords({LAYER: layers}))


def _positions(study: Study, n_layers: int) -> list[int]:
    """Stored layers that the protocol reads: the paper's last one is the state after the final norm."""
    return [*range(n_layers - 1), n_layers if study.protocol == "paper" else n_layers - 1]


def _corrected(study: Study, data: ValueData) -> tuple[xr.Dataset, xr.DataArray]:
    direction = DIRECTIONS[study.direction]
    tested_groups, vector_groups = [], []
    fold_of = folds(data.pairs, folds=study.folds, seed=study.seed)[data.value]
    for differences in data.layer_groups(range(data.n_layers)):
        item_folds = fold_coordinate(differences[ITEM].values.tolist(), fold_of)
        # None takes the short cut through one sum per fold.
        chosen = None if study.direction == DIFFERENCE_IN_MEANS else direction
        tested_groups.append(recognition.cross_fit(differences, item_folds, chosen))
        vector_groups.append(_vectors(differences, direction))
    tested, vectors = xr.concat(tested_groups, LAYER), xr.concat(vector_groups, LAYER)
    cosines = cosine(vectors)
    layers = recognition.chosen_layers(tested.training_accuracy)
    at_layer = recognition.accuracy_at(tested.correct, item_folds, layers.shared)
    statistics = xr.Dataset(
        {
            "accuracy": recognition.accuracy(tested.correct),
            "cosine": cosines,
            "transfer_accuracy": at_layer,
            "transfer_accuracy_per_cell": recognition.accuracy_at(tested.correct, item_folds, layers.per_cell),
            "recognition": recognition.own_language(at_layer),
            "similarity_by_value": similarity(cosines, layers.shared),
            "layer_curve": layer_curve(cosines),
            "chosen_layer": layers.shared,
            "n_items": recognition.own_language(tested.correct).isel({LAYER: 0}, drop=True).count(ITEM),
        }
    )
    return statistics, vectors


def _vectors(differences: xr.DataArray, direction: recognition.Direction) -> xr.DataArray:
    """Directions fitted on all items that a language has: (language, layer, hidden)."""
    fitted = [
        [direction(rows.values) for rows in (layer.dropna(ITEM) for layer in language)]
        for language in differences.transpose(LANGUAGE, LAYER, ITEM, HIDDEN)
    ]
    coords = {LANGUAGE: differences[LANGUAGE].values, LAYER: differences[LAYER].values}
    return xr.DataArray(fitted, dims=(LANGUAGE, LAYER, HIDDEN), coords=coords)


def _published(data: ValueData) -> tuple[xr.Dataset, xr.DataArray]:
    of_value = [pair for pair in data.pairs if pair.value == data.value]
    orders = {
        language: published.item_order(pair for pair in of_value if pair.language == language)
        for language in data.pairs.languages
    }
    positions = [*range(data.n_layers - 1), data.n_layers]
    measured = xr.concat([published.measure(group, orders) for group in data.layer_groups(positions)], LAYER)
    measured = measured.assign_coords({LAYER: range(1, data.n_layers + 1)})
    counts = [len(orders[language]) for language in data.pairs.languages]
    statistics = measured[["accuracy", "cosine", "sign"]].assign(n_items=(LANGUAGE, counts))
    return statistics, measured["direction"]


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
