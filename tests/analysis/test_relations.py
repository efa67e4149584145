import numpy as np
import pytest
import xarray as xr
from planted import CODES
from scipy import stats

from polyethos.analysis.dyadic import Dyads, double_semi_partialling, fit, jackknife
from polyethos.analysis.relations import relations
from polyethos.errors import DataError, LabelMismatchError

L = 12
PAIRS = np.triu_indices(L, 1)


def symmetric(random, *, n=L):
    table = random.standard_normal((n, n))
    return table + table.T


def effects_of_languages(random, *, deviation):
    effects = random.standard_normal(L) * deviation
    return effects[:, None] + effects


def table(values, *names):
    coords = {"source": list(CODES[:L]), "target": list(CODES[:L])}
    if names:
        return xr.DataArray(
            np.stack(values), dims=("distance", "source", "target"), coords={"distance": list(names)} | coords
        )
    return xr.DataArray(values, dims=("source", "target"), coords=coords)


def shares_of(values):
    return xr.DataArray(values, dims="language", coords={"language": list(CODES[:L])})


def test_without_language_effects_the_fit_is_ordinary_least_squares():
    sm = pytest.importorskip("statsmodels.api")
    random = np.random.default_rng(0)
    y, x = symmetric(random), np.stack([symmetric(random), symmetric(random)])
    found = fit(Dyads(y, x), ratio=0.0)
    expected = sm.OLS(y[PAIRS], sm.add_constant(x[:, *PAIRS].T)).fit()
    np.testing.assert_allclose(found.effects, expected.params, rtol=1e-8)
    np.testing.assert_allclose(found.scores, expected.tvalues, rtol=1e-8)


def test_the_variance_of_language_effects_is_the_restricted_likelihood_estimate():
    mixed = pytest.importorskip("statsmodels.regression.mixed_linear_model")
    random = np.random.default_rng(1)
    x = symmetric(random)
    y = 0.4 * x + effects_of_languages(random, deviation=1.0) + symmetric(random)
    members = np.zeros((len(PAIRS[0]), L))
    for k, pair in enumerate(zip(*PAIRS, strict=True)):
        members[k, list(pair)] = 1
    columns = mixed.VCSpec(["language"], [[list(CODES[:L])]], [[members]])
    design = np.column_stack([np.ones(len(members)), x[PAIRS]])
    model = mixed.MixedLM(y[PAIRS], design, groups=np.ones(len(members)), exog_vc=columns)
    expected = model.fit(reml=True)
    found = fit(Dyads(y, x[None]))
    assert found.ratio == pytest.approx(expected.vcomp[0] / expected.scale, rel=0.02)
    np.testing.assert_allclose(found.effects, expected.fe_params, rtol=1e-3)


def test_one_predictor_without_language_effects_is_the_mantel_test():
    distance = pytest.importorskip("skbio.stats.distance")
    random = np.random.default_rng(2)
    x = np.abs(symmetric(random))
    y = np.abs(0.3 * x + symmetric(random))
    np.fill_diagonal(x, 0)
    np.fill_diagonal(y, 0)
    _, expected, _ = distance.mantel(x, y, permutations=4999, seed=3)
    dyads = Dyads(y, x[None])
    found = p_without_language_effects(dyads, permutations=4999)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4999))


def p_without_language_effects(dyads, *, permutations):
    """The estimate of the language variance is 0 in this data; make sure before comparing."""
    assert fit(dyads).ratio == 0
    return double_semi_partialling(dyads, 0, permutations=permutations, seed=4)[0]


def test_a_planted_effect_is_found_beside_a_correlated_predictor():
    random = np.random.default_rng(50)
    x = symmetric(random)
    other = x + 0.5 * symmetric(random)
    y = 0.5 * x + effects_of_languages(random, deviation=0.5) + 0.3 * symmetric(random)
    dyads = Dyads(y, np.stack([x, other]))
    assert double_semi_partialling(dyads, 0, permutations=400, seed=0)[0] < 0.01
    assert double_semi_partialling(dyads, 1, permutations=400, seed=0)[0] > 0.05


def test_language_effects_alone_do_not_look_like_a_relation():
    p, naive = [], []
    for seed in range(80):
        random = np.random.default_rng([6, seed])
        x, y = (effects_of_languages(random, deviation=1.0) + 0.2 * symmetric(random) for _ in range(2))
        p.append(double_semi_partialling(Dyads(y, x[None]), 0, permutations=99, seed=seed)[0])
        naive.append(stats.pearsonr(x[PAIRS], y[PAIRS]).pvalue)
    assert np.mean(np.array(p) <= 0.05) < 0.13
    assert np.mean(np.array(naive) <= 0.05) > 0.4


def test_the_jackknife_leaves_out_every_pair_of_a_language():
    random = np.random.default_rng(7)
    y, x = symmetric(random), symmetric(random)
    kept = np.arange(1, L)
    expected = fit(Dyads(y[np.ix_(kept, kept)], x[np.ix_(kept, kept)][None])).effects
    np.testing.assert_allclose(jackknife(Dyads(y, x[None]))[0], expected)


def test_similarity_that_falls_with_distance_has_a_negative_effect_per_standard_deviation():
    random = np.random.default_rng(8)
    x = symmetric(random)
    found = relations(table(2 - 0.3 * x), table([x, symmetric(random)], "genetic", "syntactic"), permutations=199)
    assert found["relation"].sel(distance="genetic", term="distance") == pytest.approx(-0.3 * x[PAIRS].std(), rel=1e-6)
    assert found["relation_p"].sel(distance="genetic", term="distance") <= 0.01
    assert found["relation_p"].sel(distance="syntactic", term="distance") > 0.05
    assert found["joint_relation"].sel(predictor="genetic") < 0


def test_distortion_by_resources_is_the_interaction():
    random = np.random.default_rng(9)
    x, share = symmetric(random), np.exp(random.standard_normal(L) * 2)
    resource = (np.log(share)[:, None] + np.log(share)) / 2
    y = -0.2 * x * (resource - resource[PAIRS].mean()) + 0.1 * symmetric(random)
    found = relations(table(y), table([x], "genetic"), shares_of(share), permutations=199)
    assert found["relation_p"].sel(term="distance x share") <= 0.02
    assert found["relation"].sel(term="distance x share") < 0


def test_missing_distances_are_left_out_not_taken_for_zero():
    random = np.random.default_rng(10)
    x = np.abs(symmetric(random)) + 1
    y = 1 - 0.2 * x
    x[0, 1:4] = x[1:4, 0] = np.nan
    found = relations(table(np.nan_to_num(y, nan=0.5)), table([x], "genetic"), permutations=49)
    assert found["relation_pairs"].item() == L * (L - 1) / 2 - 3
    expected = -0.2 * np.nanstd(x[PAIRS])
    assert found["relation"].sel(term="distance").item() == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(found["relation_p"].sel(term="distance"))


def test_too_few_languages_are_undefined():
    random = np.random.default_rng(11)
    y = symmetric(random)
    y[4:] = np.nan
    y[:, 4:] = np.nan
    found = relations(table(y), table([symmetric(random)], "genetic"), permutations=9)
    assert np.isnan(found["relation"]).all()
    assert found["relation_pairs"].item() == 6


def test_too_few_pairs_among_enough_languages_are_undefined():
    random = np.random.default_rng(13)
    x, y = symmetric(random), symmetric(random)
    star = np.full((L, L), np.nan)
    star[0, 1:] = y[0, 1:]
    star[1:, 0] = y[1:, 0]
    found = relations(table(star), table([x], "genetic"), permutations=9)
    assert found["relation_pairs"].item() == L - 1
    assert np.isnan(found["relation_detectable"]).all()


def test_a_language_without_a_distance_row_is_an_error():
    random = np.random.default_rng(12)
    known = table([symmetric(random)], "genetic").isel(source=slice(1, None))
    with pytest.raises(LabelMismatchError, match="'en'"):
        relations(table(symmetric(random)), known, permutations=9)


def test_a_share_of_zero_is_an_error_that_says_what_to_give():
    random = np.random.default_rng(13)
    shares = shares_of(np.r_[0.0, np.ones(L - 1)])
    with pytest.raises(DataError, match=r"0\.0 for 'en'; a share must be above 0"):
        relations(table(symmetric(random)), table([symmetric(random)], "genetic"), shares, permutations=9)


def test_shares_that_are_all_alike_leave_only_the_distance():
    random = np.random.default_rng(9)
    similarity, distance = table(symmetric(random)), table([symmetric(random)], "genetic")
    # 0.1 + 0.2 and 0.3 differ in the last bit only.
    alike = shares_of(np.resize([0.1 + 0.2, 0.3], L))
    found = relations(similarity, distance, alike, permutations=99)
    without = relations(similarity, distance, permutations=99)
    xr.testing.assert_allclose(found["relation"], without["relation"])
    assert found["relation"].sel(term=["share", "distance x share"]).isnull().all()
    assert found["relation_detectable"].sel(term="distance") > 0.01
    assert found["joint_relation"].sel(predictor="share").isnull()
    assert found["joint_relation"].sel(predictor="genetic").notnull()


def test_a_distance_that_is_the_same_for_all_pairs_relates_to_nothing():
    found = relations(table(symmetric(np.random.default_rng(0))), table([np.ones((L, L))], "genetic"), permutations=9)
    assert found["relation"].isnull().all()
    assert found["joint_relation"].isnull().all()
