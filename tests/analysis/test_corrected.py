"""The whole corrected protocol on one planted study."""

import numpy as np
import pytest
import xarray as xr
from planted import CODES, differences, directions, folds_of

from polyethos.analysis.corrected import corrected_statistics
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.value_statistics import ValueSource, value_statistics
from polyethos.arrays import read_dataset, write_dataset
from polyethos.dataset.pairs import ContrastPair
from polyethos.errors import DataError

LANGUAGES, LAYERS, ITEMS, HIDDEN = 5, (1, 2), 40, 12
STRONG, ABSENT = "morality", "fairness"


def source_of(value, seed, *, strength):
    random = np.random.default_rng(seed)
    means = directions(random, languages=LANGUAGES, hidden=HIDDEN, cosine=0.8) * strength
    # Layer 1 holds nothing, layer 2 the concept; the last language has no concept anywhere.
    means[-1] = 0
    data = {1: differences(random, means * 0, items=ITEMS), 2: differences(random, means, items=ITEMS)}
    units = resampling_units(folds_of(data[1]))
    pairs = [
        ContrastPair(item, value, code, "kind" + "x" * (k % 3), "cruel" + "x" * (k % 3))
        for code in CODES[:LANGUAGES]
        for k, item in enumerate(units.items)
    ]
    return ValueSource(value, LAYERS, lambda layer: products_of(data[layer], units), HIDDEN, pairs)


@pytest.fixture(scope="module")
def by_value():
    options = {"permutations": 400, "replicates": 200}
    return {
        STRONG: value_statistics(source_of(STRONG, 0, strength=2.5), **options),
        ABSENT: value_statistics(source_of(ABSENT, 1, strength=0.0), **options),
    }


@pytest.fixture(scope="module")
def results(by_value):
    random = np.random.default_rng(2)
    table = np.abs(random.standard_normal((LANGUAGES, LANGUAGES)))
    codes = list(CODES[:LANGUAGES])
    distances = xr.DataArray(
        (table + table.T)[None],
        dims=("distance", "source", "target"),
        coords={"distance": ["genetic"], "source": codes, "target": codes},
    )
    shares = xr.DataArray([90.0, 5.0, 1.0, 1.0, np.nan], dims="language", coords={"language": codes})
    return corrected_statistics(by_value, high_resource={"en"}, distances=distances, shares=shares, permutations=49)


def test_the_layer_that_holds_the_concept_is_chosen(results):
    assert (results["tested_layer"].sel(value=STRONG) == 2).all()
    assert results["consistency_layer"].sel(value=STRONG) == 2


def test_a_concept_is_found_where_it_is_and_not_where_it_is_not(results):
    p = results["recognition_p_family"]
    assert (p.sel(value=STRONG, language=list(CODES[:4])) < 0.05).all()
    assert (p.sel(value=ABSENT) > 0.05).all()
    assert p.sel(value=STRONG, language=CODES[4]) > 0.05


def test_intervals_hold_their_estimates(results):
    for name in ("recognition", "transfer_accuracy", "similarity_corrected", "control_accuracy", "consistency"):
        value, low, high = results[name], results[f"{name}_low"], results[f"{name}_high"]
        assert ((low <= value + 1e-9) | value.isnull()).all(), name
        assert ((high >= value - 1e-9) | value.isnull()).all(), name


def test_recognition_is_the_diagonal_of_transfer(results):
    expected = np.einsum("vii->vi", results["transfer_accuracy"].values)
    np.testing.assert_array_equal(results["recognition"], expected)


def test_mean_gains_have_an_interval_around_them_and_none_where_no_sample_varies(results):
    accuracy = results["transfer_accuracy"]
    own = accuracy.where(accuracy["source"] == accuracy["target"]).mean("source")
    gain, low, high = (accuracy - own).mean("value"), results["transfer_gain_low"], results["transfer_gain_high"]
    known = low.notnull()
    assert bool(known.any())
    assert bool((low <= gain).where(known, True).all())
    assert bool((gain <= high).where(known, True).all())
    assert not bool(known.where(low["source"] == low["target"], False).any())
    assert bool((low < high).where(known, True).all())


def test_without_a_concept_consistency_is_undefined_not_zero(results):
    defined = results["direction_defined"]
    assert not defined.sel(value=STRONG, language=CODES[4])
    assert results["consistency"].sel(value=STRONG, source=CODES[4]).isnull().all()
    inside = results["similarity_corrected"].sel(source="en", target="zh")
    low, high = (results[f"similarity_corrected_{end}"].sel(source="en", target="zh") for end in ("low", "high"))
    assert low < 0.8 < high
    assert low < inside < high


def test_reliability_is_high_where_there_is_a_concept(results):
    reliability = results["reliability"].sel(value=STRONG, layer=2)
    assert (reliability.sel(language=list(CODES[:4])) > 0.8).all()
    assert results["reliability"].sel(value=STRONG, layer=1).max() < 0.8


def test_every_control_is_there_and_the_telling_words_are_noticed(results):
    assert results["control"].values.tolist() == ["random direction", "shuffled labels", "length", "words"]
    assert (results["control_accuracy"].sel(control="words") == 1).all()
    assert (results["recognition_excess"].sel(control="words") <= 0).all()
    assert abs(results["control_accuracy"].sel(control="shuffled labels") - 0.5).max() < 0.05


def test_what_could_be_detected_grows_with_the_family(results):
    assert (results["detectable_accuracy_family"] >= results["detectable_accuracy"]).all()
    assert 0.6 < results["detectable_accuracy"].mean() < 0.85


def test_one_way_transfer_is_not_claimed_of_alike_languages(results):
    assert not results["one_way_claimed"]
    assert results["one_way_excess_p"].sel(way="both") > 0.05
    assert results["one_way_claimed"].attrs["high_resource"] == "en"


def test_asymmetry_is_potential_plus_cycles(results):
    potential = results["transfer_potential"].values
    rest = results["transfer_asymmetry"].values - (potential[:, None] - potential)
    np.testing.assert_allclose(results["transfer_cyclic"].values, rest, atol=1e-9)


def test_the_results_survive_a_file(results, tmp_path):
    write_dataset(tmp_path / "results.nc", results, {})
    again, _ = read_dataset(tmp_path / "results.nc")
    xr.testing.assert_allclose(again.drop_attrs(), results.drop_attrs())


def test_one_seed_gives_one_result(by_value):
    again = value_statistics(source_of(STRONG, 0, strength=2.5), permutations=400, replicates=200, workers=1)
    xr.testing.assert_identical(again, by_value[STRONG])


def test_layers_are_asked_for_again_where_memory_is_short(by_value):
    source, asked = source_of(STRONG, 0, strength=2.5), []

    def counted(layer):
        asked.append(layer)
        return source.products_at(layer)

    short = ValueSource(STRONG, LAYERS, counted, HIDDEN, source.pairs)
    again = value_statistics(short, permutations=400, replicates=200, max_bytes=1)
    xr.testing.assert_identical(again, by_value[STRONG])
    assert len(asked) > 2 * len(LAYERS)


def test_no_value_is_an_error():
    with pytest.raises(DataError, match="at least one"):
        corrected_statistics({}, high_resource=())


@pytest.mark.parametrize(
    ("languages", "missing", "group_size", "folds"),
    [(1, None, 1, 5), (2, None, 1, 5), (3, 1, 1, 5), (3, 0, 1, 5), (3, None, 4, 3), (3, None, 1, 2)],
    ids=["one language", "two languages", "a low one empty", "the high one empty", "seven groups", "two folds"],
)
def test_small_and_gappy_studies_are_undefined_where_they_must_be(languages, missing, group_size, folds):
    data = differences(np.random.default_rng(0), np.full((languages, 8), 0.6), items=28)
    if missing is not None:
        data[missing] = np.nan
    units = resampling_units(folds_of(data, group_size=group_size, folds=folds))
    source = ValueSource(STRONG, (1,), lambda _: products_of(data, units), 8)
    found = value_statistics(source, permutations=64, replicates=40)
    results = corrected_statistics({STRONG: found}, high_resource={"en"})
    known = np.arange(languages) != missing
    np.testing.assert_array_equal(np.isfinite(results["recognition"].values[0]), known)
    np.testing.assert_array_equal(np.isfinite(results["recognition_p"].values[0]), known)
    np.testing.assert_array_equal(np.isfinite(results["recognition_low"].values[0]), known)
    assert results["consistency_whitened"].isnull().all() == (folds == 2)
    # One-way transfer needs both kinds of language.
    assert np.isfinite(results["one_way_excess_p"].sel(way="both")) == (known[0] and known[1:].any())
