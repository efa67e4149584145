"""What the results say of the concepts themselves: whether they exist, and whether languages share them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.presentation.evidence import LEVEL, below_chance, bounds, margin, pairs_apart
from polyethos.presentation.labels import chance, language_name, listed
from polyethos.presentation.questions import (
    HARDLY,
    Answer,
    answered,
    counted,
    counts,
    half_width,
    shown_cosine,
    shown_percent,
)


def existence(results: xr.Dataset) -> Answer:
    """Whether recognition accuracy is above chance, where it is best and where weakest."""
    accuracy = results["recognition"]
    measured, found = counts(results)
    share = found / measured if measured else 0.0
    verdict = "Yes" if share >= 0.9 else "Mostly" if share >= 0.6 else "In part" if share > HARDLY else "Hardly"
    per_language = accuracy.mean("value").dropna(LANGUAGE)
    best, worst = _extremes(per_language)
    sentence = (
        f"In {found} of {measured} combinations of value and language it tells the sentence that upholds the value "
        f"from the one that violates it better than guessing{_expected(results, measured)}: "
        f"{shown_percent(accuracy.mean())} right on average (guessing: {shown_percent(chance(results))}; one "
        f"combination is known to about ±{100 * margin(results):.0f} points); best in {best} "
        f"({shown_percent(per_language.max())}), weakest in {worst} ({shown_percent(per_language.min())})."
        f"{_controls(results)}"
    )
    return answered("existence", verdict, sentence, _existence_caution(results))


def consistency(results: xr.Dataset) -> Answer:
    """How similar the directions of two languages are, corrected for noise where the results allow."""
    corrected = "consistency" in results
    matrix = pairs_apart(results["consistency"].mean("value") if corrected else results["similarity"])
    mean = float(matrix.mean())
    verdict = "Largely" if mean >= 0.7 else "In part" if mean >= 0.3 else "Hardly"
    flat = matrix.stack(pair=(SOURCE, TARGET)).dropna("pair")
    if not flat.size:
        return answered("consistency", "Undecided", f"No pair of languages could be compared.{_undefined(results)}")
    closest, farthest = (_pair(flat.pair.values[int(at)]) for at in (flat.argmax("pair"), flat.argmin("pair")))
    what = "noise-corrected similarity" if corrected else "cosine similarity"
    extremes = (
        f"most alike: {closest} ({shown_cosine(flat.max())}), least alike: {farthest} ({shown_cosine(flat.min())})"
    )
    sentence = (
        f"The concept vectors of two languages have a mean {what} of {shown_cosine(mean)}{_spread(results, corrected)} "
        f"(1 = the same direction, 0 = unrelated); {extremes}."
        f"{_beside(results)}{_undefined(results)}"
    )
    caution = "" if corrected else (
        "Raw cosines are pulled towards 0 by estimation noise: few items or weak recognition alone make languages "
        "look different."
    )  # fmt: skip
    return answered("consistency", verdict, sentence, caution)


def _controls(results: xr.Dataset) -> str:
    """What gets some of it right without any concept."""
    if "control_accuracy" not in results:
        return ""
    mean = results["control_accuracy"].mean([VALUE, LANGUAGE])
    rows = [f"{name} {shown_percent(mean.sel(control=name))}" for name in mean["control"].values]
    return f" For comparison, on the same pairs: {listed(rows)}."


def _beside(results: xr.Dataset) -> str:
    """The same similarity computed in other ways, and how much of a vector is signal."""
    ways = {"consistency_raw": "raw cosine", "consistency_whitened": "noise-corrected after whitening"}
    means = {name: float(pairs_apart(results[name]).mean()) for name in ways if name in results}
    parts = [f"{ways[name]} {shown_cosine(mean)}" for name, mean in means.items() if np.isfinite(mean)]
    if "reliability" in results and "consistency_layer" in results:
        reliable = results["reliability"].sel({LAYER: results["consistency_layer"]})
        low, mean = shown_percent(reliable.min()), shown_percent(reliable.mean())
        parts.append(f"reliability of the vectors {mean} (lowest {low})")
    return f" Beside it: {listed(parts)}." if parts else ""


def _undefined(results: xr.Dataset) -> str:
    """How many directions are too noisy to compare."""
    if "direction_defined" not in results:
        return ""
    defined = results["direction_defined"]
    missing = int((defined == 0).sum())
    return f" Undefined, since not told apart from noise: {missing} of {defined.size} vectors." if missing else ""


def _existence_caution(results: xr.Dataset) -> str:
    if results.attrs.get("protocol") == "paper":
        return (
            "In the paper protocol the layer is chosen on the test pairs themselves; with some 30 layers, guessing "
            "alone then reaches 56 to 60 %."
        )
    below = int(below_chance(results).sum())
    if "recognition_p" not in results and below > 2 * LEVEL * counts(results)[0]:
        return (
            f"{counted(below, 'combination')} lie as far below guessing, which no concept explains: items here "
            "resemble one another, so that chance swings more widely than their number says, upwards too."
        )
    return ""


def _spread(results: xr.Dataset, corrected: bool) -> str:
    interval = bounds(results, "consistency" if corrected else "similarity")
    return f", each known to about ±{half_width(*interval):.2f}" if interval else ""


def _extremes(per_language: xr.DataArray) -> tuple[str, str]:
    if not per_language.size:
        return "no language", "no language"
    codes = per_language[LANGUAGE].values
    return language_name(str(codes[int(per_language.argmax(LANGUAGE))])), language_name(
        str(codes[int(per_language.argmin(LANGUAGE))])
    )


def _pair(codes: tuple[str, str]) -> str:
    return f"{language_name(str(codes[0]))} and {language_name(str(codes[1]))}"


def _expected(results: xr.Dataset, measured: int) -> str:
    """How many combinations guessing would put above chance, or that the tests of the results account for it."""
    if "recognition_p_family" in results:
        return f" (at 5 %, corrected for asking {measured} times)"
    return "" if "recognition_p" in results else f" (guessing alone would reach about {LEVEL * measured:.0f})"
