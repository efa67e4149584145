"""One square or table of numbers out of a study's results, chosen by value, layer, number and order of languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.errors import LabelMismatchError, UnknownLanguageError, UnknownNameError, UnknownValueError
from polyethos.presentation.labels import by_share, languages, value_name, values
from polyethos.presentation.report_data import by_family, by_similarity

Kind = Literal["recognition", "similarity", "transfer"]
Unit = Literal["accuracy", "cosine", "gain"]
MEAN = "mean"
ORDERS = {"share": by_share, "family": by_family, "similarity": by_similarity}
_PAIR = (SOURCE, TARGET)
# The numbers that a view can show, the default first.
MEASURES: dict[str, tuple[str, ...]] = {
    "recognition": ("accuracy",),
    "similarity": ("corrected", "raw"),
    "transfer": ("gain", "accuracy"),
}


@dataclass(frozen=True)
class View:
    """A table of numbers ready to be drawn.

    Attributes:
        kind: what is shown.
        frame: rows are languages (for pairs: sources), columns values or target languages, codes and names as labels;
            NaN where nothing was measured.
        unit: "accuracy" is a fraction (chance 0.5), "gain" a difference of accuracies, "cosine" between -1 and 1.
        what: the number in words.
        where: value and layer in words.
        low, high: ends of the 95 % intervals, where the results have them for this view.
        items: number of pairs behind each column's or target's numbers, where known.
    """

    kind: Kind
    frame: pd.DataFrame
    unit: Unit
    what: str
    where: str
    low: pd.DataFrame | None = None
    high: pd.DataFrame | None = None
    items: pd.DataFrame | None = None


def view(
    results: xr.Dataset,
    kind: Kind,
    *,
    value: str | None = None,
    layer: int | None = None,
    measure: str | None = None,
    languages: Sequence[str] | None = None,
    order: str = "share",
) -> View:
    """Choose the numbers of one figure.

    Args:
        results: of one model.
        kind: "recognition", "similarity" or "transfer".
        value: one value; None for all (recognition) or their mean (pairs of languages).
        layer: a layer, 1..L; None for the layers chosen in training.
        measure: for similarity "corrected" (for noise) or "raw", for transfer "gain" or "accuracy"; None for the
            first of these that the results have.
        languages: codes, in this order; None for all.
        order: of all languages: by pre-training "share", "family" or "similarity" of their vectors.

    Raises:
        UnknownNameError: there is no such kind, measure, order, value, layer or language.
        LabelMismatchError: the results lack what the view shows.
    """
    if kind not in MEASURES:
        raise UnknownNameError.of("figure", kind, MEASURES)
    codes = _codes(results, languages, order)
    if value is not None and value not in values(results):
        raise UnknownValueError.of("value", value, values(results), "results")
    if layer is not None and layer not in _layers(results):
        raise UnknownNameError(f"no layer {layer}; these results have {_spelled(_layers(results))}")
    measure = _measure(results, kind, measure, layer)
    chosen = {"recognition": _recognition, "similarity": _similarity, "transfer": _transfer}[kind]
    view = chosen(results, value, layer, measure)
    columns = codes if kind != "recognition" else list(view.frame.columns)
    return _ordered(view, codes, columns)


def measures(results: xr.Dataset, kind: Kind) -> tuple[str, ...]:
    """The numbers of `kind` that these results hold, the default first; empty if none."""
    needs = {
        "accuracy": ("recognition",) if kind == "recognition" else ("transfer_accuracy",),
        "corrected": ("consistency",),
        "raw": ("similarity",),
        "gain": ("transfer_gain",),
    }
    return tuple(name for name in MEASURES[kind] if all(need in results for need in needs[name]))


def has_layers(results: xr.Dataset, kind: Kind) -> bool:
    """Whether the results hold what `kind` shows layer by layer."""
    return ("cosine" if kind == "similarity" else "accuracy") in results


def _codes(results: xr.Dataset, chosen: Sequence[str] | None, order: str) -> list[str]:
    if order not in ORDERS:
        raise UnknownNameError.of("order of languages", order, ORDERS)
    if chosen is None:
        return ORDERS[order](results)
    known = languages(results)
    for code in [chosen] if isinstance(chosen, str) else chosen:
        if code not in known:
            raise UnknownLanguageError.of("language", code, known, "results")
    return [chosen] if isinstance(chosen, str) else list(dict.fromkeys(chosen))


def _layers(results: xr.Dataset) -> list[int]:
    return [int(layer) for layer in results[LAYER].values] if LAYER in results.coords else []


def _spelled(layers: Sequence[int]) -> str:
    return f"layers {layers[0]} to {layers[-1]}" if layers else "no layers"


def _measure(results: xr.Dataset, kind: Kind, measure: str | None, layer: int | None) -> str:
    known = measures(results, kind)
    if measure is not None and measure not in MEASURES[kind]:
        raise UnknownNameError.of(f"number for {kind}", measure, MEASURES[kind])
    if not known or (measure is not None and measure not in known):
        raise LabelMismatchError(f"these results hold no {measure or 'numbers'} for {kind}")
    if layer is not None and not has_layers(results, kind):
        raise LabelMismatchError(f"these results hold nothing layer by layer for {kind}; leave out the layer")
    return measure or known[0]


def _recognition(results: xr.Dataset, value: str | None, layer: int | None, _measure: str) -> View:
    if layer is None:
        number = results["recognition"]
    else:
        square = results["accuracy"].sel({LAYER: layer})
        number = xr.concat(
            [square.sel({SOURCE: code, TARGET: code}, drop=True) for code in languages(results)],
            pd.Index(languages(results), name=LANGUAGE),
        )
    shown = values(results) if value is None else [value]
    frame = _frame(number, LANGUAGE, VALUE)[shown]
    low, high = (
        (None, None) if layer else (_optional(results, f"recognition_{end}", LANGUAGE) for end in ("low", "high"))
    )
    if value is None:
        frame = frame.assign(**{MEAN: frame.mean(axis=1)})
    what = "pairs recognised by the language's own vector"
    return View("recognition", frame, "accuracy", what, _where(value, layer, "every value"), low, high, _items(results))


def _similarity(results: xr.Dataset, value: str | None, layer: int | None, measure: str) -> View:
    """Noise-corrected similarities are known for the chosen layer, and in some results for every layer."""
    corrected = measure == "corrected" and (layer is None or "consistency_by_layer" in results)
    low = high = None
    if layer is not None:
        number = _over_values(results["consistency_by_layer" if corrected else "cosine"].sel({LAYER: layer}), value)
    elif not corrected:
        number = results["similarity"] if value is None else _over_values(results["similarity_by_value"], value)
    elif value is None and "similarity_corrected" in results:
        number = results["similarity_corrected"]
        low, high = (_optional(results, f"similarity_corrected_{end}", SOURCE) for end in ("low", "high"))
    else:
        number = _over_values(results["consistency"], value)
        if value is not None:
            low, high = (_optional(results, f"consistency_{end}", SOURCE, value) for end in ("low", "high"))
    what = "similarity of concept vectors, corrected for noise" if corrected else "cosine of concept vectors"
    return View("similarity", _frame(number, *_PAIR), "cosine", what, _where(value, layer), low, high)


def _transfer(results: xr.Dataset, value: str | None, layer: int | None, measure: str) -> View:
    low = high = None
    if measure == "gain" and value is None and layer is None:
        number = results["transfer_gain"]
        low, high = (_optional(results, f"transfer_gain_{end}", SOURCE) for end in ("low", "high"))
    else:
        accuracy = results["transfer_accuracy"] if layer is None else results["accuracy"].sel({LAYER: layer})
        own = accuracy.where(accuracy[SOURCE] == accuracy[TARGET]).mean(SOURCE)
        number = _over_values(accuracy - own if measure == "gain" else accuracy, value)
        if measure == "accuracy" and layer is None and value is not None:
            low, high = (_optional(results, f"transfer_accuracy_{end}", SOURCE, value) for end in ("low", "high"))
    what = "gain over the target's own vector" if measure == "gain" else "pairs recognised by the source's vector"
    unit: Unit = "gain" if measure == "gain" else "accuracy"
    items = _items(results)
    if items is not None:
        counts = items[value] if value is not None else items.sum(axis=1)
        items = pd.DataFrame([counts] * number.sizes[SOURCE], index=pd.Index(number[SOURCE].values, name=SOURCE))
    return View("transfer", _frame(number, *_PAIR), unit, what, _where(value, layer), low, high, items)


def _over_values(array: xr.DataArray, value: str | None) -> xr.DataArray:
    return array.mean(VALUE) if value is None else array.sel({VALUE: value}, drop=True)


def _where(value: str | None, layer: int | None, every: str = "mean over values") -> str:
    words = every if value is None else value_name(value)
    return f"{words}, {'layer chosen in training' if layer is None else f'layer {layer}'}"


def _items(results: xr.Dataset) -> pd.DataFrame | None:
    return _frame(results["n_items"], LANGUAGE, VALUE) if "n_items" in results else None


def _optional(results: xr.Dataset, name: str, rows: str, value: str | None = None) -> pd.DataFrame | None:
    if name not in results:
        return None
    array = results[name] if value is None else results[name].sel({VALUE: value}, drop=True)
    return _frame(array, rows, TARGET if rows == SOURCE else VALUE)


def _frame(array: xr.DataArray, rows: str, columns: str) -> pd.DataFrame:
    array = array.transpose(rows, columns)
    labels = [pd.Index([str(label) for label in array[dim].values], name=dim) for dim in (rows, columns)]
    return pd.DataFrame(array.values.astype(float), index=labels[0], columns=labels[1])


def _ordered(view: View, rows: Sequence[str], columns: Sequence[str]) -> View:
    changes: dict[str, Any] = {}
    for name in ("frame", "low", "high", "items"):
        if (frame := getattr(view, name)) is not None:
            changes[name] = frame.reindex(index=list(rows), columns=list(columns))
    return replace(view, **changes)


def differences(first: View, second: View) -> View:
    """The second view minus the first, where both have rows and columns; intervals and counts are left out."""
    rows = [code for code in first.frame.index if code in second.frame.index]
    columns = [label for label in first.frame.columns if label in second.frame.columns]
    gap = second.frame.loc[rows, columns] - first.frame.loc[rows, columns]
    unit: Unit = "cosine" if first.unit == "cosine" else "gain"
    return replace(first, frame=gap, unit=unit, what=f"difference of: {first.what}", low=None, high=None, items=None)


def mean_apart(view: View) -> float:
    """Mean over all cells, for pairs of languages over pairs of two different ones; NaN if there are none."""
    numbers = view.frame.to_numpy(float).copy()
    if view.kind != "recognition":
        same = np.equal.outer(view.frame.index.to_numpy(), view.frame.columns.to_numpy())
        numbers[same] = np.nan
    elif MEAN in view.frame.columns:
        numbers = view.frame.drop(columns=MEAN).to_numpy(float)
    return float(np.nanmean(numbers)) if np.isfinite(numbers).any() else float("nan")
