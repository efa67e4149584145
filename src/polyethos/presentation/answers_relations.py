"""What the results say of pairs of languages: whether closeness shows in the concepts, and whether they transfer."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.analysis.resampling import holm
from polyethos.arrays import LANGUAGE, SOURCE, TARGET
from polyethos.presentation.evidence import (
    LEVEL,
    bounds,
    by_language,
    gain_between,
    mean_interval,
    pairs_apart,
    standing_apart,
)
from polyethos.presentation.labels import by_share, chance, high_resource, language_name, listed
from polyethos.presentation.questions import (
    Answer,
    answered,
    counted,
    half_width,
    hardly_any,
    shown_difference,
    shown_percent,
)

# Loss up to which a transfer works; change of a cosine per standard deviation of distance from which a relation is more
# than slight.
_LOSS, _CLEAR = 0.01, 0.05
# Gain by which a language stands apart from the middle one.
_STANDS_APART = 0.05


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
    return answered("linguistics", verdict, sentence,
                  "Pairs of languages are not independent of each other, so an ordinary p-value would not be valid; "
                  "with this few languages only strong relations can be seen.")  # fmt: skip


def transfer(results: xr.Dataset) -> Answer:
    """Whether vectors of high-resource languages help the others, and the reverse."""
    high = high_resource(results)
    low = [code for code in by_share(results) if code not in high]
    down, up = gain_between(results)
    if np.isnan(down) or np.isnan(up):
        return _transfer_overall(results)
    verdict = "Undecided" if hardly_any(results) else _direction(down, up)
    sources = f"{counted(len(high), 'high-resource language')} ({listed(map(language_name, high))})"
    sentence = (
        f"Concept vectors of the {sources} recognise values "
        f"in the {counted(len(low), 'other')} {shown_difference(down)} than those languages' own vectors; in the other "
        f"direction {shown_difference(up)}."
    )
    overall = f"Over all pairs: {_gain(results)}."
    caution = (
        "Hardly anything was recognised, so there is hardly anything to transfer; these differences are noise."
        if hardly_any(results)
        else "A noisy vector transfers badly for that reason alone, so that one-way transfer can be an artefact."
    )
    details = [overall, _apart(results), _wrong_way(results), *_transfer_details(results)]
    return answered("transfer", verdict, sentence, caution, details=details)


def _transfer_overall(results: xr.Dataset) -> Answer:
    gain = float(pairs_apart(results["transfer_gain"]).mean())
    if np.isnan(gain):
        return answered("transfer", "Undecided", "Only one language was measured.")
    sentence = f"Over all pairs of languages, another language's vector recognises values {_gain(results)}."
    sentence += "".join(f" {more}" for more in (_apart(results), _wrong_way(results)) if more)
    return answered("transfer", "Yes" if gain >= -0.02 else "With a loss", sentence, details=_transfer_details(results))


def _gain(results: xr.Dataset) -> str:
    """The mean gain over all pairs, with its interval and both accuracies where known."""
    about = []
    if "transfer_accuracy" in results:
        accuracy = results["transfer_accuracy"]
        own = accuracy.where(accuracy[SOURCE] == accuracy[TARGET])
        about.append(
            f"own vectors {shown_percent(own.mean())} right, others' {shown_percent(pairs_apart(accuracy).mean())}"
        )
    if interval := mean_interval(results, "transfer_gain"):
        low, high = (f"{100 * end:+.1f}" for end in interval)
        about.insert(0, f"95 % interval {low} to {high}")
    gain = float(pairs_apart(results["transfer_gain"]).mean())
    words = shown_difference(gain)
    joined = f"{words} {'as' if words.startswith('equally') else 'than'} the language's own"
    return f"{joined} ({'; '.join(about)})" if about else joined


def _apart(results: xr.Dataset) -> str:
    """Which languages most of a loss comes from, where some stand out; empty otherwise."""
    gain = results["transfer_gain"]
    apart = standing_apart(gain, least=_STANDS_APART)
    if not apart:
        return ""
    others = [str(code) for code in gain[SOURCE].values if str(code) not in apart]
    rest = gain.sel({SOURCE: others, TARGET: others})
    return (
        f"{listed(map(language_name, apart))} {'stand' if len(apart) > 1 else 'stands'} apart "
        f"({shown_difference(float(by_language(gain).sel({LANGUAGE: apart}).mean()))} to and from "
        f"{'them' if len(apart) > 1 else 'it'}); among the other {len(others)} the vector of another language does "
        f"{shown_difference(float(pairs_apart(rest).mean()))}."
    )


def _wrong_way(results: xr.Dataset) -> str:
    """How often a vector points the other way elsewhere; empty where it never does."""
    if "transfer_accuracy" not in results:
        return ""
    moved = pairs_apart(results["transfer_accuracy"])
    wrong, measured = int((moved < chance(results)).sum()), int(moved.notnull().sum())
    if not wrong:
        return ""
    share, guessing, lowest = 100 * wrong / measured, shown_percent(chance(results)), shown_percent(moved.min())
    return (
        f"In {wrong} of {measured} combinations of value, source and target ({share:.0f} %) the vector points the "
        f"wrong way (below {guessing} right, the lowest {lowest})."
    )


def _transfer_details(results: xr.Dataset) -> list[str]:
    """How well one pair of languages is known."""
    interval = bounds(results, "transfer_gain")
    if interval is None:
        return []
    return [f"A single pair of languages is known to about ±{half_width(*interval) * 100:.0f} points."]


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
    return answered("linguistics", verdict, sentence, _power(found["relation_detectable"]))


def _power(detectable: xr.DataArray) -> str:
    """What a study with this many languages would find."""
    known = detectable.dropna("distance").sortby(detectable.dropna("distance"))
    if not known.size:
        return ""
    low, high, worst = float(known[0]), float(known[-1]), known["distance"].values[-1]
    span = f"{high:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f} (the largest for {worst})"
    return (
        f"With this few languages, a change of similarity below {span} per standard deviation of distance would mostly "
        "be missed, so that a relation not found may still be there."
    )


def _too_few_languages() -> Answer:
    return answered("linguistics", "Undecided",
                  "Too few languages with known distances were studied to relate anything.")  # fmt: skip


def _direction(down: float, up: float) -> str:
    works_down, works_up = down >= -_LOSS, up >= -_LOSS
    if works_down and works_up:
        return "Both ways"
    if works_down or works_up:
        return f"Better {'from' if works_down else 'to'} high-resource languages"
    return "With a loss"
