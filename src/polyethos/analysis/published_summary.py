"""What the published protocol reports about a model, quirks included, from what `published` measured of each value.

Source: Xu et al. 2024, Findings of EMNLP 2024, arXiv:2402.18120, sections 4 and 5, and its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
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
