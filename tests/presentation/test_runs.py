"""Several models in one data set, and their names."""

import numpy as np
from results_by_hand import study_of, three_languages

from polyethos.arrays import read_dataset, write_dataset
from polyethos.presentation.labels import high_resource
from polyethos.presentation.runs import by_model, page_title, run_names, together


def test_results_of_one_model_are_one_run():
    results = three_languages()
    assert by_model(results) == [results]


def test_joined_models_come_apart_with_their_own_layers_and_languages():
    shallow, deep = study_of("shallow", layers=4, languages=("en", "fr", "zh")), study_of("deep", seed=1, layers=6)
    first, second = by_model(together({"shallow": shallow, "deep": deep}))
    assert (first.sizes["layer"], second.sizes["layer"]) == (4, 6)
    assert first["target"].values.tolist() == ["en", "fr", "zh"]
    assert first["language"].values.tolist() == ["en", "fr", "zh"]
    assert first.attrs["model"] == "shallow"
    np.testing.assert_array_equal(second["accuracy"].sel(target=deep.target, source=deep.source), deep["accuracy"])


def test_each_joined_model_keeps_its_own_high_resource_languages(tmp_path):
    english, chinese = (three_languages().assign_attrs(model=name, high_resource=name) for name in ("en", "sw"))
    write_dataset(tmp_path / "joined.nc", together({"en": english, "sw": chinese}), {})
    joined = read_dataset(tmp_path / "joined.nc")[0]
    assert [high_resource(run) for run in by_model(joined)] == [["en"], ["sw"]]
    assert [run.attrs["model"] for run in by_model(joined)] == ["en", "sw"]


def test_models_are_told_apart_by_name_then_protocol_then_number():
    plain, paper = three_languages(), three_languages().assign_attrs(protocol="paper")
    other = three_languages().assign_attrs(model="other")
    assert run_names([plain, other]) == ["tiny_model", "other"]
    assert run_names([plain, paper, other]) == ["tiny_model (corrected)", "tiny_model (paper)", "other"]
    assert run_names([plain, plain]) == ["tiny_model (corrected) #1", "tiny_model (corrected) #2"]


def test_a_page_is_titled_by_its_model_and_protocols_or_by_how_many_models_there_are():
    one, paper = three_languages(), three_languages().assign_attrs(protocol="paper")
    assert page_title([one]) == "tiny_model"
    assert page_title([one, paper]) == "tiny_model, two protocols"
    assert page_title([one, one]) == "tiny_model, 2 runs"
    assert page_title([one, one.assign_attrs(model="other")]) == "2 models"
