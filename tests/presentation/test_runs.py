"""Several models in one data set, and their names."""

import numpy as np
import xarray as xr
from results_by_hand import study_of, three_languages

from polyethos.presentation.runs import by_model, run_names


def test_results_of_one_model_are_one_run():
    results = three_languages()
    assert by_model(results) == [results]


def test_joined_models_come_apart_with_their_own_layers_and_languages():
    shallow, deep = study_of("shallow", layers=4, languages=("en", "fr", "zh")), study_of("deep", seed=1, layers=6)
    labels = xr.IndexVariable("model", ["shallow", "deep"])
    joined = xr.concat([shallow, deep], dim=labels, join="outer", combine_attrs="drop_conflicts")
    first, second = by_model(joined)
    assert (first.sizes["layer"], second.sizes["layer"]) == (4, 6)
    assert first["target"].values.tolist() == ["en", "fr", "zh"]
    assert first["language"].values.tolist() == ["en", "fr", "zh"]
    assert first.attrs["model"] == "shallow"
    np.testing.assert_array_equal(second["accuracy"].sel(target=deep.target, source=deep.source), deep["accuracy"])


def test_models_are_told_apart_by_name_then_protocol_then_number():
    plain, paper = three_languages(), three_languages().assign_attrs(protocol="paper")
    other = three_languages().assign_attrs(model="other")
    assert run_names([plain, other]) == ["tiny_model", "other"]
    assert run_names([plain, paper, other]) == ["tiny_model (corrected)", "tiny_model (paper)", "other"]
    assert run_names([plain, plain]) == ["tiny_model (corrected) #1", "tiny_model (corrected) #2"]
