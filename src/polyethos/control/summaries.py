"""From log-odds per item to rates, effects and how they stand beside their controls."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.control.comparison import bootstrap_interval, exceedance, holm, mcnemar

PLAIN, CONCEPT, RANDOM = "plain", "concept", "random"
_CELL = ("target", "condition", "kind")


def summarise(margins: xr.DataArray, *, seed: int = 0) -> xr.Dataset:
    """Everything reported of one value and source.

    Args:
        margins: log-odds of the outcome in nats (target, condition, kind, item), NaN where a target lacks an item; the
            coordinates `family` and `dose` run along condition.
        seed: of the bootstrap.

    Returns:
        (target, condition, kind) each: `rate`, share of items with the outcome; `effect`, mean change of the log-odds
        against the plain model, with `effect_low`, `effect_high` (95 %, items drawn with replacement); `turned_p`,
        exact McNemar test that as many items turn one way as the other, and `turned_p_holm`, corrected over targets;
        `random_p`, the chance of an effect as large from a random direction of equal norm (NaN for other doses than
        1). And (target, kind): `strongest_control`, the largest absolute effect among all controls.
    """
    margins = margins.transpose("target", "condition", "kind", "item")
    families = margins["family"].values
    plain = margins.isel(condition=int(np.flatnonzero(families == PLAIN)[0]))
    change = margins - plain
    result = xr.Dataset({"rate": _rate(margins), "effect": change.mean("item")})
    low, high, turned = _per_cell(margins, plain, change, seed)
    corrected = np.apply_along_axis(holm, 0, turned)
    for name, values in (
        ("effect_low", low),
        ("effect_high", high),
        ("turned_p", turned),
        ("turned_p_holm", corrected),
    ):
        result[name] = (_CELL, values)
    result["random_p"] = (_CELL, _random_p(result["effect"].values, families, margins["dose"].values))
    controls = ~np.isin(families, [PLAIN, CONCEPT])
    if controls.any():
        # Demonstrations in the prompt are a rival, not a null; they are shown but not counted here.
        nulls = controls & (families != "prompting")
        result["strongest_control"] = abs(result["effect"].isel(condition=nulls)).max("condition")
    return result


def _rate(margins: xr.DataArray) -> xr.DataArray:
    return (margins > 0).where(~np.isnan(margins)).mean("item")


def _per_cell(
    margins: xr.DataArray, plain: xr.DataArray, change: xr.DataArray, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    shape = tuple(margins.sizes[dim] for dim in _CELL)
    low, high, turned = (np.full(shape, np.nan) for _ in range(3))
    for target, condition, kind in np.ndindex(shape):
        items = change.values[target, condition, kind]
        known = ~np.isnan(items)
        if not known.any():
            continue
        low[target, condition, kind], high[target, condition, kind] = bootstrap_interval(items[known], seed=seed)
        before, after = plain.values[target, kind][known] > 0, margins.values[target, condition, kind][known] > 0
        turned[target, condition, kind] = mcnemar(before, after)
    return low, high, turned


def _random_p(
    effects: NDArray[np.float64], families: NDArray[np.str_], doses: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(target, condition, kind), from effects of the same shape."""
    result = np.full(effects.shape, np.nan)
    random = families == RANDOM
    comparable = np.flatnonzero((np.abs(doses) == 1) & ~random)
    if random.any():
        for target, kind in np.ndindex(effects.shape[0], effects.shape[2]):
            for condition in comparable:
                result[target, condition, kind] = exceedance(
                    effects[target, condition, kind], effects[target, random, kind]
                )
    return result
