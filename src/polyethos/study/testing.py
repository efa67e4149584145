"""Tests, intervals and controls of the corrected protocol, from the shards of each value."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from polyethos.analysis.corrected import corrected_statistics
from polyethos.analysis.products import Products, products_of_blocks, resampling_units
from polyethos.analysis.value_statistics import ValueSource, value_statistics
from polyethos.arrays import ITEM, LANGUAGE, LAYER, SOURCE, TARGET, read_dataset, write_dataset
from polyethos.dataset.languages import linguistic_distances
from polyethos.dataset.splits import fold_coordinate, folds
from polyethos.study.analysing import DIFFERENCE_IN_MEANS, ValueData
from polyethos.study.definition import Study
from polyethos.study.planning import Testing, plan_testing


def is_tested(study: Study) -> bool:
    """Whether a study gets tests: they follow from inner products, which only a difference in means is made of."""
    return study.protocol == "corrected" and study.direction == DIFFERENCE_IN_MEANS and study.permutations > 0


def plan_tests(study: Study, data: ValueData) -> Testing:
    """How the tests of a value are computed; can be asked before anything is extracted.

    Raises:
        ResourceError: the study's memory is not enough for them.
    """
    return plan_testing(
        data.extent(study),
        len(set(data.stored.groups)),
        patterns=study.permutations,
        replicates=study.replicates,
        memory=study.memory,
    )


def keep_tests(study: Study, data: ValueData, folder: Path) -> None:
    """Compute the tests of one value and keep them in `folder`, whole or not at all.

    Raises:
        ResourceError: the study's memory is not enough for them.
    """
    planned, stored = plan_tests(study, data), data.stored
    of_value = [pair for pair in data.pairs if pair.value == data.value]
    fold_of = folds(data.pairs, folds=study.folds, seed=study.seed)[data.value]
    item_folds = fold_coordinate(stored.items, fold_of).assign_coords(group=(ITEM, list(stored.groups)))
    units = resampling_units(item_folds, max_units=planned.n_units, seed=study.seed)

    def products_at(layer: int) -> Products:
        blocks = stored.reader([layer - 1], n_items=planned.n_items)
        return products_of_blocks(lambda: (block.isel({LAYER: 0}, drop=True) for block in blocks()), units)

    source = ValueSource(
        value=data.value,
        layers=range(1, data.n_layers + 1),
        products_at=products_at,
        hidden=data.hidden_size,
        pairs=of_value,
    )
    found = value_statistics(
        source,
        permutations=study.permutations,
        replicates=study.replicates,
        seed=study.seed,
        max_bytes=planned.kept,
    )
    groups = {(pair.language, pair.group or pair.item) for pair in of_value}
    n_groups = [sum(language == code for language, _ in groups) for code in data.pairs.languages]
    write_dataset(_path(folder, data.value), found.assign(n_groups=(LANGUAGE, n_groups)), {"value": data.value})


def with_tests(results: xr.Dataset, folder: Path) -> xr.Dataset:
    """The results of a model with their tests and intervals, from what `keep_tests` kept of each value.

    Quantities that both hold, such as `recognition`, are the same; those with the tests take their place.
    """
    tests = {str(value): read_dataset(_path(folder, str(value)))[0] for value in results["value"].values}
    languages = results[SOURCE].values.tolist()
    found = corrected_statistics(
        tests,
        high_resource=results.attrs["high_resource"].split(),
        distances=linguistic_distances("urielplus").sel({SOURCE: languages, TARGET: languages}),
        shares=results.get("pretraining_share"),
    )
    n_groups = xr.concat([each["n_groups"] for each in tests.values()], results["value"])
    twice = [name for name in found.data_vars if name in results]
    merged = results.drop_vars(twice).merge(found.assign(n_groups=n_groups), join="exact")
    return merged.assign_attrs(results.attrs)


def _path(folder: Path, value: str) -> Path:
    return folder / f"{value}-tests.nc"
