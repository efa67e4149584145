"""What the report's interactive figures draw from: labels, orders and arrays of each run, as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.values import VALUES
from polyethos.presentation.evidence import above_chance, pairs_apart
from polyethos.presentation.labels import (
    autonym,
    by_share,
    chance,
    language_name,
    languages,
    shares,
    value_name,
    values,
)
from polyethos.presentation.runs import run_names

# Numbers are stored in 16 bits; the smallest means "not measured".
DECIMALS, MISSING = 4, -32768
_LARGEST = 32767
# Bytes that the arrays per layer of all runs may take in the page, before which layers are left out.
_LAYERS_BUDGET = 4_500_000

# Gains below this are drawn pale whatever else is on the page, so that noise does not look like structure.
_LEAST_GAIN = 0.05

_CELL, _PAIR = (VALUE, LANGUAGE), (SOURCE, TARGET)
_STORED: dict[str, tuple[str, ...]] = {
    "recognition": _CELL,
    "recognition_p": _CELL,
    "recognition_p_family": _CELL,
    "transfer_accuracy": (VALUE, *_PAIR),
    "transfer_gain": _PAIR,
    "similarity": _PAIR,
    "similarity_by_value": (VALUE, *_PAIR),
    "consistency": (VALUE, *_PAIR),
    "consistency_whitened": (VALUE, *_PAIR),
    "n_items": _CELL,
    "n_groups": _CELL,
}
_PER_LAYER = {"accuracy": (VALUE, *_PAIR, LAYER), "cosine": (VALUE, *_PAIR, LAYER)}
_SHOWN = _STORED | _PER_LAYER


def payload(runs: Sequence[xr.Dataset], *, layers_budget: int = _LAYERS_BUDGET) -> dict[str, Any]:
    """Everything the report's figures need, as plain data.

    Args:
        runs: results of each model.
        layers_budget: bytes that arrays per layer may take; beyond it only every second, third, ... layer is kept.

    Returns:
        `languages` and `values` (labels by code), `gain_limits` (see below) and `runs`; arrays are base64 of
        little-endian 16-bit integers. The gain limits are the ends of the colour scale, as fractions, of means over
        values and of single values: the same for all models and layers.
    """
    codes = {code for run in runs for code in languages(run)}
    names = {value for run in runs for value in values(run)}
    step = _layer_step(runs, layers_budget)
    return {
        "languages": {
            code: {"name": language_name(code), "autonym": autonym(code), "lang": code if code in LANGUAGES else ""}
            for code in sorted(codes)
        },
        "values": {
            value: {
                "name": value_name(value),
                "brief": value_name(value, short=True),
                "definition": VALUES[value].definition if value in VALUES else "",
            }
            for value in sorted(names)
        },
        "gain_limits": {
            "mean": _limit(_gains(run, mean=True) for run in runs),
            "value": _limit(_gains(run, mean=False) for run in runs),
        },
        "runs": [_run(run, name, step) for run, name in zip(runs, run_names(runs), strict=True)],
    }


def script_json(content: Mapping[str, Any]) -> str:
    """JSON that stands safely inside a script element, whatever the strings in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def by_family(results: xr.Dataset) -> list[str]:
    """Language codes grouped by family, the family of the largest share first, by share within."""
    order = by_share(results)
    families = list(dict.fromkeys(_family(code) for code in order))
    return sorted(order, key=lambda code: families.index(_family(code)))


def by_similarity(results: xr.Dataset) -> list[str]:
    """Language codes so that similar concept vectors stand side by side (average linkage, optimal leaf order).

    Languages whose similarity to another is not known come last; without similarities the order is that of shares.
    """
    order = by_share(results)
    if "similarity" not in results:
        return order
    matrix = results["similarity"].sel({SOURCE: order, TARGET: order}).transpose(SOURCE, TARGET).values
    known = [i for i in range(len(order)) if np.isfinite(np.delete(matrix[i], i)).any()]
    if len(known) < 3:
        return order
    distances = 1 - np.clip(np.nan_to_num(matrix[np.ix_(known, known)]), -1, 1)
    condensed = squareform((distances + distances.T) / 2 * (1 - np.eye(len(known))), checks=False)
    leaves = [known[i] for i in leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed))]
    return [order[i] for i in leaves] + [code for i, code in enumerate(order) if i not in leaves]


def _run(results: xr.Dataset, name: str, step: int) -> dict[str, Any]:
    kept = results.isel({LAYER: slice(None, None, step)}) if LAYER in results.dims else results
    arrays = {key: _packed(results[key], dims) for key, dims in _STORED.items() if _fits(results, key, dims)}
    for key in list(arrays):
        for end in ("low", "high"):
            if f"{key}_{end}" in results:
                arrays[f"{key}_{end}"] = _packed(results[f"{key}_{end}"], _STORED[key])
    if "recognition" in results:
        arrays["clear"] = _packed(above_chance(results), _CELL)
    arrays |= {key: _packed(kept[key], dims) for key, dims in _PER_LAYER.items() if _fits(kept, key, dims)}
    arrays |= {f"curve_{key}": _packed(curve, (VALUE, LAYER)) for key, curve in _curves(kept).items()}
    percent, source = shares(results)
    return {
        "name": name,
        "protocol": str(results.attrs.get("protocol", "")),
        "chance": chance(results),
        "languages": languages(results),
        "values": values(results),
        "layers": [int(layer) for layer in kept[LAYER].values] if LAYER in kept.coords else [],
        "chosen": _chosen_layers(results),
        "orders": {"share": by_share(results), "family": by_family(results), "similarity": by_similarity(results)},
        "shares": {str(code): None if np.isnan(share) else share for code, share in percent.items()},
        "share_source": source,
        "arrays": arrays,
    }


def _chosen_layers(results: xr.Dataset) -> dict[str, dict[str, list[int]]]:
    """The layers chosen in training of each value, smallest first: those of the accuracies, and of the similarities."""
    where = {"accuracy": "chosen_layer", "similarity": "consistency_layer"}
    return {
        kind: {
            value: sorted({int(n) for n in np.atleast_1d(results[name].sel({VALUE: value}))})
            for value in values(results)
        }
        for kind, name in where.items()
        if name in results
    }


def _gains(results: xr.Dataset, *, mean: bool) -> list[xr.DataArray]:
    """Every gain that the page can show, of means over values or of single values."""
    tables = [results[name] for name in ("transfer_accuracy", "accuracy") if _fits(results, name, _SHOWN[name])]
    gains = [table - table.where(table[SOURCE] == table[TARGET]).mean(SOURCE) for table in tables]
    if not mean:
        return gains
    return [*(gain.mean(VALUE) for gain in gains), *(results[name] for name in ("transfer_gain",) if name in results)]


def _limit(gains: Iterable[list[xr.DataArray]]) -> float:
    """The largest size of a gain, rounded up to whole steps of five points."""
    largest = [float(abs(gain).max()) for run in gains for gain in run]
    known = max([_LEAST_GAIN, *(size for size in largest if np.isfinite(size))])
    return math.ceil(round(20 * known, 6)) / 20


def _curves(results: xr.Dataset) -> dict[str, xr.DataArray]:
    """Means over languages, or pairs of them, by value and layer: what the small curves below the heatmaps show."""
    curves = {}
    if _fits(results, "accuracy", _PER_LAYER["accuracy"]):
        accuracy = results["accuracy"]
        own = accuracy.where(accuracy[SOURCE] == accuracy[TARGET])
        curves["recognition"] = own.mean(_PAIR)
        curves["accuracy"] = pairs_apart(accuracy).mean(_PAIR)
        curves["gain"] = pairs_apart(accuracy - own.mean(SOURCE)).mean(_PAIR)
    if _fits(results, "cosine", _PER_LAYER["cosine"]):
        curves["similarity"] = pairs_apart(results["cosine"]).mean(_PAIR)
    return curves


def _fits(results: xr.Dataset, name: str, dims: tuple[str, ...]) -> bool:
    return name in results and set(results[name].dims) == set(dims)


def _packed(array: xr.DataArray, dims: tuple[str, ...]) -> dict[str, Any]:
    numbers = array.transpose(*dims).values.astype(float)
    known = np.isfinite(numbers)
    largest = np.abs(numbers, where=known, out=np.zeros_like(numbers)).max(initial=0)
    # Fractions and cosines keep four decimals; counts of items take what precision is left.
    scale = min(10.0**DECIMALS, _LARGEST / largest) if largest else 1.0
    whole = np.where(known, np.round(np.nan_to_num(numbers) * scale), MISSING)
    packed = base64.b64encode(whole.astype("<i2").tobytes()).decode("ascii")
    return {"shape": list(numbers.shape), "scale": scale, "numbers": packed}


def _layer_step(runs: Sequence[xr.Dataset], budget: int) -> int:
    # Two bytes a number, in base64.
    size = sum(run[name].size for run in runs for name in _PER_LAYER if name in run) * 2 * 4 / 3
    return max(1, int(-(-size // budget)))


def _family(code: str) -> str:
    return LANGUAGES[code].family if code in LANGUAGES else "other"
