"""Rules of cross-fitted recognition."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from polyethos.analysis.recognition import (
    accuracy,
    accuracy_at,
    chosen_layers,
    cross_fit,
    cross_fit_blocks,
    n_items,
    own_language,
)
from polyethos.errors import DataError, InvalidStudyError, LabelMismatchError
from polyethos.representation.directions import DIRECTIONS


def labelled(rows, languages=None, layers=None, items=None):
    """A difference array from nested lists or numpy: (language, layer, item, hidden)."""
    rows = np.asarray(rows, dtype=np.float32)
    coords = {
        "language": languages or [f"l{i}" for i in range(rows.shape[0])],
        "layer": layers or list(range(1, rows.shape[1] + 1)),
        "item": items or [f"item-{i}" for i in range(rows.shape[2])],
    }
    return xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)


def folded(differences, n_folds):
    items = differences["item"]
    return xr.DataArray(np.arange(items.size) % n_folds, dims="item", coords={"item": items.values})


def random_differences(seed, *, languages=3, layers=2, items=15, hidden=4, shift=0.0):
    return labelled(np.random.default_rng(seed).normal(shift, 1, (languages, layers, items, hidden)))


def mean_of(rows):
    return rows.mean(axis=0)


def in_blocks(differences, size):
    starts = range(0, differences.sizes["item"], size)
    return lambda: (differences.isel(item=slice(start, start + size)) for start in starts)


def test_a_planted_direction_is_recognised_in_every_item():
    planted = np.array([2.0, -1.0, 0.5, 0.0])
    differences = labelled(np.broadcast_to(planted, (2, 3, 9, 4)))
    found = cross_fit(differences, folded(differences, 3))
    assert (found["recognised"] == 3).all()
    assert (found["tested"] == 3).all()
    assert (found["training_accuracy"] == 1).all()
    np.testing.assert_array_equal(found["direction"], np.broadcast_to(planted, (2, 3, 4)))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_way_to_find_a_direction_recovers_a_planted_one(direction):
    noise = np.random.default_rng(0).normal(0, 0.3, (2, 2, 30, 6)).astype(np.float32)
    differences = labelled(noise + np.array([0, 3, 0, 0, -3, 0], dtype=np.float32))
    found = cross_fit(differences, folded(differences, 5), DIRECTIONS[direction])
    assert (accuracy(found) == 1).all()
    whole = DIRECTIONS[direction](differences.sel(language="l1", layer=2).values)
    np.testing.assert_array_equal(found["direction"].sel(language="l1", layer=2), whole)


def test_each_item_is_tested_on_the_mean_of_the_other_folds_only():
    # One hidden unit: items of folds 0, 1, 2. Without fold 0 the mean is (1 - 4) / 2 < 0, and so on.
    differences = labelled([[[[3.0], [1.0], [-4.0]]]])
    found = cross_fit(differences, folded(differences, 3))
    assert found["recognised"].values.ravel().tolist() == [0.0, 0.0, 0.0]
    assert found["tested"].values.ravel().tolist() == [1.0, 1.0, 1.0]


def test_training_accuracy_of_a_fold_never_uses_that_fold():
    # Without fold 0, items 1 and -4 test each other; without fold 1, 3 and -4; without fold 2, 3 and 1, which agree.
    differences = labelled([[[[3.0], [1.0], [-4.0]]]])
    training = cross_fit(differences, folded(differences, 3))["training_accuracy"]
    assert training.values.ravel().tolist() == [0.0, 0.0, 1.0]


def test_a_tie_counts_one_half():
    differences = labelled([[[[1.0, 0.0], [1.0, 0.0], [0.0, 5.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]]])
    found = cross_fit(differences, folded(differences, 3))
    # The fourth item is zero, and the third is at a right angle to the mean of folds 0 and 1.
    assert found["recognised"].values.ravel().tolist() == [1.5, 2.0, 1.5]


def test_a_missing_item_is_missing_there_and_nowhere_else():
    differences = random_differences(0)
    differences[1, :, 4] = np.nan
    found = cross_fit(differences, folded(differences, 5))
    assert (found["tested"].sel(target="l1", fold=4) == 2).all()
    assert (found["tested"] == 3).sum() == found["tested"].size - found["tested"].sel(target="l1", fold=4).size
    assert found["training_accuracy"].notnull().all()
    assert n_items(found).values.tolist() == [15, 14, 15]


def test_a_missing_item_counts_as_if_the_language_never_had_it():
    whole = random_differences(1, languages=1, items=15)
    folds = folded(whole, 3)
    holed = whole.copy()
    holed[:, :, [3, 7]] = np.nan
    without = whole.isel(item=[i for i in range(15) if i not in (3, 7)])
    expected = cross_fit(without, folds.sel(item=without["item"].values))
    xr.testing.assert_allclose(cross_fit(holed, folds), expected)


def test_a_language_without_items_is_undefined_not_zero():
    differences = random_differences(2)
    differences[2] = np.nan
    found = cross_fit(differences, folded(differences, 3))
    undefined = found["training_accuracy"].isnull()
    assert undefined.sel(source="l2").all()
    assert undefined.sel(target="l2").all()
    assert not undefined.sel(source=["l0", "l1"], target=["l0", "l1"]).any()
    assert accuracy(found).sel(source="l2").isnull().all()
    assert found["direction"].sel(language="l2").isnull().all()
    assert n_items(found).values.tolist() == [15, 15, 0]


def test_a_language_with_items_in_one_fold_has_no_direction_for_it_and_one_for_the_others():
    differences = random_differences(2, items=6)
    differences[0, :, [1, 2, 4, 5]] = np.nan
    tested = cross_fit(differences, folded(differences, 3))["tested"].isel(layer=0).sel(source="l0", target="l1")
    assert tested.values.tolist() == [0, 2, 2]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n_folds=st.integers(3, 6), holes=st.integers(0, 8), size=st.integers(1, 20))
def test_reading_items_in_blocks_changes_nothing(seed, n_folds, holes, size):
    differences = random_differences(seed, items=20, shift=0.2)
    rng = np.random.default_rng(seed)
    differences.values[rng.integers(0, 3, holes), :, rng.integers(0, 20, holes)] = np.nan
    folds = folded(differences, n_folds)
    whole, blockwise = cross_fit(differences, folds), cross_fit_blocks(in_blocks(differences, size), folds)
    counts = ["recognised", "tested", "training_accuracy"]
    xr.testing.assert_identical(blockwise[counts], whole[counts])
    np.testing.assert_allclose(blockwise["direction"], whole["direction"], rtol=1e-6)


def test_the_folds_need_not_follow_the_order_of_the_blocks():
    differences = random_differences(3)
    folds = folded(differences, 3)
    turned = folds.isel(item=slice(None, None, -1))
    xr.testing.assert_identical(
        cross_fit_blocks(in_blocks(differences, 4), turned), cross_fit_blocks(in_blocks(differences, 4), folds)
    )


def test_blocks_that_can_be_read_only_once_are_an_error():
    differences = random_differences(3)
    once = iter([differences])
    with pytest.raises(DataError, match="no block of items"):
        cross_fit_blocks(lambda: once, folded(differences, 3))


def test_memory_does_not_grow_with_the_number_of_blocks():
    def peak(n_blocks):
        items = [f"item-{k}" for k in range(20 * n_blocks)]
        folds = xr.DataArray(np.arange(len(items)) % 5, dims="item", coords={"item": items})

        def blocks():
            for start in range(0, len(items), 20):
                yield labelled(np.ones((4, 2, 20, 512), np.float32), items=items[start : start + 20])

        tracemalloc.start()
        cross_fit_blocks(blocks, folds)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(1)
    assert peak(30) < 1.1 * peak(3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_folds=st.integers(3, 6), holes=st.integers(0, 8))
def test_fold_sums_and_refitting_every_fold_agree(seed, n_folds, holes):
    differences = random_differences(seed, items=20, shift=0.2)
    rng = np.random.default_rng(seed)
    differences.values[rng.integers(0, 3, holes), :, rng.integers(0, 20, holes)] = np.nan
    folds = folded(differences, n_folds)
    xr.testing.assert_allclose(cross_fit(differences, folds), cross_fit(differences, folds, mean_of), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_flipping_the_vector_mirrors_accuracy_around_one_half(seed):
    differences = random_differences(seed)
    folds = folded(differences, 3)
    upright = cross_fit(differences, folds, mean_of)
    flipped = cross_fit(differences, folds, lambda rows: -rows.mean(axis=0))
    xr.testing.assert_allclose(flipped["recognised"], flipped["tested"] - upright["recognised"])
    xr.testing.assert_allclose(flipped["training_accuracy"], 1 - upright["training_accuracy"])


@given(seed=st.integers(0, 10_000), power=st.integers(-20, 20))
@settings(max_examples=10, deadline=None)
def test_the_scale_of_a_language_does_not_matter(seed, power):
    differences = random_differences(seed)
    folds = folded(differences, 3)
    scaled = differences.copy()
    scaled[1] *= 2.0**power
    counts = ["recognised", "tested", "training_accuracy"]
    xr.testing.assert_identical(cross_fit(scaled, folds)[counts], cross_fit(differences, folds)[counts])


def test_layers_are_independent_so_they_can_be_computed_one_at_a_time():
    differences = random_differences(3, layers=4)
    folds = folded(differences, 3)
    single = [cross_fit(differences.isel(layer=[k]), folds) for k in range(4)]
    xr.testing.assert_identical(xr.concat(single, "layer"), cross_fit(differences, folds))


def test_arguments_are_not_changed_and_other_dimension_orders_are_understood():
    differences = random_differences(4)
    before, folds = differences.copy(deep=True), folded(differences, 3)
    turned = cross_fit(differences.transpose("hidden", "item", "layer", "language"), folds)
    xr.testing.assert_allclose(turned, cross_fit(differences, folds))
    xr.testing.assert_identical(differences, before)


def test_folds_of_other_items_are_an_error_not_a_smaller_result():
    differences = random_differences(6)
    with pytest.raises(LabelMismatchError, match="item-14"):
        cross_fit(differences, folded(differences, 3).isel(item=slice(14)))


def test_two_folds_are_too_few_to_choose_a_layer():
    differences = random_differences(7)
    with pytest.raises(InvalidStudyError, match=r"found 2 among 15 items.*at least 3"):
        cross_fit(differences, folded(differences, 2))


@pytest.mark.parametrize("broken", [np.inf, np.nan])
def test_an_overflowed_state_is_named_not_averaged(broken):
    differences = random_differences(8)
    differences[1, 0, 2, 3] = broken
    with pytest.raises(DataError, match=r"'l1', item 'item-2', layer 1: not finite"):
        cross_fit(differences, folded(differences, 3))


def training_table(by_layer, languages=("en", "fi")):
    """Training accuracies (fold, source, target, layer) equal for every fold and cell of one source."""
    table = np.asarray(by_layer, dtype=np.float32)
    return xr.DataArray(
        np.broadcast_to(table, (3, *table.shape)).copy(),
        dims=("fold", "source", "target", "layer"),
        coords={"fold": range(3), "source": list(languages), "target": list(languages), "layer": [5, 6, 7]},
    )


def outcomes_of(recognised, languages=("en",)):
    """One item per fold, recognised or not: (fold, source, target, layer)."""
    dims, recognised = ("fold", "source", "target", "layer"), np.asarray(recognised, dtype=np.float32)
    return xr.Dataset(
        {"recognised": (dims, recognised), "tested": (dims, np.ones_like(recognised))},
        coords={"fold": range(3), "source": list(languages), "target": list(languages), "layer": [5, 6, 7]},
    )


def test_the_shared_layer_is_the_best_for_languages_on_themselves():
    on_others = [0.0, 0.0, 1.0]
    chosen = chosen_layers(training_table([[[0.5, 0.9, 0.6], on_others], [on_others, [0.5, 0.6, 0.7]]]))
    assert chosen["shared"].values.tolist() == [6, 6, 6]
    assert chosen["per_cell"].sel(fold=1).values.tolist() == [[6, 7], [7, 7]]


def test_of_equally_good_layers_the_lowest_is_chosen():
    chosen = chosen_layers(training_table(np.full((2, 2, 3), 0.75)))
    assert (chosen["shared"] == 5).all()
    assert (chosen["per_cell"] == 5).all()


def test_an_undefined_cell_has_no_layer_and_no_accuracy():
    table = training_table(np.full((2, 2, 3), 0.75))
    table.loc[{"source": "fi"}] = np.nan
    chosen = chosen_layers(table)
    found = accuracy_at(outcomes_of(np.ones((3, 2, 2, 3)), languages=("en", "fi")), chosen["per_cell"])
    assert found.sel(source="en").values.tolist() == [1.0, 1.0]
    assert found.sel(source="fi").isnull().all()


def test_no_layer_can_be_chosen_from_nothing():
    with pytest.raises(DataError, match="no language has items"):
        chosen_layers(training_table(np.full((2, 2, 3), np.nan)))


def test_every_item_is_tested_at_the_layer_chosen_without_its_fold():
    # The items of folds 0, 1, 2 are right at exactly one layer, and each fold chose another one.
    outcomes = outcomes_of(np.eye(3)[:, None, None])
    layers = xr.DataArray([5, 6, 5], dims="fold", coords={"fold": [0, 1, 2]})
    assert accuracy_at(outcomes, layers).item() == pytest.approx(2 / 3)
    assert accuracy(outcomes).values.ravel().tolist() == pytest.approx([1 / 3] * 3)


def test_a_fold_counts_by_its_items():
    outcomes = outcomes_of(np.eye(3)[:, None, None])
    outcomes["tested"][0] = 4
    layers = xr.DataArray([5, 6, 5], dims="fold", coords={"fold": [0, 1, 2]})
    assert accuracy_at(outcomes, layers).item() == pytest.approx(2 / 6)


def test_layers_chosen_for_other_folds_are_an_error():
    layers = xr.DataArray([5, 6, 5], dims="fold", coords={"fold": [0, 2, 1]})
    with pytest.raises(LabelMismatchError, match="another order"):
        accuracy_at(outcomes_of(np.eye(3)[:, None, None]), layers)


def test_chance_data_averages_one_half_although_the_layer_is_chosen():
    # 30 unrelated languages are 30 repetitions of a study without any signal: 24 layers, 60 items.
    differences = random_differences(9, languages=30, layers=24, items=60, hidden=12)
    folds = folded(differences, 5)
    found = cross_fit(differences, folds)
    chosen = chosen_layers(found["training_accuracy"])
    honest = own_language(accuracy_at(found, chosen["per_cell"]))
    published = own_language(accuracy(found).max("layer"))
    assert abs(honest.mean().item() - 0.5) < 0.03
    assert published.mean().item() > 0.55


def test_own_language_keeps_only_the_diagonal():
    table = xr.DataArray(
        [[1, 2], [3, 4]], dims=("source", "target"), coords={"source": ["en", "fi"], "target": ["en", "fi"]}
    )
    own = own_language(table)
    assert own["language"].values.tolist() == ["en", "fi"]
    assert own.values.tolist() == [1, 4]
