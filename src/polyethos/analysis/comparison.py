"""Several models on the same items: what differs between them, and what goes with a language's pre-training share.

Bootstrap samples draw the same items for every model, so that differences between models are those of the models and
not of the items, and their intervals are as narrow as the data allow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.one_way import average
from polyethos.analysis.resampling import percentile_interval
from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE, require_dims
from polyethos.errors import DataError, LabelMismatchError

Array = NDArray[np.float64]

MODEL, OTHER, QUANTITY = "model", "other", "quantity"

QUANTITIES = ("recognition", "consistency", "excess as source", "excess as target")
"""Mean over values of the accuracy of the language's own vector; noise-corrected similarity to the other languages;
adjusted transfer excess from and to the other languages, in probits."""

_LEAST_LANGUAGES = 4


def compare(
    models: Mapping[str, xr.Dataset], *, shares: xr.DataArray | None = None, permutations: int = 2_000, seed: int = 0
) -> xr.Dataset:
    """The same quantities in several models, their differences, and their slope on pre-training share.

    Args:
        models: results of `corrected_statistics` per model, with `resampling_key` (value), equal where the bootstrap
            drew the same items.
        shares: pre-training share (model, language) in any unit, NaN where not published.
        permutations: of the shares among languages.
        seed: of those.

    Returns:
        `by_language` (model, quantity, language), over the languages all models have, and only the pairs of languages
        that are defined in all of them; `overall` (model, quantity), its mean over languages; `difference` (model,
        other, quantity), the first minus the second; `share_slope` (model, quantity), change per tenfold share, with
        `share_slope_p`, two-sided, by permuting whole languages. All with `_low` and `_high`, 95 % by the item
        bootstrap: they hold for these languages, and say nothing on others.

    Raises:
        DataError: no model.
        LabelMismatchError: models with other values, with bootstrap samples of other items, or that share no language.
    """
    if not models:
        raise DataError("models: none; give at least one result of the corrected protocol")
    _require_alike(models)
    names = list(models)
    codes = [c for c in _codes(models[names[0]]) if all(c in _codes(result) for result in models.values())]
    if not codes:
        raise LabelMismatchError("models: no language that all of them have; nothing can be compared")
    # (model, replicate, quantity, language), the estimate itself as replicate 0
    stacked = np.stack([_quantities(result) for result in _same_pairs(models, codes)])
    overall = average(np.moveaxis(stacked, -1, 0))
    coords = {MODEL: names, OTHER: names, QUANTITY: list(QUANTITIES), LANGUAGE: codes}
    variables = _with_interval("by_language", (MODEL, QUANTITY, LANGUAGE), stacked.swapaxes(0, 1))
    variables |= _with_interval("overall", (MODEL, QUANTITY), overall.swapaxes(0, 1))
    between = overall[:, None] - overall[None]
    variables |= _with_interval("difference", (MODEL, OTHER, QUANTITY), np.moveaxis(between, 2, 0))
    if shares is not None:
        require_dims(shares, MODEL, LANGUAGE, name="shares")
        logs = np.log10(shares.sel({MODEL: names, LANGUAGE: codes}).values.astype(np.float64))
        variables |= _slopes(stacked, logs, permutations, seed)
    return xr.Dataset(variables, coords=coords)


_Variables = dict[str, tuple[tuple[str, ...], Array]]


def _require_alike(models: Mapping[str, xr.Dataset]) -> None:
    first_name, first = next(iter(models.items()))
    for name, result in models.items():
        for dim, found, expected in (
            ("values", result[VALUE].values.tolist(), first[VALUE].values.tolist()),
            ("bootstrap samples", result["resampling_key"].values.tolist(), first["resampling_key"].values.tolist()),
        ):
            if found != expected:
                raise LabelMismatchError(
                    f"models: {name} has {dim} {found} and {first_name} {expected}; study them on the same "
                    "data with the same seed, folds and replicates"
                )


def _codes(result: xr.Dataset) -> list[str]:
    return [str(code) for code in result[LANGUAGE].values]


def _same_pairs(models: Mapping[str, xr.Dataset], codes: list[str]) -> list[xr.Dataset]:
    """Each result, with the pairs of languages undefined that are undefined in any."""
    pair = {SOURCE: codes, TARGET: codes}
    results = [result.sel({LANGUAGE: codes} | pair) for result in models.values()]
    different = xr.DataArray(~np.eye(len(codes), dtype=bool), dims=(SOURCE, TARGET), coords=pair)
    for name in ("similarity_corrected", "transfer_excess"):
        known = different
        for result in results:
            known = known & result[name].notnull()
        names = [name, f"{name}_replicates"]
        results = [result.assign(result[names].where(known)) for result in results]
    return results


def _quantities(result: xr.Dataset) -> Array:
    """(1 + replicate, quantity, language)."""
    recognition = _stacked(result["recognition"].mean(VALUE), result["recognition_replicates"].mean(VALUE))
    similar = _stacked(result["similarity_corrected"], result["similarity_corrected_replicates"])
    excess = _stacked(result["transfer_excess"], result["transfer_excess_replicates"])
    over_targets, over_sources = (average(np.moveaxis(excess, axis, 0)) for axis in (-1, -2))
    return np.stack([recognition, average(np.moveaxis(similar, -1, 0)), over_targets, over_sources], axis=1)


def _stacked(estimate: xr.DataArray, replicates: xr.DataArray) -> Array:
    """The estimate and then its bootstrap samples, (1 + replicate, ...)."""
    ordered = replicates.transpose("replicate", *estimate.dims).values.astype(np.float64)
    return np.concatenate([estimate.values[None].astype(np.float64), ordered])


def _with_interval(name: str, dims: tuple[str, ...], stacked: Array) -> _Variables:
    """Estimate and interval from (1 + replicate, ...)."""
    low, high = percentile_interval(stacked[1:])
    return {name: (dims, stacked[0]), f"{name}_low": (dims, low), f"{name}_high": (dims, high)}


def _slopes(stacked: Array, logs: Array, permutations: int, seed: int) -> _Variables:
    """Slopes on log shares: (model, quantity)."""
    found = np.full((*stacked.shape[:3],), np.nan)
    p = np.full((len(stacked), stacked.shape[2]), np.nan)
    random = np.random.default_rng(seed)
    for m, of_model in enumerate(stacked):
        for q in range(of_model.shape[1]):
            known = np.isfinite(logs[m]) & np.isfinite(of_model[0, q])
            if known.sum() >= _LEAST_LANGUAGES and np.ptp(logs[m, known]) > 0:
                centred = logs[m, known] - logs[m, known].mean()
                found[m, :, q] = of_model[:, q, known] @ centred / (centred @ centred)
                orders = random.permuted(np.tile(centred, (permutations, 1)), axis=1)
                drawn = orders @ of_model[0, q, known] / (centred @ centred)
                p[m, q] = (1 + np.sum(np.abs(drawn) >= abs(found[m, 0, q]) - 1e-12)) / (1 + permutations)
    variables = _with_interval("share_slope", (MODEL, QUANTITY), found.swapaxes(0, 1))
    return variables | {"share_slope_p": ((MODEL, QUANTITY), p)}
