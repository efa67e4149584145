"""Tests, intervals and controls of the corrected protocol, from the shards of each value."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from polyethos.analysis.corrected import corrected_statistics
from polyethos.analysis.products import Products, products_of_blocks, resampling_units
from polyethos.analysis.untrained import untrained_accuracy, with_untrained
from polyethos.analysis.value_statistics import ValueSource, value_statistics
from polyethos.arrays import ITEM, LANGUAGE, LAYER, SOURCE, TARGET, read_dataset, write_dataset
from polyethos.dataset.languages import linguistic_distances
from polyethos.dataset.splits import fold_coordinate, folds
from polyethos.study.analysing import ValueData
from polyethos.study.definition import Study
from polyethos.study.planning import Testing, plan_testing


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
    planned = plan_tests(study, data)
    source = _source(study, data, planned)
    found = value_statistics(
        source,
        permutations=study.permutations,
        replicates=study.replicates,
        seed=study.seed,
        max_bytes=planned.kept,
    )
    groups = {(pair.language, pair.group or pair.item) for pair in source.pairs}
    n_groups = [sum(language == code for language, _ in groups) for code in data.pairs.languages]
    write_dataset(_path(folder, data.value), found.assign(n_groups=(LANGUAGE, n_groups)), {"value": data.value})


def keep_untrained(study: Study, data: ValueData, folder: Path) -> None:
    """Compute what the untrained model, whose differences `data` holds, gets right, and keep it in `folder`."""
    planned = plan_tests(study, data)
    source = _source(study, data, planned)
    found = untrained_accuracy(source, replicates=study.replicates, seed=study.seed, max_bytes=planned.kept)
    write_dataset(_untrained_path(folder, data.value), found, {"value": data.value, "seed": study.seed})


def has_untrained(folder: Path, value: str) -> bool:
    """Whether `keep_untrained` has finished this value."""
    return _untrained_path(folder, value).is_file()


def _source(study: Study, data: ValueData, planned: Testing) -> ValueSource:
    """The value's inner products, read within the memory planned."""
    stored = data.stored
    fold_of = folds(data.pairs, folds=study.folds, seed=study.seed)[data.value]
    item_folds = fold_coordinate(stored.items, fold_of).assign_coords(group=(ITEM, list(stored.groups)))
    units = resampling_units(item_folds, max_units=planned.n_units, seed=study.seed)

    def products_at(layer: int) -> Products:
        blocks = stored.reader([layer - 1], n_items=planned.n_items)
        return products_of_blocks(lambda: (block.isel({LAYER: 0}, drop=True) for block in blocks()), units)

    return ValueSource(
        value=data.value,
        layers=range(1, data.n_layers + 1),
        products_at=products_at,
        hidden=data.hidden_size,
        pairs=[pair for pair in data.pairs if pair.value == data.value],
    )


def with_tests(results: xr.Dataset, folder: Path) -> xr.Dataset:
    """The results of a model with their tests and intervals, from what was kept of each value.

    The untrained model is among the controls if it was kept, too.

    Quantities that both hold, such as `recognition`, are the same; those with the tests take their place.
    """
    tests = {str(value): read_dataset(_path(folder, str(value)))[0] for value in results["value"].values}
    for value, statistics in tests.items():
        if has_untrained(folder, value):
            tests[value] = with_untrained(statistics, read_dataset(_untrained_path(folder, value))[0])
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


def _untrained_path(folder: Path, value: str) -> Path:
    return folder / f"{value}-untrained.nc"
