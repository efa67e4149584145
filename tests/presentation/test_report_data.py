"""What the report's figures draw from."""

import base64
import json

import numpy as np
import pytest
from results_by_hand import HOSTILE, study_of, three_languages, with_intervals

from polyethos.presentation.report_data import MISSING, by_family, by_similarity, payload, script_json


def numbers(array):
    packed = np.frombuffer(base64.b64decode(array["numbers"]), "<i2").astype(float)
    return np.where(packed == MISSING, np.nan, packed / array["scale"]).reshape(array["shape"])


def test_arrays_come_back_with_four_decimals_and_gaps_as_gaps():
    run = payload([three_languages()])["runs"][0]
    np.testing.assert_allclose(numbers(run["arrays"]["recognition"]), [[0.9, 0.8, 0.5], [0.7, 0.6, np.nan]], atol=5e-5)
    assert numbers(run["arrays"]["transfer_gain"])[2, 0] == pytest.approx(-0.2)


def test_arrays_are_stored_in_one_order_of_dimensions():
    results = study_of(languages=("en", "sw"))
    turned = results.assign(accuracy=results["accuracy"].transpose("layer", "target", "source", "value"))
    assert payload([turned])["runs"][0]["arrays"]["accuracy"] == payload([results])["runs"][0]["arrays"]["accuracy"]


def test_many_items_are_counted_exactly():
    results = three_languages()
    results["n_items"][:] = 10_000
    assert np.round(numbers(payload([results])["runs"][0]["arrays"]["n_items"])).tolist() == [[10_000] * 3] * 2


def test_intervals_and_the_noise_corrected_similarity_are_there_where_measured():
    assert {"recognition_low", "consistency", "consistency_high", "transfer_gain_low"} <= set(
        payload([with_intervals(study_of())])["runs"][0]["arrays"]
    )


def test_the_layers_chosen_in_training_are_told_by_value():
    results = three_languages().assign(consistency_layer=("value", [2, 1]))
    chosen = payload([results])["runs"][0]["chosen"]
    assert chosen == {
        "accuracy": {"morality": [2], "fairness": [1, 2]},
        "similarity": {"morality": [2], "fairness": [1]},
    }
    assert payload([results.drop_vars(["chosen_layer", "consistency_layer"])])["runs"][0]["chosen"] == {}


def test_the_colours_of_gains_reach_as_far_as_any_gain_of_any_model_shown():
    one, two = three_languages(), three_languages()
    assert payload([one])["gain_limits"] == {"mean": 0.2, "value": 0.05}
    moved = [[0.9, 0.5, 0.5], [0.9, 0.5, 0.5], [0.2, 0.5, 0.5]]
    two["transfer_accuracy"] = (("value", "source", "target"), [moved, [[0.9, 0.5, 0.5]] * 3])
    assert payload([one, two])["gain_limits"] == {"mean": pytest.approx(0.35), "value": pytest.approx(0.7)}


def test_curves_are_means_over_languages_and_over_pairs_of_two():
    results = study_of(languages=("en", "sw"), layers=3)
    arrays = payload([results])["runs"][0]["arrays"]
    accuracy, cosine = results["accuracy"].values[0], results["cosine"].values[0]
    np.testing.assert_allclose(
        numbers(arrays["curve_recognition"])[0], (accuracy[0, 0] + accuracy[1, 1]) / 2, atol=1e-4
    )
    np.testing.assert_allclose(numbers(arrays["curve_similarity"])[0], cosine[0, 1], atol=1e-4)
    gains = (accuracy[0, 1] - accuracy[1, 1] + accuracy[1, 0] - accuracy[0, 0]) / 2
    np.testing.assert_allclose(numbers(arrays["curve_gain"])[0], gains, atol=1e-4)


def test_layers_are_left_out_evenly_when_they_would_make_the_page_too_large():
    results = study_of(languages=("en", "sw"), layers=10)
    whole = 2 * 7 * 4 * 10 * 2 * 4 / 3
    assert payload([results], layers_budget=int(whole) + 1)["runs"][0]["layers"] == list(range(1, 11))
    thinned = payload([results], layers_budget=int(whole / 3))["runs"][0]
    assert thinned["layers"] == [1, 5, 9]
    assert thinned["arrays"]["accuracy"]["shape"] == [7, 2, 2, 3]


def test_json_cannot_end_the_script_it_stands_in():
    text = script_json({"name": HOSTILE + "\u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["name"] == HOSTILE + "\u2028"


def test_families_stand_together_the_largest_share_first():
    order = by_family(study_of(languages=("ta", "en", "ja", "te", "fr", "zz")))
    assert order == ["en", "fr", "ja", "ta", "te", "zz"]


def test_similar_languages_stand_side_by_side():
    results = study_of(languages=("en", "fr", "ta", "te"))
    similarity = np.eye(4)
    similarity[0, 2] = similarity[2, 0] = similarity[1, 3] = similarity[3, 1] = 0.9
    results["similarity"][:] = similarity
    order = by_similarity(results)
    assert abs(order.index("en") - order.index("ta")) == 1
    assert abs(order.index("fr") - order.index("te")) == 1


def test_languages_of_unknown_similarity_come_last():
    results = study_of(languages=("en", "fr", "ta", "te"))
    results["similarity"].loc[{"source": "en"}] = np.nan
    results["similarity"].loc[{"target": "en"}] = np.nan
    assert by_similarity(results)[-1] == "en"
    assert by_similarity(results.drop_vars("similarity")) == ["en", "fr", "ta", "te"]
