"""Both protocols side by side: their numbers, and what they make of the paper's claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.analysis.beside import published_beside
from polyethos.analysis.claims import discrepancies
from polyethos.analysis.finding import Finding
from polyethos.presentation.evidence import gain_between, pairs_apart
from polyethos.presentation.labels import model_name
from polyethos.presentation.runs import run_names

PAPER, CORRECTED = "paper", "corrected"


@dataclass(frozen=True)
class Contrast:
    """One quantity of one model in both protocols.

    Attributes:
        model: name of the model.
        quantity: what is compared.
        paper: the number in protocol `paper`, formatted.
        corrected: the same in protocol `corrected`.
        why: what makes the two differ.
    """

    model: str
    quantity: str
    paper: str
    corrected: str
    why: str


@dataclass(frozen=True)
class Claim:
    """One claim of the paper, and what both protocols make of it in one model."""

    model: str
    finding: Finding


def contrasts(runs: Sequence[xr.Dataset]) -> list[Contrast]:
    """The numbers of both protocols for every corrected run that has the published ones.

    Args:
        runs: results of each model; a run in protocol `paper` of the same model takes the place of the published
            numbers that stand beside the corrected ones.
    """
    return [row for name, corrected, paper in _corrected(runs) if paper for row in _contrasts(name, corrected, paper)]


def paper_note(runs: Sequence[xr.Dataset]) -> str:
    """Where the paper's numbers are from: the same activations, or a run of their own in the published wording."""
    found = [(corrected, paper) for _, corrected, paper in _corrected(runs) if paper is not None]
    if not found:
        return ""
    for corrected, paper in found:
        if any(paper is run for run in runs):
            return (
                "“Paper” is a run of its own, with the published wording and templates, so that the model read other "
                f"text than in “corrected”.{_on_the_same_text(corrected, paper)}"
            )
    return "The same activations, by the published method (“paper”) and with its statistics mended (“corrected”)."


def _on_the_same_text(corrected: xr.Dataset, paper: xr.Dataset) -> str:
    """What the published method makes of the corrected run's own activations, where that is not the same."""
    standing = published_beside(corrected)
    if standing is None or "transfer_gain" not in standing or "transfer_gain" not in paper:
        return ""
    here, there = (f"{100 * float(pairs_apart(run['transfer_gain']).mean()):+.1f}" for run in (standing, paper))
    if here == there:
        return ""
    return f" By the same method, the transfer gain is {here} points on the text of “corrected” and {there} on its own."


def claims(runs: Sequence[xr.Dataset]) -> list[Claim]:
    """The paper's claims for every corrected run that was tested, in the paper's order; `runs` as in `contrasts`."""
    return [
        Claim(name, finding)
        for name, corrected, paper in _corrected(runs)
        if "recognition_p_family" in corrected
        for finding in discrepancies(corrected, paper)
    ]


def contrast_table(results: xr.Dataset) -> pd.DataFrame:
    """A row per quantity; columns `paper` and `corrected`, formatted numbers."""
    rows = {row.quantity: (row.paper, row.corrected) for row in contrasts([results])}
    index = pd.Index(list(rows), name="quantity")
    return pd.DataFrame(list(rows.values()), index=index, columns=[PAPER, CORRECTED])


def claims_table(results: xr.Dataset) -> pd.DataFrame:
    """A row per claim: the verdict of the corrected protocol, what each protocol finds, and why they differ."""
    found = [claim.finding for claim in claims([results])]
    index = pd.Index([each.claim for each in found], name="claim")
    columns = {name: [getattr(each, name) for each in found] for name in ("verdict", PAPER, CORRECTED, "why")}
    return pd.DataFrame(columns, index=index)


def _corrected(runs: Sequence[xr.Dataset]) -> Iterator[tuple[str, xr.Dataset, xr.Dataset | None]]:
    """Name, results and published results of every corrected run."""
    published = {model_name(run): run for run in runs if run.attrs.get("protocol") == PAPER}
    for name, run in zip(run_names(runs), runs, strict=True):
        if run.attrs.get("protocol") == CORRECTED:
            paper = published.get(model_name(run))
            yield name, run, paper if paper is not None else published_beside(run)


# Quantity, the variable it needs, format, what is measured, why the two differ.
_QUANTITIES: tuple[tuple[str, str, str, Callable[[xr.Dataset], float], str], ...] = (
    (
        "recognition accuracy, mean",
        "recognition",
        "{:.1f} %",
        lambda run: 100 * float(run["recognition"].mean()),
        "paper picks the best layer on the test pairs and counts ties as right, which raises the number; corrected "
        "picks it on training folds and tests every item once",
    ),
    (
        "similarity of two languages, mean",
        "similarity",
        "{:.2f}",
        lambda run: _similarity(run),
        "paper takes the largest cosine over all layers, noise and all; corrected takes the layer chosen on training "
        "folds, and takes the noise out where it could be estimated",
    ),
    (
        "transfer gain, mean over pairs",
        "transfer_gain",
        "{:+.1f} points",
        lambda run: 100 * float(pairs_apart(run["transfer_gain"]).mean()),
        "in paper every language shuffles its own items, so that a translation of a test item can be a training item, "
        "and both accuracies are maxima over layers; corrected splits by item, the same for all languages",
    ),
    (
        "transfer gain, high-resource to others",
        "transfer_gain",
        "{:+.1f} points",
        lambda run: 100 * gain_between(run)[0],
        "as above",
    ),
    (
        "transfer gain, others to high-resource",
        "transfer_gain",
        "{:+.1f} points",
        lambda run: 100 * gain_between(run)[1],
        "as above",
    ),
)


def _contrasts(name: str, corrected: xr.Dataset, paper: xr.Dataset) -> Iterator[Contrast]:
    for quantity, needs, form, measure, why in _QUANTITIES:
        if needs in paper and needs in corrected:
            before, after = (measure(run) for run in (paper, corrected))
            # Without high-resource languages there is nothing to go one way between, in either protocol.
            if not (np.isnan(before) and np.isnan(after)):
                yield Contrast(name, quantity, _shown(form, before), _shown(form, after), why)


def _similarity(run: xr.Dataset) -> float:
    return float(pairs_apart(run["consistency" if "consistency" in run else "similarity"]).mean())


def _shown(form: str, number: float) -> str:
    return "undefined" if np.isnan(number) else form.format(number)
