import numpy as np
import pandas as pd
import pytest
import xarray as xr

from polyethos.analysis.beside import published_beside
from polyethos.dataset.languages import linguistic_distances
from polyethos.presentation.answers import linguistics
from polyethos.presentation.relation_table import linguistic_table
from polyethos.study import ModelChoice, Study
from polyethos.study.analysing import Partial
from polyethos.study.combining import combine

LANGUAGES = ["en", "fi", "hu", "zh"]


def partial(value, seed):
    """Random statistics of one value, the similarity of two languages below 1."""
    rng = np.random.default_rng(seed)
    pair, table = ("source", "target"), rng.uniform(size=(4, 4))
    statistics = xr.Dataset(
        {
            "transfer_accuracy": (pair, rng.uniform(0.5, 1, (4, 4))),
            "similarity_by_value": (pair, (table + table.T) / 2),
            "paper_accuracy": ((*pair, "layer"), rng.uniform(0.5, 1, (4, 4, 1))),
            "paper_cosine": ((*pair, "layer"), np.where(np.eye(4), np.nan, table / 2)[..., None]),
            "paper_sign": (("language", "layer"), np.ones((4, 1), dtype=np.int8)),
            "paper_n_items": ("language", [10, 9, 10, 10]),
        },
        coords={"source": LANGUAGES, "target": LANGUAGES, "language": LANGUAGES, "layer": [1]},
    )
    vectors = xr.DataArray(
        np.ones((4, 1, 2), np.float32),
        dims=("language", "layer", "hidden"),
        coords={"language": LANGUAGES, "layer": [1]},
    )
    return Partial(value, statistics, vectors, xr.DataArray([1.0], dims="layer", coords={"layer": [1]}))


@pytest.fixture
def combined():
    return combine(Study(), ModelChoice(name="org/model"), [partial("morality", 0), partial("fairness", 1)])[0]


def test_similarity_and_gain_are_means_over_values(combined):
    np.testing.assert_allclose(combined["similarity"], combined["similarity_by_value"].mean("value"))
    transfer = combined["transfer_accuracy"]
    gain = (transfer.sel(source="fi", target="en") - transfer.sel(source="en", target="en")).mean("value")
    assert combined["transfer_gain"].sel(source="fi", target="en").item() == pytest.approx(gain.item())
    assert (np.diag(combined["transfer_gain"]) == 0).all()


def test_linguistic_relations_use_the_pairs_whose_distance_is_known_and_count_the_others(combined):
    upper = np.triu_indices(4, k=1)
    distances = linguistic_distances("urielplus").sel(source=LANGUAGES, target=LANGUAGES)
    cells = combined["similarity"].values[upper]
    for kind in distances["distance"].values:
        apart = distances.sel(distance=kind).values[upper]
        known = ~np.isnan(apart)
        assert combined["linguistic_pairs"].sel(distance=kind).item() == known.sum()
        assert combined["linguistic_missing"].sel(distance=kind).item() == 6 - known.sum()
        expected = np.corrcoef(cells[known], 1 - apart[known])[0, 1] if np.ptp(apart[known]) else np.nan
        np.testing.assert_allclose(combined["linguistic_r"].sel(distance=kind), expected, atol=1e-9)


def test_the_pages_answer_with_the_correlation_not_with_a_number_of_pairs(combined):
    pd.testing.assert_index_equal(linguistic_table(combined).columns, pd.Index(["r", "pairs", "missing"]))
    r = combined["linguistic_r"].values
    strongest = r[np.nanargmax(abs(r))]
    assert f"{strongest:+.2f}" in linguistics(combined).sentence


def test_the_published_numbers_of_the_same_activations_stand_beside_the_corrected_ones(combined):
    paper = published_beside(combined)
    np.testing.assert_allclose(paper["transfer_accuracy"], paper["accuracy"].max("layer"))
    assert paper["n_items"].values.tolist() == [[10, 9, 10, 10]] * 2
    assert paper["linguistic_direct"].dims == ("distance",)
    assert paper["distance"].values.tolist() == ["genetic", "syntactic", "geographic", "phonological"]
    assert paper.attrs["high_resource"] == combined.attrs["high_resource"] == "en zh"
    assert not (paper["recognition"] == combined["transfer_accuracy"].max("source").rename(target="language")).all()
