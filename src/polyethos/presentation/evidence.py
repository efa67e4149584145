"""What the results let one say: which accuracies differ from chance, how wide intervals are, means over groups."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.arrays import SOURCE, TARGET
from polyethos.presentation.labels import chance, high_resource

# Standard normal quantile of a one-sided 5 % test.
_ONE_SIDED = 1.645
LEVEL = 0.05


def bounds(results: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Interval of the variable `name`: its `_low` and `_high`, or None where the results have none."""
    if f"{name}_low" in results and f"{name}_high" in results:
        return results[f"{name}_low"], results[f"{name}_high"]
    return None


def above_chance(results: xr.Dataset) -> xr.DataArray:
    """Which recognition accuracies are told apart from chance at 5 %, one-sided.

    Returns:
        bool (value, language), by `recognition_p_family`, corrected for testing all of them, or `recognition_p` where
        the results have them, else by whether the interval lies above chance, else by the normal approximation to
        guessing `n_groups` independent groups of items, or `n_items` pairs where groups are not counted. False where
        nothing was measured.
    """
    accuracy = results["recognition"]
    for name in ("recognition_p_family", "recognition_p"):
        if name in results:
            return (results[name] <= LEVEL) & (accuracy > chance(results))
    if interval := bounds(results, "recognition"):
        return interval[0] > chance(results)
    return accuracy > chance(results) + _ONE_SIDED * _guessing_error(results)


def below_chance(results: xr.Dataset) -> xr.DataArray:
    """Which recognition accuracies are as far below chance as `above_chance` asks for above it, by the same counts.

    A concept vector does not point the wrong way on new items, so many of these mean that items resemble one another
    and chance swings more than their number says.
    """
    return results["recognition"] < chance(results) - _ONE_SIDED * _guessing_error(results)


def margin(results: xr.Dataset) -> float:
    """Typical half-width of a 95 % interval of one recognition accuracy (median over values and languages)."""
    if interval := bounds(results, "recognition"):
        return float(((interval[1] - interval[0]) / 2).median())
    accuracy = results["recognition"]
    return 1.96 * float(((accuracy * (1 - accuracy) / _units(results)) ** 0.5).median())


def pairs_apart(matrix: xr.DataArray) -> xr.DataArray:
    """`matrix` (..., source, target) with NaN where source and target are the same language."""
    return matrix.where(matrix[SOURCE] != matrix[TARGET])


def gain_between(results: xr.Dataset) -> tuple[float, float]:
    """Mean transfer gain from high-resource to other languages, and from those to high-resource ones.

    Returns:
        Two differences of accuracy; NaN where there are no such pairs.
    """
    high = high_resource(results)
    gain = results["transfer_gain"]
    from_high, to_high = gain[SOURCE].isin(high), gain[TARGET].isin(high)
    return float(gain.where(from_high & ~to_high).mean()), float(gain.where(~from_high & to_high).mean())


def _guessing_error(results: xr.Dataset) -> xr.DataArray:
    return (chance(results) * (1 - chance(results)) / _units(results)) ** 0.5


def _units(results: xr.Dataset) -> xr.DataArray:
    return results["n_groups"] if "n_groups" in results else results["n_items"]


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values corrected for their number. Source: Holm 1979."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty_like(stepped)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
