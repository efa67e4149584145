"""What the results say of pairs of languages: whether closeness shows in the concepts, and whether they transfer."""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.presentation.evidence import LEVEL, bounds, gain_between, holm, pairs_apart
from polyethos.presentation.labels import by_share, high_resource, language_name, listed
from polyethos.presentation.questions import Answer, answered, counted, half_width, hardly_any, shown_difference

# Loss up to which a transfer works; change of a cosine per standard deviation of distance from which a relation is more
# than slight.
_LOSS, _CLEAR = 0.01, 0.05


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
    if interval := bounds(results, "transfer_gain"):
        sentence += f" A single pair of languages is known to about ±{half_width(*interval) * 100:.0f} points."
    caution = (
        "Hardly anything was recognised, so there is hardly anything to transfer; these differences are noise."
        if hardly_any(results)
        else "A noisy vector transfers badly for that reason alone, so that one-way transfer can be an artefact."
    )
    return answered("transfer", verdict, sentence, caution)


def _transfer_overall(results: xr.Dataset) -> Answer:
    gain = float(pairs_apart(results["transfer_gain"]).mean())
    if np.isnan(gain):
        return answered("transfer", "Undecided", "Only one language was measured.")
    sentence = (
        f"On average, another language's vector recognises values {shown_difference(gain)} than the language's own."
    )
    return answered("transfer", "Yes" if gain >= -0.02 else "With a loss", sentence)


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
    return answered("linguistics", verdict, sentence, caution)


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
