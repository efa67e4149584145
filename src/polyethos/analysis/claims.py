"""What the paper claims, what both protocols find of it in this model, and why they differ, in words.

Sentences are generated from the numbers; each says what a reader may conclude and no more. The claims are those of
arXiv:2402.18120: that value concepts exist in many languages, that they are inconsistent across languages, that their
relations are distorted by resources, and that transfer runs one way, from high- to low-resource languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from polyethos.arrays import SOURCE, TARGET

Verdict = Literal["supported", "in part", "contradicted", "open"]

LEVEL = 0.05
_ALIKE = 0.9


@dataclass(frozen=True)
class Finding:
    """One claim of the paper and what the two protocols say of it.

    Attributes:
        claim: the claim, in our words.
        paper: what `paper` finds in this model; says so where it was not run.
        corrected: what `corrected` finds.
        why: why the two differ, or can.
        verdict: what the corrected protocol makes of the claim.
    """

    claim: str
    paper: str
    corrected: str
    why: str
    verdict: Verdict


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
        findings.append(_relations(corrected, paper))
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
        f"testing all of them at once; mean recognition is {_percent(rate)}. With this many items an accuracy below "
        f"{_percent(smallest)} would usually be missed."
    )
    beaten = corrected["recognition_excess_high"].sel(control=corrected["control"].isin(("length", "words"))) < 0
    matched = (corrected["recognition_excess_low"] <= 0).sel(control=corrected["control"].isin(("length", "words")))
    if matched.sizes["control"]:
        no_better = int((matched.any("control") & found).sum())
        said += (
            f" In {no_better} of those {n_found}, sentence length or the words alone do about as well, so that the "
            f"sentences, not the model, may be what tells the two apart"
            + (f" (in {int((beaten.any('control') & found).sum())} they do better)." if bool(beaten.any()) else ".")
        )
    verdict: Verdict = "supported" if n_found > n_tested / 2 else "open"
    return Finding(
        "The model holds the value concepts in many languages.",
        _recognition_of_paper(paper),
        said,
        "The paper reports the best layer on the very pairs it is tested on, which alone lifts chance from 50 % to "
        "56 to 60 %, counts ties as right and has no test. The corrected protocol chooses the layer on other items and "
        "asks how often items with randomly exchanged labels do as well.",
        verdict,
    )


def _recognition_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return _NOT_RUN
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
        f"{n_all} combinations of value and pair of languages); the raw cosine at the same layers is {raw:.2f}. In "
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
        return _NOT_RUN
    apart = _pairs(paper["similarity"])
    return (
        f"Summary cosine between languages {float(apart.mean()):.2f} on average, from {float(apart.min()):.2f} to "
        f"{float(apart.max()):.2f}, each the maximum over layers."
    )


def _relations(corrected: xr.Dataset, paper: xr.Dataset | None) -> Finding:
    lines: list[str] = []
    least_p = 1.0
    for kind in corrected["distance"].values:
        here = corrected.sel({"distance": kind})
        if bool(here["relation"].sel(term="distance").isnull()):
            lines.append(f"{kind}: too few pairs with a known distance and a defined similarity")
            continue
        main, interaction = (_effect(here, term) for term in ("distance", "distance x share"))
        least_p = float(np.fmin(least_p, here["relation_p"].sel(term="distance x share")))
        least = float(here["relation_detectable"].sel(term="distance"))
        lines.append(
            f"{kind}: {main}, interaction with resources {interaction}; smallest effect found in 4 of 5 {least:.2f}"
        )
    said = (
        "Change in similarity per standard deviation of distance, pairs that share a language taken into account. "
        + "; ".join(lines)
        + ". With this few languages only strong relations can be seen: an effect not found is no proof of none."
    )
    # Bonferroni over the kinds of distance.
    verdict: Verdict = "supported" if least_p * corrected.sizes["distance"] <= LEVEL else "open"
    if bool(corrected["relation"].sel(term="distance").isnull().all()):
        said = "Too few pairs of languages have both a defined similarity and a known distance: nothing can be said."
    return Finding(
        "Resources distort how linguistic closeness shows in the concepts.",
        _linguistics_of_paper(paper),
        said,
        "The published code records every similarity one cell late, so that its direct correlation is not that of "
        "similarity and distance; it treats pairs of languages as independent, and takes missing distances for real "
        "ones. The corrected protocol regresses on distance, share and their product, and permutes whole languages.",
        verdict,
    )


def _effect(table: xr.Dataset, term: str) -> str:
    value, p = float(table["relation"].sel(term=term)), float(table["relation_p"].sel(term=term))
    return "not estimated" if np.isnan(value) else f"{value:+.2f} (p = {p:.3f})"


def _linguistics_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return _NOT_RUN
    parts = [
        f"{kind} {_correlation(paper['linguistic_direct'].sel(distance=kind))} over all pairs, "
        f"{_correlation(paper['linguistic_split'].sel(distance=kind))} split by resources"
        for kind in paper["distance"].values
    ]
    return "; ".join(parts) + "."


def _correlation(r: xr.DataArray) -> str:
    return "undefined" if np.isnan(float(r)) else f"r = {float(r):.2f}"


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
        return _NOT_RUN
    gain = _apart(paper["transfer_gain"])
    high = str(paper.attrs.get("high_resource", "")).split()
    from_high, to_high = gain[SOURCE].isin(high), gain[TARGET].isin(high)
    down, up = float(gain.where(from_high & ~to_high).mean()), float(gain.where(~from_high & to_high).mean())
    if np.isnan(down) or np.isnan(up):
        return "No pair of a high- and a low-resource language."
    looks = "which looks one-way" if down > 0 > up else "which does not look one-way"
    return f"Mean gain {_points(down)} from high to low and {_points(up)} from low to high, {looks}."


_NOT_RUN = "Not run; `polyethos run --protocol paper` on the same model shows it beside this."


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
