"""The questions a study asks, each with one sentence of answer generated from the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from polyethos.arrays import LANGUAGE, SOURCE, TARGET
from polyethos.presentation.evidence import (
    LEVEL,
    above_chance,
    below_chance,
    bounds,
    gain_between,
    holm,
    margin,
    pairs_apart,
)
from polyethos.presentation.labels import by_share, chance, high_resource, language_name, listed

QUESTIONS = {
    "existence": "Does the model hold these value concepts?",
    "consistency": "Are they the same concepts in every language?",
    "linguistics": "Do related languages share more?",
    "transfer": "Does what is learned in one language work in another?",
    "control": "Can behaviour be steered across languages?",
    "composition": "How does the mix of pre-training languages matter?",
}
_NEEDS = {
    "existence": ("recognition",),
    "consistency": ("similarity",),
    "linguistics": ("linguistic_", "relation"),
    "transfer": ("transfer_gain",),
    "control": ("control_effect",),
    "composition": ("composition_",),
}
_COMMANDS = {
    "existence": "polyethos run",
    "consistency": "polyethos run",
    "linguistics": "polyethos run",
    "transfer": "polyethos run",
    "control": "polyethos steer RUN",
    "composition": "polyethos lab pretrain",
}


# Share of combinations above chance up to which next to nothing was found; loss up to which a transfer works; change of
# a cosine per standard deviation of distance from which a relation is more than slight.
_HARDLY, _LOSS, _CLEAR = 0.15, 0.01, 0.05


@dataclass(frozen=True)
class Answer:
    """One question with what the results say.

    Attributes:
        key: key of `QUESTIONS`.
        question: the question in plain words.
        verdict: the answer in one or two words; "Not measured" where the results hold nothing.
        sentence: the answer with its numbers and their uncertainty.
        caution: what would mislead a reader, or empty.
        command: the command that measures what was not measured, or empty.
    """

    key: str
    question: str
    verdict: str
    sentence: str
    caution: str = ""
    command: str = ""

    @property
    def measured(self) -> bool:
        """Whether the results hold anything on this question."""
        return not self.command


def answers(results: xr.Dataset) -> list[Answer]:
    """An answer to every question, in reading order; those the results cannot answer say how to measure them."""
    found = []
    for key in QUESTIONS:
        measured = any(str(name).startswith(_NEEDS[key]) for name in results.data_vars)
        found.append(_WRITERS[key](results) if measured and key in _WRITERS else _not_measured(key))
    return found


def existence(results: xr.Dataset) -> Answer:
    """Whether recognition accuracy is above chance, where it is best and where weakest."""
    accuracy = results["recognition"]
    measured, found = _counts(results)
    share = found / measured if measured else 0.0
    verdict = "Yes" if share >= 0.9 else "Mostly" if share >= 0.6 else "In part" if share > _HARDLY else "Hardly"
    per_language = accuracy.mean("value").dropna(LANGUAGE)
    best, worst = _extremes(per_language)
    sentence = (
        f"In {found} of {measured} combinations of value and language it tells the sentence that upholds the value "
        f"from the one that violates it better than guessing{_expected(results, measured)}: "
        f"{_percent(accuracy.mean())} right on average (guessing: {_percent(chance(results))}; one combination is "
        f"known to about ±{100 * margin(results):.0f} points); best in {best} ({_percent(per_language.max())}), "
        f"weakest in {worst} ({_percent(per_language.min())})."
    )
    return Answer("existence", QUESTIONS["existence"], verdict, sentence, _existence_caution(results))


def consistency(results: xr.Dataset) -> Answer:
    """How similar the directions of two languages are, corrected for noise where the results allow."""
    corrected = "consistency" in results
    matrix = pairs_apart(results["consistency"].mean("value") if corrected else results["similarity"])
    mean = float(matrix.mean())
    verdict = "Largely" if mean >= 0.7 else "In part" if mean >= 0.3 else "Hardly"
    flat = matrix.stack(pair=(SOURCE, TARGET)).dropna("pair")
    if not flat.size:
        return Answer("consistency", QUESTIONS["consistency"], "Undecided", "No pair of languages could be compared.")
    closest, farthest = (_pair(flat.pair.values[int(at)]) for at in (flat.argmax("pair"), flat.argmin("pair")))
    what = "noise-corrected similarity" if corrected else "cosine similarity"
    sentence = (
        f"The concept vectors of two languages have a mean {what} of {_cosine(mean)}{_spread(results, corrected)} "
        f"(1 = the same direction, 0 = unrelated); most alike: {closest} ({_cosine(flat.max())}), least alike: "
        f"{farthest} ({_cosine(flat.min())})."
    )
    caution = "" if corrected else (
        "Raw cosines are pulled towards 0 by estimation noise: few items or weak recognition alone make languages "
        "look different."
    )  # fmt: skip
    return Answer("consistency", QUESTIONS["consistency"], verdict, sentence, caution)


def linguistics(results: xr.Dataset) -> Answer:
    """How the similarity of directions goes with the similarity of languages."""
    if "relation" in results:
        return _relations(results)
    name = next(name for name in results.data_vars if str(name).startswith("linguistic_") and results[name].ndim == 1)
    relation = results[name].dropna("distance")
    if not relation.size:
        return _too_few_languages()
    strongest = relation.distance.values[int(np.abs(relation.values).argmax())]
    r = float(relation.sel(distance=strongest))
    verdict = "Yes" if r >= 0.5 else "Somewhat" if r >= 0.2 else "Not clearly"
    rows = listed(f"{kind} {float(relation.sel(distance=kind)):+.2f}" for kind in relation.distance.values)
    sentence = (
        f"Correlation of vector similarity with how similar two languages are: {rows}; the largest is {strongest}."
    )
    return Answer("linguistics", QUESTIONS["linguistics"], verdict, sentence,
                  "Pairs of languages are not independent of each other, so an ordinary p-value would not be valid; "
                  "with this few languages only strong relations can be seen.")  # fmt: skip


def transfer(results: xr.Dataset) -> Answer:
    """Whether vectors of high-resource languages help the others, and the reverse."""
    high = high_resource(results)
    low = [code for code in by_share(results) if code not in high]
    down, up = gain_between(results)
    if np.isnan(down) or np.isnan(up):
        return _transfer_overall(results)
    verdict = "Undecided" if _hardly_any(results) else _direction(down, up)
    sources = f"{_count(len(high), 'high-resource language')} ({listed(map(language_name, high))})"
    sentence = (
        f"Concept vectors of the {sources} recognise values "
        f"in the {_count(len(low), 'other')} {_difference(down)} than those languages' own vectors; in the other "
        f"direction {_difference(up)}."
    )
    if interval := bounds(results, "transfer_gain"):
        sentence += f" A single pair of languages is known to about ±{_half_width(*interval) * 100:.0f} points."
    caution = (
        "Hardly anything was recognised, so there is hardly anything to transfer; these differences are noise."
        if _hardly_any(results)
        else "A noisy vector transfers badly for that reason alone, so that one-way transfer can be an artefact."
    )
    return Answer("transfer", QUESTIONS["transfer"], verdict, sentence, caution)


def _transfer_overall(results: xr.Dataset) -> Answer:
    gain = float(pairs_apart(results["transfer_gain"]).mean())
    if np.isnan(gain):
        return Answer("transfer", QUESTIONS["transfer"], "Undecided", "Only one language was measured.")
    sentence = f"On average, another language's vector recognises values {_difference(gain)} than the language's own."
    return Answer("transfer", QUESTIONS["transfer"], "Yes" if gain >= -0.02 else "With a loss", sentence)


def _relations(results: xr.Dataset) -> Answer:
    """The corrected protocol's regression on each kind of distance, p-values of whole-language permutations."""
    found = results[["relation", "relation_p", "relation_detectable"]].sel(term="distance").dropna("distance")
    if not found.sizes["distance"]:
        return _too_few_languages()
    p_values = holm(found["relation_p"].values)
    effects = dict(zip(found["distance"].values, zip(found["relation"].values, p_values, strict=True), strict=True))
    clear = {kind: effect for kind, (effect, p) in effects.items() if p < LEVEL}
    if clear:
        shown = (f"{kind} ({effect:+.3f}, p = {effects[kind][1]:.3f})" for kind, effect in clear.items())
        sentence = f"Similarity changes with linguistic distance, per standard deviation of it: {listed(shown)}."
    else:
        sentence = (
            f"None of {len(effects)} kinds of linguistic distance goes with similarity beyond chance (smallest p = "
            f"{p_values.min():.2f}, corrected for asking {len(effects)} times)."
        )
    largest = max((-effect for effect in clear.values()), default=0.0)
    verdict = "Yes" if largest >= _CLEAR else "Slightly" if largest > 0 else "Not clearly"
    detectable = float(found["relation_detectable"].max())
    caution = f"With this few languages, a change of less than {detectable:.3f} would mostly be missed."
    return Answer("linguistics", QUESTIONS["linguistics"], verdict, sentence, caution)


def _too_few_languages() -> Answer:
    return Answer("linguistics", QUESTIONS["linguistics"], "Undecided",
                  "Too few languages with known distances were studied to relate anything.")  # fmt: skip


def _not_measured(key: str) -> Answer:
    return Answer(key, QUESTIONS[key], "Not measured", "This run did not measure it.", command=_COMMANDS[key])


def _existence_caution(results: xr.Dataset) -> str:
    if results.attrs.get("protocol") == "paper":
        return (
            "In the paper protocol the layer is chosen on the test pairs themselves; with some 30 layers, guessing "
            "alone then reaches 56 to 60 %."
        )
    below = int(below_chance(results).sum())
    if "recognition_p" not in results and below > 2 * LEVEL * _counts(results)[0]:
        return (
            f"{_count(below, 'combination')} lie as far below guessing, which no concept explains: items here resemble "
            "one another, so that chance swings more widely than their number says, upwards too."
        )
    return ""


def _spread(results: xr.Dataset, corrected: bool) -> str:
    interval = bounds(results, "consistency" if corrected else "similarity")
    return f", each known to about ±{_half_width(*interval):.2f}" if interval else ""


def _half_width(low: xr.DataArray, high: xr.DataArray) -> float:
    return float(((pairs_apart(high) - pairs_apart(low)) / 2).median())


def _extremes(per_language: xr.DataArray) -> tuple[str, str]:
    if not per_language.size:
        return "no language", "no language"
    codes = per_language[LANGUAGE].values
    return language_name(str(codes[int(per_language.argmax(LANGUAGE))])), language_name(
        str(codes[int(per_language.argmin(LANGUAGE))])
    )


def _pair(codes: tuple[str, str]) -> str:
    return f"{language_name(str(codes[0]))} and {language_name(str(codes[1]))}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _counts(results: xr.Dataset) -> tuple[int, int]:
    return int(results["recognition"].notnull().sum()), int(above_chance(results).sum())


def _hardly_any(results: xr.Dataset) -> bool:
    if "recognition" not in results:
        return False
    measured, found = _counts(results)
    return found <= _HARDLY * measured


def _expected(results: xr.Dataset, measured: int) -> str:
    """How many combinations guessing would put above chance; tests that come with the results account for it."""
    return "" if "recognition_p" in results else f" (guessing alone would reach about {LEVEL * measured:.0f})"


def _direction(down: float, up: float) -> str:
    works_down, works_up = down >= -_LOSS, up >= -_LOSS
    if works_down and works_up:
        return "Both ways"
    if works_down or works_up:
        return f"Better {'from' if works_down else 'to'} high-resource languages"
    return "With a loss"


def _cosine(number: xr.DataArray | float) -> str:
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{round(float(number), 2) + 0:.2f}"


def _percent(fraction: xr.DataArray | float) -> str:
    return f"{100 * float(fraction):.0f} %"


def _difference(gain: float) -> str:
    points = round(100 * gain, 1)
    return "equally well" if points == 0 else f"{abs(points):.1f} points {'better' if points > 0 else 'worse'}"


_WRITERS: dict[str, Callable[[xr.Dataset], Answer]] = {
    "existence": existence,
    "consistency": consistency,
    "linguistics": linguistics,
    "transfer": transfer,
}
