"""Summary tables of one model and of several."""

import json

import numpy as np
import pytest
from results_by_hand import study_of, study_with_tests, three_languages, with_intervals

from polyethos.presentation.relation_table import linguistic_table
from polyethos.presentation.table_files import to_csv, to_latex
from polyethos.presentation.tables import (
    comparison_tables,
    controls_table,
    layers_table,
    models_by_language_table,
    models_table,
    models_transfer_table,
    pair_details,
    pair_table,
    recognition_details,
    recognition_table,
    reliability_table,
    similarity_table,
    study_tables,
    summary,
)


def test_recognition_has_a_row_per_language_a_column_per_value_and_means_of_what_was_measured():
    table = recognition_table(three_languages())
    assert table.index.tolist() == ["en", "fr", "sw", "mean"]
    assert table.columns.tolist() == ["morality", "fairness", "mean"]
    assert table.loc["en"].tolist() == pytest.approx([0.9, 0.7, 0.8])
    assert table.loc["sw", "mean"] == pytest.approx(0.5)
    assert table.loc["mean", "fairness"] == pytest.approx(0.65)
    assert np.isnan(table.loc["sw", "fairness"])


def test_pair_tables_have_sources_as_rows_whatever_the_stored_order():
    results = three_languages()
    results["transfer_gain"] = results["transfer_gain"].transpose("target", "source")
    assert pair_table(results, "transfer_gain").loc["en", "sw"] == pytest.approx(0.10)


def test_pair_tables_are_sorted_by_share_on_both_sides():
    results = three_languages().assign(pretraining_share=("language", [1.0, 2.0, 3.0]))
    table = pair_table(results, "similarity")
    assert table.index.tolist() == table.columns.tolist() == ["sw", "fr", "en"]
    assert table.loc["sw", "en"] == pytest.approx(0.2)


def test_details_hold_items_and_whatever_intervals_there_are():
    plain, full = recognition_details(three_languages()), recognition_details(with_intervals(study_of()))
    assert plain.columns.tolist() == ["value", "language", "accuracy", "items"]
    assert full.columns.tolist() == ["value", "language", "accuracy", "items", "low", "high", "p"]
    assert len(full) == 7 * 16


def test_details_hold_the_p_that_decides_and_the_number_of_independent_groups():
    results = study_with_tests()
    details = recognition_details(results.assign(n_groups=results["n_items"] / 6))
    assert details.columns.tolist()[3:] == ["items", "groups", "low", "high", "p", "p_family"]


def test_where_neither_side_is_the_source_both_are_languages():
    found = {table.name: table for table in study_tables(study_with_tests())}
    for name in ("similarity", "consistency", "consistency_whitened"):
        assert found[name].frame.index.name == found[name].frame.columns.name == "language"
        assert "source" not in found[name].caption
    assert found["transfer_gain"].frame.index.name == "source"


def test_equal_shares_are_no_order_to_speak_of():
    results = three_languages()
    equal = results.assign(pretraining_share=("language", [25.0, 25.0, 25.0]))
    unequal = results.assign(pretraining_share=("language", [80.0, 15.0, 5.0]))
    assert all("by share" not in table.caption for table in study_tables(equal))
    assert all(table.caption.endswith("; languages by share of pre-training.") for table in study_tables(unequal))


def test_pair_details_name_what_each_number_is():
    table = pair_details(with_intervals(study_of(languages=("en", "sw"))))
    assert {"accuracy", "similarity", "consistency", "consistency_low"} <= set(table.columns)
    assert len(table) == 7 * 4


def test_linguistic_table_has_a_row_per_distance_and_a_column_per_method():
    table = linguistic_table(study_of(protocol="paper"))
    assert table.columns.tolist() == ["direct", "split"]
    assert table.loc["syntactic", "split"] == 0.51


def test_layers_are_listed_per_value_and_fold():
    assert layers_table(three_languages()).loc["fairness"].to_dict() == {"fold 0": 1, "fold 1": 2}


def test_only_tables_that_the_results_allow_are_made():
    names = [table.name for table in study_tables(three_languages())]
    assert "linguistic" not in names
    assert names[0] == "recognition"
    assert "linguistic" in [table.name for table in study_tables(study_of(protocol="paper"))]
    assert study_tables(three_languages().drop_vars(list(three_languages().data_vars))) == []


def test_captions_state_chance_model_and_protocol():
    caption = study_tables(three_languages())[0].caption
    assert "chance 50" in caption
    assert "tiny_model" in caption
    assert "corrected" in caption


def test_models_stand_side_by_side_per_value_and_per_language():
    runs = [three_languages(), three_languages().assign_attrs(model="other")]
    assert models_table(runs).loc["other"].tolist() == pytest.approx([2.2 / 3, 0.65, (2.2 / 3 + 0.65) / 2])
    assert models_by_language_table(runs).loc["tiny_model", "fr"] == pytest.approx(0.7)
    row = models_transfer_table(runs).loc["other"]
    assert row["similarity"] == pytest.approx(1.4 / 3)
    assert (row["high_to_low"], row["low_to_high"]) == (pytest.approx(0.07), pytest.approx(-0.11))
    assert row["high_resource"] == "en"


def test_models_with_different_languages_can_be_compared():
    table = models_by_language_table([three_languages(), study_of("wide")])
    assert np.isnan(table.loc["tiny_model", "zh"])
    assert len(comparison_tables([three_languages(), study_of("wide")])) == 3


def test_the_summary_is_valid_json_without_nan():
    content = summary(three_languages())["models"][0]
    assert content["model"] == "tiny_model"
    assert content["tables"]["recognition"]["sw"]["fairness"] is None
    assert "existence" in content["answers"]
    json.dumps(content, allow_nan=False)


def test_controls_stand_below_the_concept_vectors_they_are_compared_with():
    frame = controls_table(study_with_tests())
    assert frame.index.tolist() == ["concept vector", "random direction", "shuffled labels", "length", "words"]
    assert frame.loc["words", "mean"] == pytest.approx(0.55)
    assert frame.loc["concept vector", "mean"] == pytest.approx(
        float(study_with_tests()["recognition"].mean()), abs=0.01
    )


def test_what_is_undefined_is_called_so_and_is_neither_nought_nor_blank():
    results = study_with_tests()
    frame = similarity_table(results, "consistency")
    last = str(results["language"].values[-1])
    assert (frame.loc[last] == "undefined").all()
    assert frame.drop(index=last, columns=last).map(lambda cell: isinstance(cell, float)).all(axis=None)
    tables = {table.name: table for table in study_tables(results)}
    assert f"{last},undefined" in to_csv(tables["consistency"])
    assert "undefined" in to_latex(tables["consistency"])
    pairs = pair_details(results).set_index(["source", "target"])["defined"]
    assert not pairs.loc[last].any()
    assert pairs.loc["en", "fr"].all()


def test_reliability_is_read_where_vectors_are_compared():
    results = study_with_tests()
    found = reliability_table(results).loc["en", "morality"]
    assert found == results["reliability"].sel(language="en", value="morality", layer=7).item()


def test_the_linguistic_table_of_a_tested_run_holds_the_tested_change_with_its_corrected_p_beside_r():
    results = study_with_tests().assign(linguistic_r=("distance", [0.3, 0.1]))
    results = results.assign(relation_low=results["relation"] - 0.1, relation_high=results["relation"] + 0.1)
    table = linguistic_table(results)
    assert list(table.columns) == ["change", "low", "high", "p", "p_corrected", "smallest_detectable", "r"]
    assert table.loc["genetic"].tolist() == pytest.approx([-0.2, -0.3, -0.1, 0.03, 0.06, 0.15, 0.3])
