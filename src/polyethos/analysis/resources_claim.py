"""The paper's claim that resources distort how linguistic closeness shows in the concepts, judged by both protocols."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.analysis.finding import LEVEL, NOT_RUN, Finding, Verdict
from polyethos.analysis.resampling import holm


def resources_claim(corrected: xr.Dataset, paper: xr.Dataset | None) -> Finding:
    """What both protocols say of the distortion by resources; arguments as of `claims.discrepancies`."""
    tested = corrected[["relation", "relation_p"]].dropna("distance", how="all")
    effects, interactions = (tested.sel(term=term).dropna("distance") for term in ("distance", "distance x share"))
    p = holm(interactions["relation_p"].values)
    verdict: Verdict = "supported" if bool((p <= LEVEL).any()) else "open"
    if not effects.sizes["distance"]:
        said = "Too few pairs of languages have both a defined similarity and a known distance: nothing can be said."
    else:
        said = _distorted(corrected, interactions["distance"].values[p <= LEVEL], p) + (
            " The table gives the change in similarity per standard deviation of distance, pairs that share a language "
            "taken into account; the smallest detectable change is the one that four of five such studies would find. "
            "With this few languages an effect not found is no proof of none."
        )
    return Finding(
        "Resources distort how linguistic closeness shows in the concepts.",
        _linguistics_of_paper(paper),
        said,
        "The published code pairs every similarity with the distance of the next pair of languages, so that its direct "
        "correlation is not that of similarity and distance; it treats pairs of languages as independent, and takes "
        "missing distances for real ones. The corrected protocol regresses on distance, share and their product, and "
        "permutes whole languages.",
        verdict,
        table=_effects(corrected) if effects.sizes["distance"] else (),
    )


def _distorted(corrected: xr.Dataset, clear: NDArray[np.str_], p: NDArray[np.float64]) -> str:
    """Whether distance matters otherwise where resources differ, in a sentence."""
    if not p.size:
        shares = corrected["pretraining_share"].dropna("language") if "pretraining_share" in corrected else None
        equal = shares is not None and shares.size > 1 and bool(np.allclose(shares, shares[0]))
        reason = "all shares are equal" if equal else "the shares are known of too few languages"
        return f"No split by resources: {reason}, so that nothing can be said on distortion."
    if clear.size:
        return f"How much distance matters depends on the share of pre-training for: {', '.join(map(str, clear))}."
    return (
        f"No kind of distance matters more or less with the share of pre-training beyond chance (smallest p = "
        f"{p.min():.2f}, corrected for asking {p.size} times)."
    )


def _effects(corrected: xr.Dataset) -> tuple[tuple[str, ...], ...]:
    """A row per kind of distance and effect that could be estimated."""
    rows: list[tuple[str, ...]] = [("distance", "change", "p", "p corrected", "smallest detectable")]
    for term, words in (("distance", ""), ("distance x share", " x share")):
        known = corrected.sel(term=term).dropna("distance", subset=["relation"])
        corrected_p = holm(known["relation_p"].values)
        for kind, p in zip(known["distance"].values, corrected_p, strict=True):
            here = known.sel(distance=kind)
            numbers = (f"{float(here['relation_p']):.3f}", f"{p:.3f}", f"{float(here['relation_detectable']):.2f}")
            rows.append((f"{kind}{words}", f"{float(here['relation']):+.2f}", *numbers))
    return tuple(rows)


def _linguistics_of_paper(paper: xr.Dataset | None) -> str:
    if paper is None:
        return NOT_RUN
    split = paper["linguistic_split"]
    parts = [
        f"{kind} {_correlation(paper['linguistic_direct'].sel(distance=kind))}"
        + ("" if bool(split.isnull().all()) else f", split by resources {_correlation(split.sel(distance=kind))}")
        for kind in paper["distance"].values
    ]
    unsplit = " No split by resources: there are not both kinds of language." if bool(split.isnull().all()) else ""
    return f"Correlation with linguistic similarity over all pairs: {'; '.join(parts)}.{unsplit}"


def _correlation(r: xr.DataArray) -> str:
    return "undefined" if np.isnan(float(r)) else f"r = {float(r):.2f}"
