"""The published protocol against what the published implementation computed on three tiny models."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from polyethos.analysis.published import item_order, measure, split
from polyethos.analysis.published_summary import SERIES, summarise
from polyethos.dataset.languages import linguistic_distances, pretraining_shares
from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import sentence
from polyethos.representation.activations import extract_states
from polyethos.representation.model import load_model

MODELS = {"llama2-chat-7B": "llama2", "qwen-chat-7B": "qwen", "bloomz-7B1": "bloomz"}
# Two projections closer than this can order either way in float32.
NEAR_TIE = 1e-5


@pytest.fixture(scope="module", params=MODELS)
def reference(request, shared_data):
    """Our results and the reference's for one model."""
    name, folder = request.param, shared_data / "reference"
    expected = json.loads((folder / "expected" / "meta.json").read_text(encoding="utf-8"))
    arrays = np.load(folder / "expected" / "arrays.npz")
    pairs = load_pairs(folder / "data", values=expected["values"], languages=expected["languages"], drop=("identical",))
    model = load_model(folder / "models" / name, dtype="float32", device="cpu", template=expected["templates"][name])
    values = [value_of(model, pairs.select(values=[value])) for value in expected["values"]]
    measured = xr.concat([ours for ours, _ in values], pd.Index(expected["values"], name="value"))
    return SimpleNamespace(
        measured=measured,
        near_ties=np.stack([near for _, near in values]),
        summary=summarise(measured, SERIES[MODELS[name]], linguistic_distances("paper"), shares=pretraining_shares()),
        arrays={key.removeprefix(f"{name}/"): arrays[key] for key in arrays.files if key.startswith(f"{name}/")},
        linguistic=expected["linguistic"][name],
    )


def value_of(model, pairs):
    """`measure` of one value, and its near ties (source, target, layer): test items within NEAR_TIE of 0."""
    polarities, languages = ("positive", "negative"), list(pairs.languages)
    states = extract_states(model, [sentence(pair, side, published=True) for side in polarities for pair in pairs])
    # The published layers: the outputs of blocks 1 to L - 1, and the state after the final norm.
    published = np.delete(states, -2, axis=1)
    items = sorted({pair.item for pair in pairs})
    rows = np.full((len(languages), model.n_layers, len(items), model.hidden_size), np.nan, dtype=np.float32)
    for pair, difference in zip(pairs, published[: len(pairs)] - published[len(pairs) :], strict=True):
        rows[languages.index(pair.language), :, items.index(pair.item)] = difference
    coords = {"language": languages, "layer": range(1, model.n_layers + 1), "item": items}
    differences = xr.DataArray(rows, dims=("language", "layer", "item", "hidden"), coords=coords)
    orders = {code: item_order(pair for pair in pairs if pair.language == code) for code in languages}
    found = measure(differences, orders)
    near = [
        (
            abs(xr.dot(found["direction"], differences.sel(language=code, item=split(orders[code])[1]), dim="hidden"))
            < NEAR_TIE
        ).sum("item")
        for code in languages
    ]
    return found, np.stack(near, axis=1)


def test_directions_within_one_in_ten_thousand(reference):
    ours = reference.measured["direction"].transpose("value", "language", "layer", "hidden").values
    theirs = reference.arrays["direction"]
    difference = np.linalg.norm(ours - theirs, axis=-1) / np.linalg.norm(theirs, axis=-1)
    assert difference.max() < 1e-4


def test_signs_exactly(reference):
    ours = reference.measured["sign"].transpose("value", "language", "layer").values
    np.testing.assert_array_equal(ours, reference.arrays["sign"])


def test_accuracies_exactly_but_for_near_ties(reference, record_property):
    ours = reference.measured["accuracy"].transpose("value", "source", "target", "layer").values
    n_test = 5
    items_apart = np.rint(abs(ours - reference.arrays["accuracy"]) * n_test).astype(int)
    record_property("items_apart", int(items_apart.sum()))
    assert (items_apart <= reference.near_ties).all()


def test_cosines_within_one_in_ten_thousand(reference):
    ours = reference.measured["cosine"].transpose("value", "source", "target", "layer").values
    theirs = reference.arrays["cosine"]
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    # The states are float32, so a cosine is known to about a millionth: four digits of it only where it is not near 0.
    readable = abs(theirs) > 0.01
    assert readable.sum() > 0.9 * np.isfinite(theirs).sum()
    np.testing.assert_allclose(ours[readable], theirs[readable], rtol=1e-4)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)


def test_the_layer_curve(reference):
    ours = reference.summary["layer_curve"].transpose("value", "layer").values
    np.testing.assert_allclose(ours, reference.arrays["shared_layer_cosine"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["direct", "split"])
def test_linguistic_rows_within_a_millionth(reference, kind):
    rows = reference.summary[f"linguistic_{kind}"]
    for distance in rows["distance"].values:
        expected = reference.linguistic[f"{distance}/{kind}"]
        assert rows.sel(distance=distance).item() == pytest.approx(expected, abs=1e-6), distance
