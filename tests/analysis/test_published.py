"""Rules of the published protocol, quirks included, on data built by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from polyethos.analysis.published import item_order, measure, measure_blocks, split
from polyethos.analysis.published_summary import DISTANCES, SERIES, Series, summarise
from polyethos.dataset.pairs import ContrastPair
from polyethos.errors import LabelMismatchError


def labelled(by_language, items="abcde"):
    """One layer of one-dimensional or wider differences: {language: rows in the order of `items`}."""
    rows = np.array([np.reshape(rows, (len(items), -1)) for rows in by_language.values()], dtype=np.float32)
    return xr.DataArray(
        rows[:, None],
        dims=("language", "layer", "item", "hidden"),
        coords={"language": list(by_language), "layer": [1], "item": list(items)},
    )


def same_order(differences):
    return {str(code): [str(item) for item in differences["item"].values] for code in differences["language"].values}


def pair(item, positive="yes", negative="no"):
    return ContrastPair(item, "morality", "en", positive, negative)


def measured(cosines, *, accuracy=None, values=("morality",), layers=(1,)):
    """What `measure` would give: the same cosines (source, target) for every value and layer."""
    codes = list(cosines["source"].values)
    shape = (len(values), len(codes), len(codes), len(layers))
    dims = ("value", "source", "target", "layer")
    off_diagonal = np.where(np.eye(len(codes), dtype=bool), np.nan, cosines.values)
    spread = np.broadcast_to(off_diagonal[None, :, :, None], shape).copy()
    scores = np.full(shape, 0.5) if accuracy is None else np.asarray(accuracy, dtype=np.float64)
    coords = {"value": list(values), "source": codes, "target": codes, "layer": list(layers)}
    return xr.Dataset({"accuracy": (dims, scores), "cosine": (dims, spread)}, coords=coords)


def table(codes, cells):
    return xr.DataArray(
        np.asarray(cells, dtype=float), dims=("source", "target"), coords={"source": codes, "target": codes}
    )


def distances_from(closeness):
    """The same distance table, 1 - closeness, under every name of distance."""
    return xr.concat([1 - closeness] * len(DISTANCES), pd.Index(DISTANCES, name="distance"))


def random_closeness(codes, seed=0):
    cells = np.random.default_rng(seed).uniform(size=(len(codes), len(codes)))
    return table(codes, (cells + cells.T) / 2)


def test_items_are_shuffled_with_seed_one_after_dropping_equal_sides():
    pairs = [pair(item) for item in "abc"] + [pair("x", "same", "same")] + [pair(item) for item in "de"]
    assert item_order(pairs) == ("c", "d", "e", "a", "b")


@pytest.mark.parametrize(("n", "n_train"), [(0, 0), (1, 0), (4, 3), (5, 4), (24, 19), (25, 20)])
def test_training_takes_the_first_four_fifths_rounded_down(n, n_train):
    order = [str(number) for number in range(n)]
    assert split(order) == (order[:n_train], order[n_train:])


def test_each_language_trains_on_its_own_order():
    differences = labelled({"en": [1, 2, 3, 4, 100], "fi": [1, 2, 3, 4, 100]})
    found = measure(differences, {"en": "abcde", "fi": "ebcda"})
    assert found["direction"].values.ravel().tolist() == [2.5, 27.25]


def test_an_item_outside_the_order_is_never_read():
    differences = labelled({"en": [1, 2, 3, 4, 5, np.nan]}, items="abcdef")
    assert measure(differences, {"en": "abcde"})["direction"].item() == 2.5


def test_a_tie_is_a_win():
    differences = labelled({"en": [1, 1, 1, 1, 0], "fi": [-1, -1, -1, -1, -2]})
    accuracy = measure(differences, same_order(differences))["accuracy"].squeeze("layer")
    assert accuracy.sel(source="en").values.tolist() == [1.0, 0.0]
    assert accuracy.sel(source="fi").values.tolist() == [1.0, 1.0]


def test_the_sign_follows_the_majority_of_training_pairs_and_turns_only_cosines():
    # Mean +1.75, but three of four training pairs project lower: sign -1. The test pair still wins.
    differences = labelled({"en": [-1, -1, -1, 10, 1], "fi": [1, 1, 1, 1, 1]})
    found = measure(differences, same_order(differences))
    assert found["sign"].values.ravel().tolist() == [-1, 1]
    assert found["cosine"].sel(source="en", target="fi").item() == -1
    assert found["accuracy"].sel(source="en", target="fi").item() == 1


def test_a_language_has_no_cosine_with_itself():
    differences = labelled({"en": [1, 2, 3, 4, 5], "fi": [5, 4, 3, 2, 1]})
    cosine = measure(differences, same_order(differences))["cosine"].squeeze("layer")
    assert np.isnan(np.diag(cosine)).all()
    assert cosine.sel(source="fi", target="en").item() == 1


def test_layers_can_be_measured_one_at_a_time():
    rows = np.random.default_rng(0).normal(size=(2, 3, 10, 4)).astype(np.float32)
    dims, items = ("language", "layer", "item", "hidden"), list("abcdefghij")
    whole = xr.DataArray(rows, dims=dims, coords={"language": ["en", "fi"], "layer": [1, 2, 3], "item": items})
    orders = same_order(whole)
    single = xr.concat([measure(whole.isel(layer=[k]), orders) for k in range(3)], "layer")
    dims = ("language", "source", "target", "layer", "hidden")
    xr.testing.assert_identical(single.transpose(*dims), measure(whole, orders).transpose(*dims))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 15), holes=st.integers(0, 6))
def test_reading_items_in_blocks_changes_nothing(seed, size, holes):
    rng = np.random.default_rng(seed)
    rows, items = rng.normal(size=(2, 3, 15, 4)).astype(np.float32), [f"item-{k}" for k in range(15)]
    coords = {"language": ["en", "fi"], "layer": [1, 2, 3], "item": items}
    whole = xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)
    orders = {code: list(rng.permutation(items)) for code in ("en", "fi")}
    for item in rng.permutation(items)[:holes]:
        whole.loc[{"language": "fi", "item": item}] = np.nan
        orders["fi"].remove(item)
    blockwise = measure_blocks(lambda: (whole.isel(item=slice(k, k + size)) for k in range(0, 15, size)), orders)
    expected = measure(whole, orders)
    xr.testing.assert_identical(blockwise[["sign", "accuracy"]], expected[["sign", "accuracy"]])
    xr.testing.assert_allclose(blockwise, expected, rtol=1e-6, atol=1e-7)


def test_a_language_with_one_item_is_undefined():
    differences = labelled({"en": [1, 1, 1, 1, 1], "fi": [1, np.nan, np.nan, np.nan, np.nan]})
    found = measure(differences, {"en": "abcde", "fi": "a"}).squeeze("layer")
    assert found["direction"].sel(language="fi").isnull().all()
    assert found["accuracy"].sel(source="fi").isnull().all()
    assert found["accuracy"].sel(source="en", target="fi").item() == 1


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ({"en": "abcde"}, "language 'fi' has none"),
        ({"en": "abcde", "fi": "abcdz"}, "language 'fi': item 'z' is not among"),
        ({"en": "abcde", "fi": "abcde"}, "language fi, item e: NaN"),
    ],
)
def test_orders_and_differences_that_disagree_are_an_error(orders, message):
    differences = labelled({"en": [1, 1, 1, 1, 1], "fi": [1, 1, 1, 1, np.nan]})
    with pytest.raises(LabelMismatchError, match=message):
        measure(differences, orders)


def test_summaries_take_the_best_layer_of_each_cell_then_the_mean_over_values():
    codes = ["en", "fi"]
    # value x source x target x layer; the best layers are 0.9 0.6 / 0.5 0.8 and 0.7 0.4 / 0.7 0.8.
    accuracy = [
        [[[0.9, 0.1], [0.2, 0.6]], [[0.5, 0.5], [0.8, 0.7]]],
        [[[0.7, 0.6], [0.4, 0.3]], [[0.7, 0.1], [0.1, 0.8]]],
    ]
    found = measured(table(codes, np.ones((2, 2))), accuracy=accuracy, values=("fairness", "morality"), layers=(1, 2))
    summary = summarise(found, Series(("en", "fi"), frozenset({"en"})), distances_from(random_closeness(codes)))
    np.testing.assert_allclose(summary["recognition"], [[0.9, 0.8], [0.7, 0.8]])
    np.testing.assert_allclose(summary["transfer_accuracy"].sel(value="fairness"), [[0.9, 0.6], [0.5, 0.8]])
    np.testing.assert_allclose(summary["transfer_gain"], [[0, -0.3], [-0.2, 0]], atol=1e-12)


def test_similarity_of_a_language_with_itself_is_one_and_layers_are_the_best_of_each_cell():
    cells = table(["en", "fi"], [[1, 0.2], [0.2, 1]])
    found = measured(cells, layers=(1, 2))
    found["cosine"][0, 0, 1] = [0.2, 0.6]
    summary = summarise(found, Series(("en", "fi"), frozenset({"en"})), distances_from(cells))
    np.testing.assert_allclose(summary["similarity"], [[1, 0.6], [0.2, 1]])
    np.testing.assert_allclose(summary["layer_curve"].sel(layer=1), [np.nan])


def test_the_layer_curve_averages_over_the_eight_shared_languages_only():
    codes = ["en", "zh", "ja"]
    found = measured(table(codes, [[1, 0.5, 9], [0.3, 1, 9], [9, 9, 1]]))
    summary = summarise(found, Series(tuple(codes), frozenset({"en"})), distances_from(random_closeness(codes)))
    assert summary["layer_curve"].item() == pytest.approx(0.4)
    assert summary.attrs["layer_curve_languages"] == "en zh"


def test_chance_accuracy_of_the_best_layer_on_the_test_items_is_well_above_one_half():
    rows = np.random.default_rng(1).normal(size=(12, 32, 100, 16)).astype(np.float32)
    coords = {"language": [f"l{k}" for k in range(12)], "layer": range(1, 33), "item": [str(k) for k in range(100)]}
    differences = xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)
    best = measure(differences, same_order(differences))["accuracy"].max("layer")
    assert best.mean().item() > 0.55


def test_similarities_exactly_linear_in_closeness_lose_their_correlation_in_the_direct_row():
    codes = list(SERIES["bloomz"].languages)
    closeness = random_closeness(codes)
    # The diagonal of closeness is no pair of languages, so it must not matter.
    summary = summarise(measured(closeness), Series(tuple(codes), frozenset(codes[:4])), distances_from(closeness))
    np.testing.assert_allclose(summary["linguistic_split"], 1)
    assert (abs(summary["linguistic_direct"]) < 0.4).all()


def test_the_direct_row_pairs_each_cell_with_the_similarity_of_the_cell_before():
    codes = ["en", "fi", "sw"]
    cells = table(codes, [[1, 0.1, 0.2], [0.3, 1, 0.4], [0.5, 0.6, 1]])
    closeness = random_closeness(codes)
    before = [1, 0.1, 0.2, 1, 0.4, 0.5]  # of en-fi, en-sw, fi-en, fi-sw, sw-en, sw-fi
    cell = closeness.values
    at = [cell[0, 1], cell[0, 2], cell[1, 0], cell[1, 2], cell[2, 0], cell[2, 1]]
    summary = summarise(measured(cells), Series(tuple(codes), frozenset({"en"})), distances_from(closeness))
    np.testing.assert_allclose(summary["linguistic_direct"], np.corrcoef(before, at)[0, 1])


def test_the_split_row_is_the_mean_over_pairs_that_touch_a_high_resource_language_and_pairs_that_do_not():
    codes = ["en", "fi", "sw", "hu"]
    closeness = random_closeness(codes)
    rich = np.array([[code == "en" or other == "en" for other in codes] for code in codes])
    cells = closeness.where(rich, -closeness)  # r = +1 over pairs with English, -1 over the others
    summary = summarise(measured(cells), Series(tuple(codes), frozenset({"en"})), distances_from(closeness))
    np.testing.assert_allclose(summary["linguistic_split"], 0, atol=1e-12)


def test_languages_outside_the_subset_stay_in_recognition_and_leave_the_rest():
    codes = ["en", "fi", "sw", "zh"]
    found = measured(table(codes, np.full((4, 4), 0.5)))
    shares = pd.DataFrame({"llama2_pct_documents": {"en": 89.7, "zh": 0.13, "fi": 0.03}})
    summary = summarise(found, SERIES["llama2"], distances_from(random_closeness(codes)), shares=shares)
    assert summary["recognition"]["language"].values.tolist() == codes
    assert summary["similarity"].sel(source="sw").isnull().all()
    assert summary["transfer_gain"].sel(target="sw").isnull().all()
    assert summary["similarity"].sel(source="en", target="zh").item() == 0.5
    assert summary.attrs["languages"] == "en zh fi"
    assert summary.attrs["high_resource"] == "en"


def test_languages_are_sorted_by_share_equal_shares_keep_their_order_and_unknown_shares_come_last():
    codes = ["sw", "hu", "fi", "zh", "en"]
    shares = pd.DataFrame({"tokens": {"en": 3.0, "fi": 1.0, "hu": 1.0, "zh": 9.0, "sw": np.nan}})
    series = Series(tuple(codes), frozenset({"en"}), "tokens")
    found = measured(table(codes, np.full((5, 5), 0.5)))
    summary = summarise(found, series, distances_from(random_closeness(codes)), shares=shares)
    assert summary.attrs["languages"] == "zh en hu fi sw"


def test_a_value_without_a_number_leaves_the_mean_over_values_undefined():
    codes = ["en", "fi"]
    found = measured(table(codes, np.full((2, 2), 0.5)), values=("fairness", "morality"))
    found["cosine"].loc[{"value": "morality", "source": "en", "target": "fi"}] = np.nan
    found["accuracy"].loc[{"value": "morality", "source": "en", "target": "fi"}] = np.nan
    summary = summarise(found, Series(("en", "fi"), frozenset({"en"})), distances_from(random_closeness(codes)))
    assert np.isnan(summary["similarity"].sel(source="en", target="fi").item())
    assert np.isnan(summary["transfer_gain"].sel(source="en", target="fi").item())
    assert summary["similarity"].sel(source="fi", target="en").item() == 0.5


def test_a_distance_table_without_a_language_is_an_error():
    codes = ["en", "fi"]
    with pytest.raises(LabelMismatchError, match=r"no language \['fi'\]"):
        summarise(
            measured(table(codes, np.ones((2, 2)))),
            Series(("en", "fi"), frozenset()),
            distances_from(table(["en"], [[1]])),
        )


def test_a_series_that_sorts_by_share_needs_the_shares():
    codes = ["en", "fi"]
    with pytest.raises(LabelMismatchError, match="sorts by 'roots_bytes'"):
        summarise(measured(table(codes, np.ones((2, 2)))), SERIES["bloomz"], distances_from(random_closeness(codes)))
