"""Rules of transfer gains."""

import numpy as np
import pytest
import xarray as xr

from polyethos.analysis.transfer import gains
from polyethos.errors import LabelMismatchError


def accuracies(cells, sources=("en", "fi"), targets=("en", "fi")):
    coords = {"source": list(sources), "target": list(targets)}
    return xr.DataArray(np.asarray(cells, dtype=float), dims=("source", "target"), coords=coords)


def test_the_gain_compares_with_the_vector_of_the_target_itself():
    found = gains(accuracies([[0.9, 0.7], [0.5, 0.6]]))
    assert found.sel(source="en", target="fi").item() == pytest.approx(0.1)
    assert found.sel(source="fi", target="en").item() == pytest.approx(-0.4)


def test_a_language_gains_nothing_from_itself():
    assert np.diag(gains(accuracies([[0.9, 0.7], [0.5, 0.6]]))).tolist() == [0, 0]


def test_vectors_that_are_equal_in_all_languages_gain_nothing_anywhere():
    assert (gains(accuracies([[0.9, 0.7], [0.9, 0.7]])) == 0).all()


def test_the_gain_is_undefined_for_a_target_without_an_accuracy_of_its_own():
    found = gains(accuracies([[0.9, 0.7], [0.5, np.nan]]))
    assert found.sel(target="fi").isnull().all()
    assert found.sel(target="en").notnull().all()


def test_values_keep_their_own_gains():
    both = xr.concat([accuracies([[0.9, 0.7], [0.5, 0.6]]), accuracies([[0.5, 0.5], [0.5, 0.5]])], "value")
    assert gains(both).sel(source="en", target="fi").values.tolist() == pytest.approx([0.1, 0])


def test_sources_that_are_not_the_targets_are_an_error():
    with pytest.raises(LabelMismatchError, match="not the targets"):
        gains(accuracies([[0.9, 0.7], [0.5, 0.6]], targets=("fi", "en")))
