"""Several models on the same items: what differs between them, and what goes with a language's share of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.analysis.comparison import MODEL, OTHER, QUANTITY, compare
from polyethos.arrays import LANGUAGE
from polyethos.errors import LabelMismatchError
from polyethos.presentation.labels import languages, shares, typeset
from polyethos.presentation.runs import run_names

AXES = {
    "recognition": "Recognition accuracy (%)",
    "consistency": "Similarity to other languages, freed of noise",
    "excess as source": "Adjusted transfer to others (probits)",
    "excess as target": "Adjusted transfer from others (probits)",
}
PERCENT = ("recognition",)


@dataclass(frozen=True)
class Compared:
    """Models compared.

    Attributes:
        results: of `analysis.comparison.compare`.
        shares: percent of pre-training data (model, language), NaN where unknown.
        source: where the shares are from.
    """

    results: xr.Dataset
    shares: xr.DataArray
    source: str


def compared(runs: Sequence[xr.Dataset]) -> Compared | str:
    """What differs between the tested runs of the corrected protocol, or why that cannot be said.

    Args:
        runs: results of each model; others than tested corrected ones are left out.

    Returns:
        The comparison; a sentence with the reason where there is none, "" where fewer than two runs were tested.
    """
    tested = {name: run for name, run in zip(run_names(runs), runs, strict=True) if "recognition_replicates" in run}
    if len(tested) < 2:
        return ""
    percent, source = _shares(tested)
    try:
        return Compared(compare(tested, shares=percent), percent, source)
    except LabelMismatchError as error:
        return f"No intervals of differences: {error}."


def _shares(runs: dict[str, xr.Dataset]) -> tuple[xr.DataArray, str]:
    codes = list(dict.fromkeys(code for run in runs.values() for code in languages(run)))
    found = {name: shares(run) for name, run in runs.items()}
    table = np.array([percent.reindex(codes).to_numpy(dtype=float) for percent, _ in found.values()])
    # The logarithm of nothing is no number: a language without any text has no place on the axis.
    percent = xr.DataArray(table, dims=(MODEL, LANGUAGE), coords={MODEL: list(runs), LANGUAGE: codes})
    sources = list(dict.fromkeys(source for _, source in found.values()))
    named = "; ".join(f"{name}: {source}" for name, (_, source) in found.items()) if len(sources) > 1 else sources[0]
    return percent.where(percent > 0), named


def overall_table(found: Compared) -> pd.DataFrame:
    """A row per model and quantity: mean over languages and slope per tenfold share, each with its interval."""
    names = ["overall", "overall_low", "overall_high"]
    names += [f"share_slope{end}" for end in ("", "_low", "_high", "_p")]
    return found.results[names].to_dataframe()[names].reset_index().set_index(MODEL)


def differences_table(found: Compared) -> pd.DataFrame:
    """A row per pair of models and quantity: the first model minus the other, with its interval."""
    names = ["difference", "difference_low", "difference_high"]
    frame = found.results[names].to_dataframe()[names].reset_index()
    order = {name: k for k, name in enumerate(found.results[MODEL].values.tolist())}
    later = frame[MODEL].map(order).to_numpy() > frame[OTHER].map(order).to_numpy()
    return frame[later].set_index(MODEL)


def languages_table(found: Compared) -> pd.DataFrame:
    """A row per model, quantity and language, with its interval and the language's share of the pre-training data."""
    names = ["by_language", "by_language_low", "by_language_high"]
    frame = found.results[names].to_dataframe()[names].reset_index()
    share = found.shares.rename("share").to_series().rename_axis([MODEL, LANGUAGE])
    return frame.merge(share.reset_index(), on=[MODEL, LANGUAGE], how="left")


def slope_sentences(found: Compared) -> list[str]:
    """Per model, which quantities change with a language's share of the pre-training data."""
    return [_slopes(found, str(name)) for name in found.results[MODEL].values]


def _slopes(found: Compared, model: str) -> str:
    here = found.results.sel({MODEL: model})
    if not bool(here["share_slope"].notnull().any()):
        return f"{model}: too few languages with known and different shares to relate anything to them."
    parts = []
    for quantity in AXES:
        one = here.sel({QUANTITY: quantity})
        if np.isfinite(float(one["share_slope"])):
            factor, unit = (100, " points") if quantity in PERCENT else (1, "")
            ends = (factor * float(one[f"share_slope{end}"]) for end in ("", "_low", "_high"))
            slope, low, high = (typeset(f"{end:+.{1 if unit else 2}f}") for end in ends)
            p = float(one["share_slope_p"])
            parts.append(f"{quantity} {slope}{unit} (95 % interval {low} to {high}, p = {p:.3f})")
    return f"{model}, per tenfold share: {'; '.join(parts)}."
