"""Several models on the same items."""

import numpy as np
import pytest
from results_by_hand import study_of, study_with_tests

from polyethos.presentation.comparing import (
    Compared,
    compared,
    differences_table,
    languages_table,
    overall_table,
    slope_sentences,
)
from polyethos.presentation.outputs import write_outputs


@pytest.fixture(scope="module")
def two():
    return compared([study_with_tests("first"), study_with_tests("second", seed=1)])


def test_one_tested_model_is_compared_with_nothing():
    assert compared([study_with_tests()]) == ""
    assert compared([study_with_tests(), study_of("untested")]) == ""


def test_models_that_were_asked_other_items_are_not_compared_and_the_reason_is_given():
    other = study_with_tests("second", seed=1)
    other["resampling_key"] = other["resampling_key"] + 1
    assert "study them on the same data" in compared([study_with_tests("first"), other])


def test_a_language_without_any_text_has_no_share_to_relate_to():
    runs = [study_with_tests("first"), study_with_tests("second", seed=1)]
    shares = np.array([50.0, 20, 10, 5, 5, 5, 5, 0])
    runs = [run.assign(pretraining_share=("language", shares, {"source": "by hand"})) for run in runs]
    found = compared(runs)
    assert found.source == "by hand"
    assert found.shares.isnull().sum() == 2
    assert found.results["share_slope"].sel(quantity="recognition").notnull().all()


def test_tables_have_a_row_per_model_and_quantity_and_each_pair_of_models_once(two):
    assert len(overall_table(two)) == 2 * 4
    assert differences_table(two).reset_index()[["model", "other"]].drop_duplicates().values.tolist() == [
        ["second", "first"]
    ]
    by_language = languages_table(two)
    assert len(by_language) == 2 * 4 * 8
    assert by_language["share"].notnull().all()


def test_the_difference_of_a_table_is_that_of_its_models(two):
    overall = overall_table(two).set_index("quantity", append=True)["overall"]
    row = differences_table(two).set_index("quantity").loc["recognition"]
    assert row["difference"] == pytest.approx(overall["second", "recognition"] - overall["first", "recognition"])
    # These models share all the luck of their items, so that nothing of it is left in the difference.
    assert row["difference_low"] == pytest.approx(row["difference"], abs=1e-4)
    assert row["difference_high"] == pytest.approx(row["difference"], abs=1e-4)


def test_slopes_are_said_in_points_with_interval_and_p(two):
    first, second = slope_sentences(two)
    assert first.startswith("first, per tenfold share: recognition +")
    assert "points (95 % interval" in second
    assert "p = 0." in second


def test_several_models_leave_the_comparison_as_tables_and_a_figure(tmp_path):
    write_outputs(tmp_path, [study_with_tests("first"), study_with_tests("second", seed=1)])
    for name in ("tables/comparison.csv", "tables/comparison_differences.csv", "tables/comparison_by_language.csv"):
        assert (tmp_path / name).is_file()
    figure = (tmp_path / "figures" / "models_by_share.svg").read_text(encoding="utf-8")
    assert "Common Crawl" in figure


def test_comparisons_are_of_runs_not_of_names():
    same = compared([study_with_tests("model"), study_with_tests("model")])
    assert isinstance(same, Compared)
    assert same.results["model"].values.tolist() == ["model (corrected) #1", "model (corrected) #2"]
    assert (same.results["difference"] == 0).all()
