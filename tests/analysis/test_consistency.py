"""Rules of raw consistency."""

import numpy as np
import pytest
import xarray as xr

from polyethos.analysis.consistency import cosine, layer_curve, similarity
from polyethos.errors import LabelMismatchError


def directions(**by_language):
    """Directions of one layer by language, or of several as lists of lists."""
    rows = np.array([np.atleast_2d(rows) for rows in by_language.values()], dtype=np.float32)
    coords = {"language": list(by_language), "layer": list(range(1, rows.shape[1] + 1))}
    return xr.DataArray(rows, dims=("language", "layer", "hidden"), coords=coords)


def test_cosines_of_known_vectors():
    found = cosine(directions(en=[1, 0], fi=[0, 3], sw=[1, 1])).squeeze()
    half_turn = 1 / np.sqrt(2)
    expected = [[1, 0, half_turn], [0, 1, half_turn], [half_turn, half_turn, 1]]
    np.testing.assert_allclose(found.values, expected, atol=1e-7)
    assert found.dims == ("source", "target")


def test_length_does_not_matter_and_a_flip_changes_the_sign_only():
    upright = cosine(directions(en=[1, 2], fi=[2, -1.5]))
    np.testing.assert_allclose(cosine(directions(en=[10, 20], fi=[2, -1.5])), upright, atol=1e-7)
    flipped = cosine(directions(en=[-1, -2], fi=[2, -1.5]))
    assert flipped.sel(source="en", target="fi").item() == pytest.approx(-upright.sel(source="en", target="fi").item())


def test_a_zero_direction_has_no_cosine():
    found = cosine(directions(en=[1, 0], fi=[0, 0]))
    assert found.sel(source="fi").isnull().all()
    assert found.sel(source="en", target="en").item() == 1


def test_paired_differences_are_not_directions():
    with pytest.raises(LabelMismatchError, match="directions has dimensions"):
        cosine(directions(en=[1, 0]).expand_dims("item"))


def test_the_layer_curve_leaves_out_the_diagonal():
    cosines = cosine(directions(en=[[1, 0], [1, 0]], fi=[[1, 0], [0, 1]], sw=[[1, 0], [1, 0]]))
    np.testing.assert_allclose(layer_curve(cosines).values, [1, 1 / 3], atol=1e-7)
    np.testing.assert_allclose(layer_curve(cosines, languages=["en", "fi"]).values, [1, 0], atol=1e-7)


def test_the_layer_curve_of_a_language_that_is_not_there_is_an_error():
    with pytest.raises(LabelMismatchError, match="'zh'"):
        layer_curve(cosine(directions(en=[1, 0], fi=[0, 1])), languages=["en", "zh"])


def test_similarity_averages_over_the_layers_the_folds_chose():
    cosines = cosine(directions(en=[[1, 0], [1, 0]], fi=[[1, 0], [0, 1]]))
    layers = xr.DataArray([1, 1, 1, 2], dims="fold", coords={"fold": range(4)})
    found = similarity(cosines, layers)
    assert found.sel(source="en", target="fi").item() == pytest.approx(0.75)
    assert found.sel(source="fi", target="fi").item() == 1
    assert found.dims == ("source", "target")
