"""A run to explore without a study: results by hand, a pocket model, and vectors that know one value in English."""

from functools import cache

import numpy as np
import xarray as xr
from results_by_hand import LANGUAGES, VALUES, study_of, with_intervals

from polyethos.dataset.load import load_pairs
from polyethos.lab.pocket import pocket_model_path
from polyethos.presentation.explorer.workbench import ExploredRun
from polyethos.representation.activations import extract
from polyethos.representation.model import load_model

KNOWN = "harmfulness"


@cache
def pocket():
    """The pocket model that runs are made of."""
    return load_model(pocket_model_path("pocket-balanced"))


@cache
def pairs():
    """A few pairs of every value in English and Chinese."""
    everything = load_pairs("microworld", languages=["en", "zh"])
    kept: dict[tuple[str, str], int] = {}
    chosen = []
    for pair in everything:
        key = pair.value, pair.language
        kept[key] = kept.get(key, 0) + 1
        if kept[key] <= 16:
            chosen.append(pair)
    return type(everything)(everything.name, tuple(chosen))


@cache
def vectors():
    """Random directions, except for one value in English, whose direction is that of the pairs."""
    model = pocket()
    draw = np.random.default_rng(0).normal(size=(len(VALUES), len(LANGUAGES), model.n_layers, model.hidden_size))
    layers = np.arange(1, model.n_layers + 1)
    array = xr.DataArray(
        draw.astype(np.float32),
        dims=("value", "language", "layer", "hidden"),
        coords={"value": list(VALUES), "language": list(LANGUAGES), "layer": layers},
    )
    states = extract(model, pairs().select(values=[KNOWN], languages=["en"]))
    known = (
        (states.sel(polarity="positive") - states.sel(polarity="negative")).mean("item").sel(value=KNOWN, language="en")
    )
    array.loc[{"value": KNOWN, "language": "en"}] = known.transpose("layer", "hidden").values
    return array


def explored(name="pocket-balanced", results=None, **changes):
    """A run as the explorer sees it; `changes` replace single fields."""
    fields = {
        "name": name,
        "results": with_intervals(study_of(name, layers=pocket().n_layers)) if results is None else results,
        "study": {},
        "vectors": vectors(),
        "metadata": {"residual_norms": {value: [100.0] * pocket().n_layers for value in VALUES}, "position": "last"},
        "load_model": pocket,
        "load_pairs": pairs,
    }
    return ExploredRun(**{**fields, **changes})
