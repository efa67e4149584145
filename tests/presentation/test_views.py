"""Choosing the numbers of a figure."""

import numpy as np
import pytest
from results_by_hand import study_of, three_languages, with_intervals

from polyethos.errors import LabelMismatchError, UnknownLanguageError, UnknownNameError, UnknownValueError
from polyethos.presentation.views import differences, mean_apart, measures, view


def test_recognition_has_a_column_per_value_and_their_mean():
    shown = view(three_languages(), "recognition")
    assert list(shown.frame.columns) == ["morality", "fairness", "mean"]
    assert shown.frame.loc["en"].tolist() == pytest.approx([0.9, 0.7, 0.8])
    assert shown.items.loc["en", "morality"] == 100
    assert "every value" in shown.where


def test_at_a_layer_recognition_is_that_of_each_languages_own_vector():
    results = study_of()
    shown = view(results, "recognition", value="fairness", layer=3)
    own = results["accuracy"].sel(value="fairness", layer=3, source="sw", target="sw")
    assert list(shown.frame.columns) == ["fairness"]
    assert shown.frame.loc["sw", "fairness"] == pytest.approx(float(own))
    assert shown.low is None


def test_rows_of_transfer_are_sources():
    shown = view(three_languages(), "transfer")
    assert shown.unit == "gain"
    assert (shown.frame.loc["sw", "en"], shown.frame.loc["en", "sw"]) == (-0.2, 0.1)


def test_a_gain_at_a_layer_is_against_the_targets_own_vector_there():
    results = study_of()
    shown = view(results, "transfer", value="morality", layer=4)
    at = results["accuracy"].sel(value="morality", layer=4, target="zh")
    assert shown.frame.loc["en", "zh"] == pytest.approx(float(at.sel(source="en") - at.sel(source="zh")), abs=1e-6)
    assert shown.frame.loc["zh", "zh"] == 0


def test_similarity_corrected_for_noise_comes_first_and_raw_can_be_asked_for():
    results = with_intervals(study_of())
    pair = {"source": "en", "target": "fr"}
    shown = view(results, "similarity", value="toxicity")
    assert shown.frame.loc["en", "fr"] == pytest.approx(float(results["consistency"].sel(value="toxicity", **pair)))
    assert shown.low.loc["en", "fr"] < shown.frame.loc["en", "fr"]
    raw = view(results, "similarity", measure="raw")
    assert raw.frame.loc["en", "fr"] == pytest.approx(float(results["similarity"].sel(pair)))
    deep = view(results, "similarity", layer=5)
    assert deep.frame.loc["en", "fr"] == pytest.approx(float(results["cosine"].sel(layer=5, **pair).mean()))


def test_languages_come_in_the_order_asked_for():
    results = study_of()
    assert list(view(results, "transfer", languages=["sw", "en"]).frame.index) == ["sw", "en"]
    assert list(view(results, "transfer", order="family").frame.index)[:3] == ["en", "es", "fr"]
    assert list(view(results, "recognition", languages="ta").frame.index) == ["ta"]


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"value": "moralty"}, UnknownValueError, "did you mean 'morality'"),
        ({"languages": ["enn"]}, UnknownLanguageError, "did you mean 'en'"),
        ({"layer": 40}, UnknownNameError, "no layer 40; these results have layers 1 to 12"),
        ({"order": "sise"}, UnknownNameError, "order of languages"),
        ({"measure": "gian"}, UnknownNameError, "did you mean 'gain'"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(choice, error, message):
    with pytest.raises(error, match=message):
        view(study_of(), "transfer", **choice)


def test_results_without_the_numbers_say_so():
    results = three_languages()
    assert measures(results, "transfer") == ("gain",)
    with pytest.raises(LabelMismatchError, match="no accuracy for transfer"):
        view(results, "transfer", measure="accuracy")
    with pytest.raises(LabelMismatchError, match="layer by layer"):
        view(results, "recognition", layer=1)


def test_a_difference_is_the_second_minus_the_first_where_both_have_something():
    first, second = study_of(), study_of(seed=1, languages=("en", "sw", "fr"))
    gap = differences(view(first, "transfer"), view(second, "transfer"))
    assert sorted(gap.frame.index) == ["en", "fr", "sw"]
    pair = {"source": "en", "target": "sw"}
    expected = float(second["transfer_gain"].sel(pair) - first["transfer_gain"].sel(pair))
    assert gap.frame.loc["en", "sw"] == pytest.approx(expected)


def test_a_mean_over_pairs_leaves_out_languages_with_themselves():
    assert mean_apart(view(three_languages(), "similarity")) == pytest.approx((0.8 + 0.2 + 0.4) / 3)
    assert np.isnan(mean_apart(view(three_languages(), "similarity", languages=["en"])))
