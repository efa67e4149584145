"""The report's evidence on mixtures of languages: models pre-trained on purpose, and what they say of this run's model.

A run measures one model and cannot compare mixtures. The bundled sweep of `polyethos lab sweep` can, on a small scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd
import xarray as xr
from markupsafe import Markup

from polyethos.lab.advice import LIMITS
from polyethos.lab.evidence import bundled_sweep
from polyethos.lab.judgement import OUTCOMES, STATEMENTS, Judgement, judge_all, verdicts
from polyethos.presentation.charts import Point, Series, rows_chart
from polyethos.presentation.labels import SHARE, language_name, shares, typeset
from polyethos.presentation.questions import counted
from polyethos.presentation.tables import Table

_AXIS = "Transfer of the advised mixture minus the other’s (probits)"
_NAMES = {"verdict_accuracy": "verdicts"}


@dataclass(frozen=True)
class CompositionEvidence:
    """What the bundled runs say, ready for the page.

    Attributes:
        about: how much evidence it is, in a sentence.
        verdicts: every statement with the verdict on it, "supported", "contradicted" or "open".
        chart: every comparison with its interval, by the outcome that decides.
        table: every comparison by every outcome.
        limits: what such small models cannot show.
        largest: smallest and largest share that a run's first language had, percent.
    """

    about: str
    verdicts: Mapping[str, str]
    chart: Markup
    table: Table
    limits: tuple[str, ...]
    largest: tuple[float, float]


@cache
def bundled_evidence() -> CompositionEvidence:
    """The verdicts of the sweep that comes with the package."""
    return composition_evidence(bundled_sweep())


def composition_evidence(sweep: xr.Dataset) -> CompositionEvidence:
    """The verdicts of a sweep on the advice of arXiv:2402.18120, with the comparisons they follow from.

    Args:
        sweep: as `polyethos.lab.evidence.read_sweep` gives it.
    """
    judged = judge_all(sweep)
    found = verdicts(judged)
    models = sorted({int(weights) for weights in sweep["parameters"].values})
    tokens = int(pd.Series(sweep["tokens"].values).mode()[0])
    seeds = len(set(sweep["seed"].values.tolist()))
    about = (
        f"{counted(sweep.sizes['run'], 'run')} of models with {models[0]:,} to {models[-1]:,} weights inside their "
        f"blocks, most on {tokens:,} tokens about a small invented world in "
        f"{counted(sweep.sizes['language'], 'language')} ({counted(seeds, 'seed')}), judged by criteria "
        "that were written down before any run was made."
    )
    largest = 100 * sweep["share"].max("language")
    return CompositionEvidence(
        about=about,
        verdicts={sentence: str(found[key]) for key, sentence in STATEMENTS.items()},
        chart=_chart([one for one in judged if one.outcome == OUTCOMES[0]]),
        table=_table(judged),
        limits=LIMITS,
        largest=(float(largest.min()), float(largest.max())),
    )


def for_this_model(results: xr.Dataset, evidence: CompositionEvidence) -> str:
    """What the evidence can and cannot say of the model of these results, in sentences."""
    percent, source = shares(results)
    known = percent.dropna()
    if SHARE not in results or known.empty:
        return (
            "The shares of this model’s pre-training data are not known, so that it cannot even be laid beside these "
            "runs; that it does well or badly in a language says nothing about its mixture."
        )
    low, high = evidence.largest
    share, name = float(known.max()), language_name(str(known.idxmax()))
    equal = int((known == share).sum())
    most = f"{name} had the largest share" if equal == 1 else f"{equal} had the same, largest share"
    # Half a percent: shares are often given in whole numbers.
    within = "within" if low - 0.5 <= share <= high + 0.5 else "outside"
    return (
        f"Of the languages studied, {most} of this model’s pre-training data, {share:.3g} % "
        f"({source}). In these runs the largest share was {low:.0f} to {high:.0f} %, so that this model is {within} "
        "what they tried. Whether another mixture would have served this model better, only training it on another "
        "mixture would tell: one model has nothing to be compared with."
    )


def _chart(judged: list[Judgement]) -> Markup:
    points = [
        Point(row, one.difference, one.low, one.high, typeset(f"{one.part}: {_words(one)}, {one.verdict}"))
        for row, one in enumerate(judged)
    ]
    title = "What the advised mixture brings the other languages, beside the one it is compared with"
    return rows_chart([one.part for one in judged], [Series("", points)], axis=_AXIS, title=title)


def _table(judged: tuple[Judgement, ...]) -> Table:
    outcomes = [name for name in OUTCOMES if any(one.outcome == name for one in judged)]
    parts = list(dict.fromkeys(one.part for one in judged))
    cells = {(one.part, one.outcome): _words(one) for one in judged}
    frame = pd.DataFrame(
        [[cells[part, outcome] for outcome in outcomes] for part in parts],
        index=pd.Index(parts, name="compared"),
        columns=[_NAMES.get(outcome, outcome) for outcome in outcomes],
    )
    caption = (
        "Difference and 95 % interval (Student’s t over pairs of size and seed), positive in the advice’s favour, of "
        "the loss too; over the languages that dominate nowhere. The first column decides; the others stand beside it."
    )
    return Table("composition", caption, frame)


def _words(one: Judgement) -> str:
    if one.difference != one.difference:
        return "not measured"
    interval = "too few runs" if one.low != one.low else f"{one.low:+.2f} to {one.high:+.2f}"
    return f"{one.difference:+.2f} ({interval})"
