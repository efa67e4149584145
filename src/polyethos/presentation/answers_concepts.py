"""What the results say of the concepts themselves: whether they exist, and whether languages share them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.arrays import LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.presentation.evidence import (
    LEVEL,
    below_chance,
    bounds,
    by_language,
    margin,
    matched,
    mean_interval,
    pairs_apart,
    standing_apart,
)
from polyethos.presentation.labels import chance, language_name, listed, value_name
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
from polyethos.presentation.sample import few_items, sample

# Part of the combinations above chance up to which the words' doing as well is no reservation.
_FEW = 0.05
# Accuracy of a random direction from which it tells something of the model.
_TELLING = 0.65
# Similarity by which a language stands apart from the middle one.
_STANDS_APART = 0.15
# Cells that a sentence names rather than counts.
_NAMED = 4
_RANDOM = "random direction"
_BEST_NAMED = 6
_CONTROLS = {
    _RANDOM: "a random direction, its sign chosen on the training pairs,",
    "shuffled labels": "labels shuffled",
    "length": "sentence length alone",
    "words": "word counts alone",
    "untrained model": "the same model untrained",
}


def existence(results: xr.Dataset) -> Answer:
    """Whether recognition accuracy is above chance, where it is best and where weakest."""
    accuracy = results["recognition"]
    measured, found = counts(results)
    share = found / measured if measured else 0.0
    verdict = "Yes" if share >= 0.9 else "Mostly" if share >= 0.6 else "In part" if share > HARDLY else "Hardly"
    alike = matched(results)
    if alike > _FEW * found:
        verdict += ", with a reservation"
    if too_few := few_items(results):
        verdict = "Undecided"
    reservation = f"; in {alike} of those {found}, sentence length or the words alone do about as well" if alike else ""
    per_language = accuracy.mean("value").dropna(LANGUAGE)
    sentence = (
        f"In {found} of {measured} combinations of value and language it tells the sentence that upholds the value "
        f"from the one that violates it better than guessing{_expected(results, measured)}{reservation}. "
        f"{_mean_right(results)}{_extremes(per_language)}."
    )
    caution = too_few or _existence_caution(results)
    return answered("existence", verdict, sentence, caution, details=[_one_combination(results), *_controls(results)])


def _mean_right(results: xr.Dataset) -> str:
    guessing = f"guessing: {shown_percent(chance(results))}{_random(results)}"
    mean = 100 * float(results["recognition"].mean())
    interval = mean_interval(results, "recognition")
    if interval is None:
        return f"{mean:.0f} % right on average ({guessing})"
    low, high = (100 * end for end in interval)
    return f"{mean:.1f} % right on average (95 % interval {low:.1f} % to {high:.1f} %; {guessing})"


def _random(results: xr.Dataset) -> str:
    """What a random direction gets right, the strongest thing to compare with, where it tells more than guessing."""
    if "control_accuracy" not in results or _RANDOM not in results["control"].values:
        return ""
    mean = results["control_accuracy"].sel(control=_RANDOM).mean()
    return f"; {_CONTROLS[_RANDOM]} {shown_percent(mean)}" if float(mean) >= _TELLING else ""


def _one_combination(results: xr.Dataset) -> str:
    """What one number rests on and how well it is known; the paper's best layer has no interval."""
    known = 100 * margin(results)
    if results.attrs.get("protocol") == "paper" or not known >= 0.5:
        return ""
    return f"One combination is known to about ±{known:.0f} points: it rests on {sample(results)}."


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
    sentence = (
        f"The concept vectors of two languages have a mean {what} of {shown_cosine(mean)} ({_mean_known(results)}1 = "
        f"the same direction, 0 = unrelated){_spread(results, corrected)}; most alike: {closest} "
        f"({shown_cosine(flat.max())}), least alike: {farthest} ({shown_cosine(flat.min())}).{_apart(matrix)}"
    )
    caution = "" if corrected else (
        "Raw cosines are pulled towards 0 by estimation noise: few items or weak recognition alone make languages "
        "look different."
    )  # fmt: skip
    details = [_whitened(results), _raw(results), _undefined(results)]
    return answered("consistency", verdict, sentence, caution, details=details)


def _controls(results: xr.Dataset) -> list[str]:
    """What gets some of it right without any concept, and what a high number of these means."""
    if "control_accuracy" not in results:
        return []
    mean = results["control_accuracy"].mean([VALUE, LANGUAGE])
    names = [str(name) for name in mean["control"].values]
    rows = [f"{_CONTROLS.get(name, name)} {shown_percent(mean.sel(control=name))}" for name in names]
    told = [f"For comparison, on the same pairs: {'; '.join(rows)}."]
    random = float(mean.sel(control=_RANDOM)) if _RANDOM in names else chance(results)
    if random >= _TELLING:
        told.append(
            f"{shown_percent(random)} for a random direction means that many directions in this model separate these "
            "pairs: what counts is how far the concept vector exceeds it."
        )
    return told


def _apart(matrix: xr.DataArray) -> str:
    """Which languages have vectors unlike all others, where some have."""
    apart = standing_apart(matrix, least=_STANDS_APART)
    if not apart:
        return ""
    others = [str(code) for code in matrix[SOURCE].values if str(code) not in apart]
    rest = float(pairs_apart(matrix).sel({SOURCE: others, TARGET: others}).mean())
    theirs = (f"{language_name(code)} {shown_cosine(by_language(matrix).sel({LANGUAGE: code}))}" for code in apart)
    return (
        f" {listed(theirs)} on average {'stand' if len(apart) > 1 else 'stands'} apart; the other {len(others)} "
        f"languages have {shown_cosine(rest)} among themselves."
    )


def _whitened(results: xr.Dataset) -> str:
    """What is left without the directions in which all differences vary."""
    if "consistency_whitened" not in results or "consistency" not in results:
        return ""
    mean, white = (float(pairs_apart(results[name]).mean()) for name in ("consistency", "consistency_whitened"))
    if not np.isfinite(white):
        return ""
    much = white < mean / 2
    return (
        f"With the directions in which all differences vary taken out (whitened) it is {'only ' if much else ''}"
        f"{shown_cosine(white)}"
        + (": much of the likeness is common to everything that varies between these sentences." if much else ".")
    )


def _raw(results: xr.Dataset) -> str:
    """The cosine with its noise, of the same pairs, and how much of a vector is signal."""
    parts = []
    if "consistency_raw" in results and "consistency" in results:
        raw = pairs_apart(results["consistency_raw"]).where(pairs_apart(results["consistency"]).notnull())
        parts.append(f"the raw cosine of the same pairs is {shown_cosine(raw.mean())}")
    if "reliability" in results and "consistency_layer" in results:
        reliable = results["reliability"].sel({LAYER: results["consistency_layer"]})
        low, mean = shown_percent(reliable.min()), shown_percent(reliable.mean())
        parts.append(f"{mean} of a vector's squared length is no noise (lowest {low})")
    return f"Without the correction for noise {'; '.join(parts)}." if parts else ""


def _undefined(results: xr.Dataset) -> str:
    """Which directions are too noisy to compare."""
    if "direction_defined" not in results:
        return ""
    missing = results["direction_defined"].stack(cell=(VALUE, LANGUAGE))
    cells = [missing["cell"].values[at] for at in np.flatnonzero(missing.values == 0)]
    if not cells:
        return ""
    which = (
        f" ({listed(f'{language_name(str(code))} {value_name(str(value)).lower()}' for value, code in cells)})"
        if len(cells) <= _NAMED
        else ""
    )
    return (
        f"{len(cells)} of {missing.size} vectors{which} {'are' if len(cells) > 1 else 'is'} left out of the "
        "comparison: the 95 % interval of the squared length, noise taken out, includes 0. This is judged by the "
        "vector, not by recognition, so that it can concern others than the numbers in brackets above."
    )


def _existence_caution(results: xr.Dataset) -> str:
    if results.attrs.get("protocol") == "paper":
        return (
            "In the paper protocol the layer is chosen on the test pairs themselves, which lifts what guessing alone "
            "reaches: to 56 to 60 % where there are some 30 layers and 100 test pairs, less with fewer layers"
            f"{_layers_here(results)}."
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
    return (
        f"; one pair{' for one value' if corrected else ''} is known to about ±{half_width(*interval):.2f}"
        if interval
        else ""
    )


def _mean_known(results: xr.Dataset) -> str:
    interval = mean_interval(results, "similarity_corrected")
    return f"95 % interval {shown_cosine(interval[0])} to {shown_cosine(interval[1])}; " if interval else ""


def _layers_here(results: xr.Dataset) -> str:
    return f" (this model has {results.sizes[LAYER]})" if LAYER in results.sizes else ""


def _extremes(per_language: xr.DataArray) -> str:
    """Which languages do best and worst, all of those that share the number shown; nothing where all do."""
    percent = (100 * per_language).round().astype(int)
    if len(set(percent.values.tolist())) < 2:
        return ""
    told = []
    for word, end in (("best", percent.max()), ("weakest", percent.min())):
        names = [language_name(str(code)) for code in percent[LANGUAGE].values[percent.values == int(end)]]
        which = listed(names) if len(names) <= _BEST_NAMED else f"{len(names)} of {percent.size} languages"
        told.append(f"{word} in {which} ({shown_percent(int(end) / 100)}{' each' if len(names) > 1 else ''})")
    return f"; {', '.join(told)}"


def _pair(codes: tuple[str, str]) -> str:
    return f"{language_name(str(codes[0]))} and {language_name(str(codes[1]))}"


def _expected(results: xr.Dataset, measured: int) -> str:
    """How many combinations guessing would put above chance, or that the tests of the results account for it."""
    if "recognition_p_family" in results:
        return f" (at 5 %, corrected for asking {measured} times)" if measured > 1 else " (at 5 %)"
    return "" if "recognition_p" in results else f" (guessing alone would reach about {LEVEL * measured:.0f})"
