import numpy as np
import pytest
import xarray as xr
from planted import CODES

from polyethos.analysis.comparison import compare
from polyethos.errors import DataError, LabelMismatchError

L, REPLICATES = 6, 300
CODE_LIST = list(CODES[:L])
SHARES = np.array([80.0, 10, 5, 3, 1, 1])


def model(recognition, *, similarity=0.5, excess=0.0, seed=0, items=0, undefined=()):
    """Results whose replicates scatter around the estimates; `items` seeds the scatter that models share."""
    own, shared = np.random.default_rng(seed), np.random.default_rng(items)
    recognition = np.broadcast_to(recognition, (2, L)).astype(float)
    common = shared.normal(0, 0.05, (REPLICATES, 1, 1))
    table = np.full((L, L), similarity, dtype=float)
    for code in undefined:
        table[CODE_LIST.index(code)] = table[:, CODE_LIST.index(code)] = np.nan
    excess = np.broadcast_to(excess, (L, L)).astype(float)
    noise = own.normal(0, 0.005, (REPLICATES, L, L))
    return xr.Dataset(
        {
            "recognition": (("value", "language"), recognition),
            "recognition_replicates": (
                ("replicate", "value", "language"),
                recognition + common + own.normal(0, 0.005, (REPLICATES, 2, L)),
            ),
            "similarity_corrected": (("source", "target"), table),
            "similarity_corrected_replicates": (("replicate", "source", "target"), table + noise),
            "transfer_excess": (("source", "target"), excess),
            "transfer_excess_replicates": (("replicate", "source", "target"), excess + noise),
            "resampling_key": ("value", [items, items]),
        },
        coords={"value": ["morality", "fairness"], "language": CODE_LIST, "source": CODE_LIST, "target": CODE_LIST},
    )


def shares_of(*models):
    coords = {"model": list(models), "language": CODE_LIST}
    return xr.DataArray(np.stack([SHARES] * len(models)), dims=("model", "language"), coords=coords)


def test_quantities_are_means_over_values_and_other_languages():
    excess = np.zeros((L, L))
    excess[0, 1:] = 1.0
    found = compare({"one": model(0.7, similarity=0.4, excess=excess)})["by_language"].sel(model="one")
    assert found.sel(quantity="recognition", language="zh") == pytest.approx(0.7)
    assert found.sel(quantity="consistency", language="zh") == pytest.approx(0.4)
    assert found.sel(quantity="excess as source", language="en") == pytest.approx(1.0)
    assert found.sel(quantity="excess as target", language="zh") == pytest.approx(1 / (L - 1))


def test_items_that_are_easy_for_both_models_do_not_widen_their_difference():
    found = compare({"small": model(0.6, seed=1), "large": model(0.65, seed=2)})
    here = {"quantity": "recognition"}
    width = found["overall_high"].sel(here | {"model": "small"}) - found["overall_low"].sel(here | {"model": "small"})
    low, high = (found[f"difference_{end}"].sel(here | {"model": "large", "other": "small"}) for end in ("low", "high"))
    assert found["difference"].sel(here | {"model": "large", "other": "small"}) == pytest.approx(0.05)
    assert 0 < low < 0.05 < high
    assert high - low < width / 4


def test_a_model_does_not_differ_from_itself():
    found = compare({"one": model(0.6)})
    assert found["difference"].item(0) == found["difference_low"].item(0) == found["difference_high"].item(0) == 0


def test_a_pair_undefined_in_one_model_is_left_out_of_all():
    similarity = np.full((L, L), 0.5)
    similarity[0] = similarity[:, 0] = 0.9
    found = compare({"full": model(0.7, similarity=similarity), "partial": model(0.7, undefined=("en",))})
    by_language = found["by_language"].sel(quantity="consistency", model="full")
    assert by_language.sel(language="zh") == pytest.approx(0.5)
    assert by_language.sel(language="en").isnull()


def test_recognition_that_grows_with_the_share_has_a_slope_per_tenfold_share():
    found = compare({"one": model(0.5 + 0.1 * np.log10(SHARES))}, shares=shares_of("one"), permutations=999)
    here = {"model": "one", "quantity": "recognition"}
    assert found["share_slope"].sel(here) == pytest.approx(0.1)
    assert found["share_slope_low"].sel(here) < 0.1 < found["share_slope_high"].sel(here)
    assert found["share_slope_p"].sel(here) < 0.02


def test_what_has_nothing_to_do_with_the_share_has_no_small_p():
    found = compare({"one": model([0.7, 0.6, 0.7, 0.6, 0.65, 0.7])}, shares=shares_of("one"), permutations=999)
    assert found["share_slope_p"].sel(model="one", quantity="recognition") > 0.1


def test_languages_without_a_published_share_are_left_out_of_the_slope():
    shares = shares_of("one")
    shares[0, 3:] = np.nan
    found = compare({"one": model(0.5 + 0.1 * np.log10(SHARES))}, shares=shares, permutations=9)
    assert found["share_slope"].isnull().all()


def test_models_with_other_values_are_not_compared():
    with pytest.raises(LabelMismatchError, match=r"b has values \['morality'\]"):
        compare({"a": model(0.7), "b": model(0.7).isel(value=[0])})


def test_models_whose_samples_hold_other_items_are_not_compared():
    with pytest.raises(LabelMismatchError, match=r"b has bootstrap samples .* on the same data with the same seed"):
        compare({"a": model(0.7), "b": model(0.7, items=1)})


def test_models_without_a_common_language_are_not_compared():
    renamed = {dim: [f"x{k}" for k in range(L)] for dim in ("language", "source", "target")}
    with pytest.raises(LabelMismatchError, match="no language"):
        compare({"a": model(0.7), "b": model(0.7).assign_coords(renamed)})


def test_no_model_is_an_error():
    with pytest.raises(DataError, match="at least one"):
        compare({})
