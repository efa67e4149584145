"""What the results let one say: which accuracies differ from chance, how wide intervals are, means over groups."""

from __future__ import annotations

import xarray as xr

from polyethos.analysis.claims import matched_by_text
from polyethos.arrays import LANGUAGE, SOURCE, TARGET
from polyethos.presentation.labels import chance, high_resource

# Languages from which the quartiles of all of them are telling, and the part of them that can still stand apart.
_LEAST_LANGUAGES, _MOST_APART = 5, 1 / 3
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


def matched(results: xr.Dataset) -> int:
    """In how many combinations above chance the length of the sentences, or their words, do about as well."""
    return int(matched_by_text(results, above_chance(results)).sum()) if "recognition_excess_low" in results else 0


def mean_interval(results: xr.Dataset, name: str) -> tuple[float, float] | None:
    """95 % interval of the mean of `name` over everything, pairs of one language left out, from its bootstrap samples.

    Returns:
        None where the results hold no `name`_replicates.
    """
    if f"{name}_replicates" not in results:
        return None
    samples = results[f"{name}_replicates"]
    samples = pairs_apart(samples) if SOURCE in samples.dims else samples
    means = samples.mean([dim for dim in samples.dims if dim != "replicate"])
    low, high = means.quantile([0.025, 0.975])
    return float(low), float(high)


def by_language(matrix: xr.DataArray) -> xr.DataArray:
    """Mean of a square (source, target) over all pairs that each language is in, by language."""
    apart = pairs_apart(matrix)
    as_source, as_target = apart.rename({SOURCE: LANGUAGE}).mean(TARGET), apart.rename({TARGET: LANGUAGE}).mean(SOURCE)
    return (as_source + as_target) / 2


def standing_apart(matrix: xr.DataArray, *, least: float) -> list[str]:
    """Languages whose pairs come out far lower than those of the others: below Tukey's fence and by more than `least`.

    Args:
        matrix: (source, target).
        least: distance from the median of the languages up to which nobody stands apart, in the matrix's unit.

    Returns:
        Codes, lowest first; none where languages are too few to tell, or where too many stand apart to be exceptions.
    """
    found = by_language(matrix).dropna(LANGUAGE).sortby(by_language(matrix).dropna(LANGUAGE))
    if found.size < _LEAST_LANGUAGES:
        return []
    first, middle, third = (float(found.quantile(q)) for q in (0.25, 0.5, 0.75))
    fence = min(first - 1.5 * (third - first), middle - least)
    apart = [str(code) for code in found[LANGUAGE].values[found.values < fence]]
    return apart if len(apart) <= _MOST_APART * found.size else []


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
