"""Both protocols side by side."""

import numpy as np
import xarray as xr
from results_by_hand import study_of, study_with_tests, three_languages

from polyethos.analysis.beside import beside
from polyethos.presentation.protocols import claims, claims_table, contrast_table, contrasts, paper_note


def in_paper():
    """The three languages in the other protocol, with other numbers."""
    paper = three_languages().assign_attrs(protocol="paper", high_resource="en")
    return paper.assign(recognition=paper["recognition"] + 0.05)


def with_paper_beside():
    return three_languages().assign(beside(in_paper()[["recognition", "similarity", "transfer_gain"]]))


def test_protocols_are_contrasted_for_models_studied_with_both():
    rows = contrasts([in_paper(), three_languages(), study_of("alone")])
    assert {row.model for row in rows} == {"tiny_model (corrected)"}
    assert (rows[0].paper, rows[0].corrected) == ("75.0 %", "70.0 %")
    assert [row.quantity for row in rows][-1] == "transfer gain, others to high-resource"
    assert rows[-1].corrected == "-11.0 points"
    assert contrasts([three_languages()]) == []


def test_one_run_with_both_protocols_is_contrasted_with_itself():
    rows = contrasts([with_paper_beside()])
    assert (rows[0].model, rows[0].paper, rows[0].corrected) == ("tiny_model", "75.0 %", "70.0 %")
    assert contrast_table(with_paper_beside()).loc["recognition accuracy, mean"].tolist() == ["75.0 %", "70.0 %"]


def test_a_run_in_the_papers_own_protocol_goes_before_what_stands_beside():
    own = in_paper().assign(recognition=in_paper()["recognition"] * 0 + 0.6)
    assert contrasts([with_paper_beside(), own])[0].paper == "60.0 %"


def test_corrected_similarity_is_the_one_freed_of_noise_where_there_is_one():
    results = with_paper_beside()
    freed = np.array([[1, 0.9, np.nan], [0.9, 1, np.nan], [np.nan, np.nan, np.nan]])
    results = results.assign(consistency=(("value", "source", "target"), [freed, freed]))
    (row,) = (row for row in contrasts([results]) if row.quantity.startswith("similarity"))
    assert (row.paper, row.corrected) == ("0.47", "0.90")


def test_a_number_undefined_in_one_protocol_is_called_undefined():
    results = with_paper_beside()
    results["transfer_gain"] = xr.full_like(results["transfer_gain"], np.nan)
    assert contrasts([results])[-1].corrected == "undefined"


def test_a_number_undefined_in_both_protocols_is_left_out():
    results = with_paper_beside()
    for name in ("transfer_gain", "paper_transfer_gain"):
        results[name] = xr.full_like(results[name], np.nan)
    assert [row.quantity for row in contrasts([results])] == [
        "recognition accuracy, mean",
        "similarity of two languages, mean",
    ]


def test_claims_are_judged_only_where_tests_were_made():
    assert claims([three_languages()]) == []
    judged = claims([study_with_tests()])
    assert [claim.model for claim in judged] == ["some-org/some-model-7B"] * len(judged)
    assert len(judged) == 4
    assert "Not run" in judged[0].finding.paper


def test_the_table_of_claims_has_both_protocols_and_the_reason():
    results = study_with_tests()
    table = claims_table(results.assign(beside(study_of(protocol="paper"))).assign_attrs(paper_high_resource="en zh"))
    assert list(table.columns) == ["verdict", "paper", "corrected", "why"]
    assert table["verdict"].isin(["supported", "in part", "contradicted", "open"]).all()
    assert not table["paper"].str.startswith("Not run").any()
    assert table["why"].str.len().min() > 40


def test_what_neither_protocol_can_say_is_not_in_the_table():
    results = with_paper_beside()
    for name in ("transfer_gain", "paper_transfer_gain"):
        results[name] = xr.full_like(results[name], np.nan)
    assert [row.quantity for row in contrasts([results])] == [
        "recognition accuracy, mean",
        "similarity of two languages, mean",
    ]


def test_where_the_papers_numbers_are_from_is_said_and_how_they_differ_on_the_same_text():
    assert paper_note([three_languages()]) == ""
    assert paper_note([with_paper_beside()]).startswith("The same activations")
    other = in_paper().assign(transfer_gain=in_paper()["transfer_gain"] + 0.1)
    said = paper_note([with_paper_beside(), other])
    assert said.startswith("“Paper” is a run of its own, with the published wording and templates")
    assert said.endswith("the transfer gain is -3.0 points on the text of “corrected” and +7.0 on its own.")
    assert paper_note([three_languages(), in_paper()]).endswith("than in “corrected”.")
