"""From log-odds per item to rates, changes, effects, and how they stand beside their controls."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.control.comparison import exceedance, familywise_exceedance, group_intervals, holm, mcnemar

PLAIN, CONCEPT, RANDOM = "plain", "concept", "random"
CONTROLS = ("random", "shuffled", "other value")
_CELL = ("target", "condition", "kind")
_HEADLINE = ("target", "kind")


def summarise(margins: xr.DataArray, *, seed: int = 0) -> xr.Dataset:
    """Everything reported of one value and source.

    Args:
        margins: log-odds of the outcome in nats (target, condition, kind, item), NaN where a target lacks an item; the
            coordinates `family`, `operator` and `dose` run along condition, `group` along item.
        seed: of the bootstrap.

    Returns:
        By target, condition and kind: `rate`, share of items with the outcome; `change`, mean change of the log-odds
        against the plain model, with `change_low` and `change_high` (95 %, whole groups of items drawn with
        replacement); `change_p`, the rank among random directions at the same dose, and `change_control`, the largest
        absolute change of any control at the same absolute dose; `turned_p`, exact McNemar test that as many items
        turn one way as the other, and `turned_p_holm`, corrected over targets.

        By target and kind: `effect`, half the difference between steering up and down at dose 1, with `effect_low`,
        `effect_high`; `effect_p`, its rank among random directions, and `effect_p_family`, the same against the
        largest over all targets; `effect_control` and `effect_random`, the largest absolute effect of any control and
        of random directions; `beyond`, 1 where the effect is above 0 beyond its interval and above every control;
        `items` and `groups`, counts.
    """
    margins = margins.transpose(*_CELL, "item")
    change = (margins - margins.isel(condition=_where(margins, PLAIN)[0])).drop_vars("condition", errors="ignore")
    change = change.assign_coords({name: margins[name] for name in ("condition", "family", "operator", "dose")})
    known = margins.notnull()
    result = xr.Dataset({"rate": (margins > 0).where(known).mean("item"), "change": change.mean("item")})
    result = result.merge(_changes(change, seed)).merge(_turned(margins)).merge(_effects(change, seed))
    groups = margins["group"].values
    plain = known.isel(condition=_where(margins, PLAIN)[0]).values
    result["items"] = (_HEADLINE, plain.sum(axis=-1).astype(float))
    counted = [[_distinct(groups, row) for row in rows] for rows in plain]
    result["groups"] = (_HEADLINE, np.array(counted, dtype=float))
    return result


def _distinct(groups: NDArray[np.str_], known: NDArray[np.bool_]) -> int:
    alone = int(np.sum(known & (groups == "")))
    return alone + len(set(groups[known & (groups != "")].tolist()))


def _where(table: xr.DataArray, *families: str, dose: float | None = None) -> list[int]:
    chosen = np.isin(table["family"].values, families)
    if dose is not None:
        chosen &= (table["dose"].values == dose) & (table["operator"].values == "add")
    return [int(place) for place in np.flatnonzero(chosen)]


def _changes(change: xr.DataArray, seed: int) -> xr.Dataset:
    """Intervals, ranks among random directions, and the largest control, of every condition."""
    low, high = group_intervals(change.values, change["group"].values.tolist(), seed=seed)
    means = change.mean("item").values
    ranks, largest = (np.full(means.shape, np.nan) for _ in range(2))
    for place, dose in enumerate(change["dose"].values):
        null = _where(change, RANDOM, dose=float(dose))
        if dose and place not in null:
            ranks[:, place] = exceedance(means[:, place], means[:, null].swapaxes(0, 1))
        controls = _where(change, *CONTROLS, dose=float(dose)) + _where(change, *CONTROLS, dose=-float(dose))
        if dose and controls:
            largest[:, place] = np.abs(means[:, controls]).max(axis=1)
    return xr.Dataset(
        {
            "change_low": (_CELL, low),
            "change_high": (_CELL, high),
            "change_p": (_CELL, ranks),
            "change_control": (_CELL, largest),
        }
    )


def _turned(margins: xr.DataArray) -> xr.Dataset:
    p_values = np.full([margins.sizes[dim] for dim in _CELL], np.nan)
    plain = margins.values[:, _where(margins, PLAIN)[0]]
    for target, condition, kind in np.ndindex(p_values.shape):
        after = margins.values[target, condition, kind]
        known = ~np.isnan(after)
        if known.any():
            p_values[target, condition, kind] = mcnemar(plain[target, kind][known] > 0, after[known] > 0)
    corrected = np.apply_along_axis(holm, 0, p_values)
    return xr.Dataset({"turned_p": (_CELL, p_values), "turned_p_holm": (_CELL, corrected)})


def _effects(change: xr.DataArray, seed: int) -> xr.Dataset:
    """Steering up against steering down at dose 1, of the concept and of every control."""
    (effect,) = _contrasts(change, CONCEPT)
    low, high = group_intervals(effect, change["group"].values.tolist(), seed=seed)
    mean = np.nanmean(effect, axis=-1)
    random = np.nanmean(_contrasts(change, RANDOM), axis=-1)
    nulls = np.abs(np.nanmean(_contrasts(change, *CONTROLS), axis=-1))
    largest = nulls.max(axis=0) if len(nulls) else np.full(mean.shape, np.nan)
    family = np.stack([familywise_exceedance(mean[:, k], random[:, :, k]) for k in range(mean.shape[1])], axis=-1)
    beyond = np.where(np.isnan(mean) | np.isnan(largest), np.nan, (mean > largest) & (low > 0))
    columns = {
        "effect": mean,
        "effect_low": low,
        "effect_high": high,
        "effect_p": exceedance(mean, random),
        "effect_p_family": family,
        "effect_control": largest,
        "effect_random": np.abs(random).max(axis=0) if len(random) else np.full(mean.shape, np.nan),
        "beyond": beyond,
    }
    return xr.Dataset({name: (_HEADLINE, values) for name, values in columns.items()})


def _contrasts(change: xr.DataArray, *families: str) -> NDArray[np.float64]:
    """Half of dose 1 minus dose -1 of every direction of these families (direction, target, kind, item)."""
    up, down = (change.values[:, _where(change, *families, dose=dose)] for dose in (1.0, -1.0))
    return np.asarray((up - down).swapaxes(0, 1) / 2)
