"""Rules of the relation between similarity and linguistic distance."""

import numpy as np
import pytest
import xarray as xr

from polyethos.analysis.linguistics import correlations
from polyethos.errors import LabelMismatchError

LANGUAGES = ("en", "fi", "sw", "zh", "te")


def table(cells, languages=LANGUAGES):
    return xr.DataArray(cells, dims=("source", "target"), coords={"source": list(languages), "target": list(languages)})


def symmetric(seed, languages=LANGUAGES):
    cells = np.random.default_rng(seed).uniform(size=(len(languages), len(languages)))
    return table((cells + cells.T) / 2, languages)


def distances(**by_kind):
    return xr.concat(list(by_kind.values()), xr.IndexVariable("distance", list(by_kind)))


@pytest.mark.parametrize(("slope", "r"), [(0.5, 1), (-0.5, -1)])
def test_similarity_exactly_linear_in_closeness_correlates_perfectly(slope, r):
    closeness = symmetric(0)
    found = correlations(0.2 + slope * closeness, distances(genetic=1 - closeness))
    assert found["r"].item() == pytest.approx(r)
    assert found["n_pairs"].item() == 10


def test_the_diagonal_does_not_count():
    closeness, similarity = symmetric(0), symmetric(1)
    changed = similarity.where(similarity["source"] != similarity["target"], 1)
    table_of_distances = distances(genetic=1 - closeness)
    xr.testing.assert_identical(correlations(changed, table_of_distances), correlations(similarity, table_of_distances))


def test_missing_distances_are_left_out_and_counted_never_filled_with_zeros():
    closeness = symmetric(0)
    holed = 1 - closeness
    for code in ("en", "sw"):
        holed.loc[{"source": "te", "target": code}] = holed.loc[{"source": code, "target": "te"}] = np.nan
    found = correlations(closeness, distances(genetic=1 - closeness, syntactic=holed))
    assert found["n_missing"].values.tolist() == [0, 2]
    assert found["n_pairs"].values.tolist() == [10, 8]
    np.testing.assert_allclose(found["r"], 1)


def test_undefined_similarities_are_left_out_and_are_no_missing_distances():
    closeness = symmetric(0)
    similarity = closeness.copy()
    similarity.loc[{"source": "en", "target": "fi"}] = similarity.loc[{"source": "fi", "target": "en"}] = np.nan
    found = correlations(similarity, distances(genetic=1 - closeness))
    assert found["n_pairs"].item() == 9
    assert found["n_missing"].item() == 0


def test_an_asymmetric_similarity_enters_with_the_mean_of_its_directions():
    closeness = symmetric(0)
    lean = table(np.triu(np.full((5, 5), 0.1)) - np.tril(np.full((5, 5), 0.1)))
    found = correlations(closeness + lean, distances(genetic=1 - closeness))
    assert found["r"].item() == pytest.approx(1)


def test_the_order_of_the_languages_does_not_matter():
    closeness, similarity = symmetric(0), symmetric(1)
    turned = list(reversed(LANGUAGES))
    ours = correlations(similarity.sel(source=turned, target=turned), distances(genetic=1 - closeness))
    assert ours["r"].item() == pytest.approx(correlations(similarity, distances(genetic=1 - closeness))["r"].item())


def test_constant_similarity_has_no_correlation():
    assert np.isnan(correlations(table(np.full((5, 5), 0.3)), distances(genetic=symmetric(0)))["r"].item())


def test_two_languages_are_too_few_for_a_correlation():
    found = correlations(symmetric(0, ("en", "fi")), distances(genetic=symmetric(0)))
    assert np.isnan(found["r"].item())
    assert found["n_pairs"].item() == 1


def test_a_language_without_distances_is_an_error_not_a_smaller_result():
    with pytest.raises(LabelMismatchError, match=r"no distances for \['hu'\]"):
        correlations(symmetric(0, ("en", "hu", "fi")), distances(genetic=symmetric(0)))
