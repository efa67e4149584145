"""The published protocol of arXiv:2402.18120, as its code computes it, quirks included; they live only here.

`polyethos.analysis.recognition`, `consistency`, `transfer` and `linguistics` do the same without the quirks.

Source: Xu et al. 2024, Findings of EMNLP 2024, arXiv:2402.18120, sections 3 to 5, and its code.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import HIDDEN, ITEM, LANGUAGE, LAYER, SOURCE, TARGET, VALUE, require_dims
from polyethos.dataset.pairs import ContrastPair
from polyethos.errors import LabelMismatchError

SHARED_LANGUAGES = ("en", "zh", "fr", "es", "pt", "vi", "ca", "id")
"""The languages that the layer curve of every series averages over."""

DISTANCES = ("genetic", "syntactic", "geographic", "phonological")
"""The linguistic distances that the paper relates similarity to."""

_WITH_SOUTH = ("en", "fr", "zh", "es", "pt", "vi", "ca", "id", "ta", "te", "sw", "ny")
_WITH_NORTH = ("en", "fr", "zh", "es", "pt", "vi", "ca", "id", "ja", "ko", "fi", "hu")


@dataclass(frozen=True)
class Series:
    """What the published analysis needs to know about a model series.

    Attributes:
        languages: the languages of everything after recognition.
        high_resource: the high-resource ones among them.
        share_column: column of `dataset.languages.pretraining_shares()` that sorts the languages; None keeps the order
            of `languages`.
    """

    languages: tuple[str, ...]
    high_resource: frozenset[str]
    share_column: str | None = None


# Qwen publishes no shares: the paper's code sorts it by Llama 2's, with 50 for English and 60 for Chinese made up.
SERIES: Mapping[str, Series] = {
    "llama2": Series(_WITH_NORTH, frozenset({"en"}), "llama2_pct_documents"),
    "qwen": Series(_WITH_NORTH, frozenset({"zh", "en"}), "qwen_made_up_by_paper"),
    "bloomz": Series(_WITH_SOUTH, frozenset({"en", "zh", "fr", "es", "pt", "vi", "id", "ca"}), "roots_bytes"),
}
"""The series of the paper. For any other model, give `summarise` a `Series` of your own."""


def item_order(pairs: Iterable[ContrastPair]) -> tuple[str, ...]:
    """Items of one value and one language in the published order; the first four fifths of it train, the rest test.

    Args:
        pairs: the pairs in file order, those with equal sides possibly among them.

    Returns:
        Item ids, those with equal sides dropped.
    """
    items = [pair.item for pair in pairs if pair.positive != pair.negative]
    # Quirk: every language shuffles its own list. Drop one item in one language and its test items no longer
    # correspond to those of the others, so translations of test items are trained on.
    random.Random(1).shuffle(items)
    return tuple(items)


def split(order: Sequence[str]) -> tuple[list[str], list[str]]:
    """Training and test items of an `item_order`: the first floor(0.8 n), and the rest."""
    n_train = len(order) * 4 // 5
    return list(order[:n_train]), list(order[n_train:])


def measure(differences: xr.DataArray, orders: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """Published directions, signs, accuracies and cosines of one value.

    Layers are independent: a caller short of memory passes one layer at a time and concatenates along `layer`.
    Beyond its input this holds the rows of one language and layer.

    Args:
        differences: float32 (language, layer, item, hidden), state of the upheld minus the violated sentence, over
            the items of all languages together; what a language lacks is never read. The last layer of the paper is
            transformers' `hidden_states[L]`, the state after the final norm.
        orders: per language its own `item_order`.

    Returns:
        `direction` float32 (language, layer, hidden), not normalised; `sign` int8 (language, layer);
        `accuracy` float64 (source, target, layer), chance 0.5 or more, since ties count as correct;
        `cosine` float64 (source, target, layer), NaN on the diagonal. NaN where a language has too few items.

    Raises:
        LabelMismatchError: a language has no order, or an item of an order has no difference.
    """
    require_dims(differences, LANGUAGE, LAYER, ITEM, HIDDEN, name="differences")
    codes = [str(code) for code in differences[LANGUAGE].values]
    train, test = _positions(differences, codes, orders)
    layers = [
        _one_layer(differences.isel({LAYER: k}).transpose(LANGUAGE, ITEM, HIDDEN), train, test)
        for k in range(differences.sizes[LAYER])
    ]
    pair = (LAYER, SOURCE, TARGET)
    dims = {"direction": (LAYER, LANGUAGE, HIDDEN), "sign": (LAYER, LANGUAGE), "accuracy": pair, "cosine": pair}
    result = xr.Dataset(
        {name: (dims[name], np.stack([layer[name] for layer in layers])) for name in dims},
        coords={LAYER: differences[LAYER].values, LANGUAGE: codes, SOURCE: codes, TARGET: codes},
    )
    return result.transpose(LANGUAGE, SOURCE, TARGET, LAYER, HIDDEN)


def summarise(
    measured: xr.Dataset, series: Series, distances: xr.DataArray, *, shares: pd.DataFrame | None = None
) -> xr.Dataset:
    """Everything the paper reports about one model, from what `measure` found for each value.

    Languages of the series or of the layer curve that the data lack are left out; the attributes name what remains.
    A cell that is undefined for one value is undefined in the mean over values.

    Args:
        measured: `accuracy` and `cosine` (value, source, target, layer): results of `measure` along `value`.
        series: one of `SERIES`, or one of the caller's.
        distances: (distance, source, target) with all `DISTANCES`: `linguistic_distances("paper")`.
        shares: `pretraining_shares()`; needed if `series` names a column. A language without a share comes last.

    Returns:
        `accuracy`, `cosine`, `recognition` (value, language), `transfer_accuracy` and `similarity_by_value` (value,
        source, target), `similarity` and `transfer_gain` (source, target; NaN outside the language subset),
        `layer_curve` (value, layer), `linguistic_direct` and `linguistic_split` (distance). Attributes, as codes with
        blanks between: `languages` (the subset, sorted by share), `high_resource`, `layer_curve_languages`.

    Raises:
        LabelMismatchError: `distances` lack a language of the subset.
    """
    present = [str(code) for code in measured[SOURCE].values]
    subset = _sorted_by_share([code for code in series.languages if code in present], series, shares)
    shared = [code for code in SHARED_LANGUAGES if code in present]
    # Quirk: the layer is chosen on the test items, separately per cell; pure chance then gives well over one half.
    best = measured["accuracy"].max(LAYER, skipna=False)
    diagonal = measured[SOURCE] == measured[TARGET]
    similar = measured["cosine"].max(LAYER, skipna=False).where(~diagonal, 1.0)
    gain = (best - _own(best).rename({LANGUAGE: TARGET})).mean(VALUE, skipna=False)
    in_subset = measured[SOURCE].isin(subset) & measured[TARGET].isin(subset)
    similarity = similar.mean(VALUE, skipna=False).where(in_subset)
    curve = measured["cosine"].sel({SOURCE: shared, TARGET: shared}).where(diagonal == 0).mean([SOURCE, TARGET])
    direct, by_resource = _linguistic(similarity, _selected(distances, subset), series.high_resource)
    return xr.Dataset(
        {
            "accuracy": measured["accuracy"],
            "cosine": measured["cosine"],
            "recognition": _own(best),
            "transfer_accuracy": best,
            "transfer_gain": gain.where(in_subset),
            "similarity_by_value": similar,
            "similarity": similarity,
            "layer_curve": curve,
            "linguistic_direct": ("distance", direct),
            "linguistic_split": ("distance", by_resource),
        },
        coords={"distance": list(DISTANCES)},
        attrs={
            "languages": " ".join(subset),
            "high_resource": " ".join(sorted(series.high_resource & set(subset))),
            "layer_curve_languages": " ".join(shared),
        },
    )


def _positions(
    differences: xr.DataArray, codes: Sequence[str], orders: Mapping[str, Sequence[str]]
) -> tuple[list[list[int]], list[list[int]]]:
    """Positions along `item` of each language's training and test items."""
    at = {str(item): position for position, item in enumerate(differences[ITEM].values)}
    train, test = [], []
    for code in codes:
        if code not in orders:
            raise LabelMismatchError(f"orders: language {code!r} has none; give one per language of the differences")
        unknown = [item for item in orders[code] if item not in at]
        if unknown:
            raise LabelMismatchError(f"orders, language {code!r}: item {unknown[0]!r} is not among the differences")
        first, rest = split(orders[code])
        train.append([at[item] for item in first])
        test.append([at[item] for item in rest])
    return train, test


def _one_layer(
    differences: xr.DataArray, train: Sequence[list[int]], test: Sequence[list[int]]
) -> dict[str, NDArray[np.generic]]:
    rows = [np.asarray(of_language.values, dtype=np.float32) for of_language in differences]
    for language, positions in enumerate(zip(train, test, strict=True)):
        for position in [*positions[0], *positions[1]]:
            if np.isnan(rows[language][position]).any():
                place = f"language {differences[LANGUAGE].values[language]}, item {differences[ITEM].values[position]}"
                raise LabelMismatchError(f"differences, {place}: NaN, although the language's order has the item")
    with np.errstate(invalid="ignore"):  # a language with too few items divides 0 by 0: undefined
        direction = np.stack([_mean(x[items]) for x, items in zip(rows, train, strict=True)])
        projected = [x[items] @ d for x, items, d in zip(rows, train, direction, strict=True)]
        sign = np.array([-1 if (p < 0).sum() > (p > 0).sum() else 1 for p in projected], dtype=np.int8)
        # Quirks: a tie is a win, and the sign is not used here, so a direction that points away can fall below 0.5.
        accuracy = np.stack([_share_not_below(x[items] @ direction.T) for x, items in zip(rows, test, strict=True)])
        signed = direction.astype(np.float64) * sign[:, None]
        unit = signed / np.linalg.norm(signed, axis=-1, keepdims=True)
        cosine = unit @ unit.T
    np.fill_diagonal(cosine, np.nan)
    return {"direction": direction, "sign": sign, "accuracy": accuracy.T, "cosine": cosine}


def _mean(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows.sum(axis=0, dtype=np.float64) / np.float64(len(rows)), dtype=np.float32)


def _share_not_below(projections: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of items (rows) that do not project below 0 on each direction (columns)."""
    won = np.where(np.isnan(projections), np.nan, projections >= 0)
    return np.asarray(won.sum(axis=0) / np.float64(len(projections)))


def _own(by_pair: xr.DataArray) -> xr.DataArray:
    codes = xr.DataArray(by_pair[SOURCE].values, dims=LANGUAGE, coords={LANGUAGE: by_pair[SOURCE].values})
    return by_pair.sel({SOURCE: codes, TARGET: codes}).drop_vars([SOURCE, TARGET])


def _sorted_by_share(codes: list[str], series: Series, shares: pd.DataFrame | None) -> list[str]:
    if series.share_column is None:
        return codes
    if shares is None:
        raise LabelMismatchError(f"shares: none given, but the series sorts by {series.share_column!r}")
    known = shares[series.share_column].dropna().to_dict()
    return sorted(codes, key=lambda code: -known.get(code, -np.inf))


def _selected(distances: xr.DataArray, codes: list[str]) -> xr.DataArray:
    missing = [code for code in codes if code not in distances[SOURCE].values]
    if missing:
        raise LabelMismatchError(f"distances: no language {missing}; they have {list(distances[SOURCE].values)}")
    return distances.sel({"distance": list(DISTANCES), SOURCE: codes, TARGET: codes})


def _linguistic(
    similarity: xr.DataArray, distances: xr.DataArray, high_resource: frozenset[str]
) -> tuple[list[float], list[float]]:
    """Pearson r between similarity and 1 - distance, `direct` and `split`, per distance."""
    codes = distances[SOURCE].values
    cells = similarity.sel({SOURCE: codes, TARGET: codes}).values.ravel()
    off_diagonal = ~np.eye(len(codes), dtype=bool).ravel()
    rich = np.isin(codes, list(high_resource))
    touches_rich = (rich[:, None] | rich).ravel()[off_diagonal]
    # Quirk, in `direct` only: walking the matrix row by row, the published code records for a cell the similarity of
    # the cell before it, a diagonal 1 included; relations that are exactly linear come out near 0.
    slipped = np.roll(cells, 1)[off_diagonal]
    cells = cells[off_diagonal]
    direct, by_resource = [], []
    for kind in DISTANCES:
        closeness = 1 - distances.sel(distance=kind).values.ravel()[off_diagonal]
        direct.append(_pearson(slipped, closeness))
        halves = (_pearson(cells[group], closeness[group]) for group in (touches_rich, ~touches_rich))
        by_resource.append(sum(halves) / 2)
    return direct, by_resource


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson r, NaN for fewer than two points or no variation."""
    if len(x) < 2:
        return float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(x, y)[0, 1])
