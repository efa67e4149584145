"""What the paper claims, what both protocols find of it in this model, and why they differ, in words.

Sentences are generated from the numbers; each says what a reader may conclude and no more. The claims are those of
arXiv:2402.18120: that value concepts exist in many languages, that they are inconsistent across languages, that their
relations are distorted by resources, and that transfer runs one way, from high- to low-resource languages.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from polyethos.analysis.finding import LEVEL, NOT_RUN, Finding, Verdict
from polyethos.analysis.resources_claim import resources_claim
from polyethos.arrays import SOURCE, TARGET

_ALIKE = 0.9


def discrepancies(corrected: xr.Dataset, paper: xr.Dataset | None = None) -> list[Finding]:
    """The paper's claims one by one.

    Args:
        corrected: result of `corrected.corrected_statistics`.
        paper: result of `published_summary.summarise` for the same model and data, if it was run.

    Returns:
        Findings in the paper's order. Claims that the corrected results cannot speak to are left out.
    """
    findings = [_existence(corrected, paper), _consistency(corrected, paper)]
    if "relation" in corrected:
        findings.append(resources_claim(corrected, paper))
    return [*findings, _one_way(corrected, paper)]


def _existence(corrected: xr.Dataset, paper: xr.Dataset | None) -> Finding:
    p = corrected["recognition_p_family"]
    tested = p.notnull()
    found = (p <= LEVEL) & tested
    n_found, n_tested = int(found.sum()), int(tested.sum())
    rate = float(corrected["recognition"].where(tested).mean())
    smallest = float(corrected["detectable_accuracy_family"].median())
    said = (
        f"Out of {n_tested} combinations of value and language, {n_found} are above chance after correction for "
        f"testing all of them at once; mean recognition is {_percent(rate)}. A true accuracy under "
        f"{_percent(smallest)} would be found in fewer than four of five such studies."
    )
    beaten = corrected["recognition_excess_high"].sel(control=_reads_only(corrected)) < 0
    no_better = int(matched_by_text(corrected, found).sum())
    if bool(_reads_only(corrected).any()):
        said += (
            f" In {no_better} of those {n_found}, sentence length or the words alone do about as well, so that the "
            f"sentences, not the model, may be what tells the two apart"
            + (f" (in {int((beaten.any('control') & found).sum())} they do better)." if bool(beaten.any()) else ".")
        )
    verdict: Verdict = "supported" if n_found > n_tested / 2 else "open"
    reservation = f"in {no_better} of {n_found}, length or words alone do as well" if no_better else ""
    return Finding(
        "The model holds the value concepts in many languages.",
        _recognition_of_paper(paper),
        said,
        "The paper reports the best layer on the very pairs it is tested on, which alone lifts chance above 50 % (to "
        "56 to 60 % with some 30 layers and 100 test pairs), counts ties as right and has no test. The corrected "
        "protocol chooses the layer on other items and "
        "asks how often items with randomly exchanged labels do as well.",
        verdict,
        reservation=reservation if verdict == "supported" else "",
    )


def matched_by_text(corrected: xr.Dataset, found: xr.DataArray) -> xr.DataArray:
    """Which of the combinations found (value, language) sentence length or the words alone recognise about as well."""
    no_better = corrected["recognition_excess_low"].sel(control=_reads_only(corrected)) <= 0
    return no_better.any("control") & found


def _reads_only(corrected: xr.Dataset) -> xr.DataArray:
    """Which controls read the sentences and no hidden states."""
    return corrected["control"].isin(("length", "words"))


def _recognition_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return NOT_RUN
    rate = paper["recognition"]
    return (
        f"Mean recognition {_percent(float(rate.mean()))} at each cell's best layer; lowest "
        f"{_percent(float(rate.min()))}, highest {_percent(float(rate.max()))}."
    )


def _consistency(corrected: xr.Dataset, paper: xr.Dataset | None) -> Finding:
    apart = _pairs(corrected["consistency"])
    defined = apart.notnull()
    n_defined, n_all = int(defined.sum()), int(_pairs(xr.ones_like(apart)).notnull().sum())
    claim = "The concepts are inconsistent across languages."
    why = (
        "A raw cosine shrinks with the noise of both estimates: one and the same direction, seen through few or hardly "
        "separable items, looks like two. The corrected similarity takes that noise out and says where too little "
        "remains to compare; the maximum over layers, which pushes raw cosines up, is gone too."
    )
    if not n_defined:
        said = "No two languages hold a direction clear enough to compare: nothing can be said on consistency."
        return Finding(claim, _similarity_of_paper(paper), said, why, "open")
    different = int((_pairs(corrected["consistency_identical_p"]) <= LEVEL).sum())
    related = int((_pairs(corrected["consistency_p"]) <= LEVEL).sum())
    raw = float(_pairs(corrected["consistency_raw"]).where(defined).mean())
    said = (
        f"Freed of noise, similarity is {float(apart.mean()):.2f} on average where it is defined ({n_defined} of "
        f"{n_all} combinations of value and pair of languages); the raw cosine of the same {n_defined} is {raw:.2f}. "
        f"In "
        f"{different} of {n_defined} one common direction is ruled out, in {related} of {n_defined} the directions are "
        f"related beyond chance (5 % each, not corrected for their number)."
    )
    share, alike = different / n_defined, float(apart.mean()) >= _ALIKE
    verdict: Verdict = "open"
    if share > 0.5:
        verdict = "in part" if alike else "supported"
        said += " So they differ, but by little." if alike else " So they differ."
    elif alike and share <= 2 * LEVEL:
        verdict = "contradicted"
    return Finding(claim, _similarity_of_paper(paper), said, why, verdict)


def _similarity_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return NOT_RUN
    apart = _pairs(paper["similarity"])
    return (
        f"Cosine between the vectors of two languages {float(apart.mean()):.2f} on average, from "
        f"{float(apart.min()):.2f} to {float(apart.max()):.2f}, each at the layer where it is largest."
    )


def _one_way(corrected: xr.Dataset, paper: xr.Dataset | None) -> Finding:
    excess, p = corrected["one_way_excess"], corrected["one_way_excess_p"]
    claim = "Transfer runs one way, from high- to low-resource languages."
    why = (
        "A vector fitted on noisy items transfers badly for that reason alone, and a clear one transfers well, so that "
        "raw gains look one-way even if all languages hold the same direction. The corrected protocol takes the noise "
        "out and compares with simulated studies in which there is only one direction."
    )
    down, up = (float(excess.sel(way=way)) for way in ("high to low", "low to high"))
    both = float(p.sel(way="both"))
    if np.isnan(both):
        said = "There are not both high- and low-resource languages with a usable vector: nothing can be said."
        return Finding(claim, _gains_of_paper(paper), said, why, "open")
    said = (
        f"Beyond what noise alone makes, high-resource vectors do {_better(down)} on low-resource languages than those "
        f"languages' own ({down:+.2f} probits, p = {float(p.sel(way='high to low')):.3f}), and low-resource vectors do "
        f"{_better(up)} on high-resource ones ({up:+.2f}, p = {float(p.sel(way='low to high')):.3f}). The claim needs "
        f"both to hold: p = {both:.3f}."
    )
    cycles = float(corrected["transfer_potential_share"])
    if np.isfinite(cycles):
        said += f" A single ranking of languages as givers and takers explains {_percent(cycles)} of the asymmetry."
    if bool(corrected["one_way_claimed"]):
        return Finding(claim, _gains_of_paper(paper), said, why, "supported")
    # Below zero with its whole interval: what the claim needs from high to low is not there.
    refuted = float(corrected["one_way_excess_high"].sel(way="high to low")) < 0
    return Finding(claim, _gains_of_paper(paper), said, why, "contradicted" if refuted else "open")


def _gains_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return NOT_RUN
    gain = _apart(paper["transfer_gain"])
    high = str(paper.attrs.get("high_resource", "")).split()
    from_high, to_high = gain[SOURCE].isin(high), gain[TARGET].isin(high)
    down, up = float(gain.where(from_high & ~to_high).mean()), float(gain.where(~from_high & to_high).mean())
    if np.isnan(down) or np.isnan(up):
        return "No pair of a high- and a low-resource language."
    looks = "which looks one-way" if down > 0 > up else "which does not look one-way"
    return f"Mean gain {_points(down)} from high to low and {_points(up)} from low to high, {looks}."


def _apart(table: xr.DataArray) -> xr.DataArray:
    """Ordered pairs of different languages."""
    return table.where(table[SOURCE] != table[TARGET])


def _pairs(table: xr.DataArray) -> xr.DataArray:
    """Each unordered pair of different languages once, for symmetric tables."""
    row, column = (xr.DataArray(range(table.sizes[dim]), dims=dim) for dim in (SOURCE, TARGET))
    return table.where(row < column)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"


def _better(value: float) -> str:
    return "better" if value > 0 else "worse"
