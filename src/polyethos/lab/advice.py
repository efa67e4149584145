"""What a planned mixture of languages is likely to bring each language, and what the evidence says of the advice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE
from polyethos.errors import LabError
from polyethos.lab.evidence import OUTCOMES, STUDY_OUTCOMES, Study, effective_number, lab_table, study_table
from polyethos.lab.forecast import FEATURES, Expected, Fit
from polyethos.lab.judgement import STATEMENTS, Judgement, Verdict, judge_all, verdicts
from polyethos.lab.mixture import Mixture

LIMITS = (
    "The lab's models have a few hundred thousand weights and read a few hundred thousand tokens about a small world; "
    "how large a share a language needs depends on both, so no number here is one for a large model.",
    "All of their languages tell the same world in translated sentences; real corpora differ between languages in "
    "what they say, not only in how much.",
    "They know one value as a word list with verdicts; whether what holds for it holds for values as people live them, "
    "they cannot show.",
    "Whether a benefit of a dominant language is one of its tokens or of longer training, only comparisons at equal "
    "length tell; those exist here for a fixed total, where the other languages get less.",
)

_FEW_MODELS = 3
_MARKED = 1.0


@dataclass(frozen=True)
class Forecast:
    """What to expect of one outcome in one language.

    Attributes:
        language: code.
        outcome: see `OUTCOMES` and `STUDY_OUTCOMES`.
        value: expectation; NaN where the evidence is too far away.
        low, high: 95 % interval for a new run; NaN where there are too few runs.
        basis: "lab" or "studies".
        outside: in what the plan lies outside the evidence; empty where it does not.
    """

    language: str
    outcome: str
    value: float
    low: float
    high: float
    basis: str
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """How well a fit foretells mixtures it has not seen.

    Attributes:
        outcome: of the fit.
        features: what it uses.
        error: mean absolute error on conditions left out in turn.
        plain_error: that of always expecting the mean.
    """

    outcome: str
    features: tuple[str, ...]
    error: float
    plain_error: float


@dataclass(frozen=True)
class Advice:
    """An answer about a planned mixture.

    Attributes:
        mixture: share per language.
        tokens, size: what the forecasts assume.
        forecasts: per language and outcome.
        verdicts: per statement of the advice, by the lab's runs.
        judgements: what they follow from, for every outcome.
        quality: of the lab's fits.
        runs, seeds: how much evidence there is.
        studies: the real models, with the source of their shares.
        limits: what small models cannot show.
    """

    mixture: Mapping[str, float]
    tokens: int
    size: str
    forecasts: tuple[Forecast, ...]
    verdicts: Mapping[str, Verdict]
    judgements: tuple[Judgement, ...]
    quality: tuple[Quality, ...]
    runs: int
    seeds: int
    studies: tuple[str, ...]
    limits: tuple[str, ...] = LIMITS

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and tables; what is not known is null."""
        content: dict[str, Any] = _plain(asdict(self) | {"statements": dict(STATEMENTS)})
        return content


def advise(
    mixture: Mixture,
    sweep: xr.Dataset,
    *,
    studies: Sequence[Study] = (),
    tokens: int | None = None,
    size: str | None = None,
) -> Advice:
    """Expected outcomes per language of a planned mixture, and the verdicts on the advice of arXiv:2402.18120.

    Args:
        mixture: what is planned.
        sweep: the lab's evidence, from `polyethos.lab.evidence`.
        studies: real models with known shares of pre-training.
        tokens: of the plan, on the lab's scale; by default the total that most runs had.
        size: of the lab's models; by default the largest among the evidence.

    Raises:
        LabError: no run of that size.
    """
    table = lab_table(sweep)
    sizes = table.groupby("size")["parameters"].first().sort_values()
    size = size or str(sizes.index[-1])
    if size not in sizes.index:
        raise LabError(f"size {size!r}: no run has it; choose from {', '.join(map(str, sizes.index))}")
    tokens = tokens or int(table["tokens"].mode()[0])
    plan = _plan(mixture, tokens=tokens, parameters=float(sizes[size]))
    forecasts, quality = _from_lab(plan, table)
    if studies:
        forecasts += _from_studies(plan, study_table(studies))
    judged = judge_all(sweep)
    return Advice(
        mixture=dict(mixture.shares),
        tokens=tokens,
        size=size,
        forecasts=tuple(forecasts),
        verdicts=verdicts(judged),
        judgements=judged,
        quality=tuple(quality),
        runs=int(table["run"].nunique()),
        seeds=int(table["seed"].nunique()),
        studies=tuple(f"{study.name} (shares: {study.source})" for study in studies),
    )


def _plan(mixture: Mixture, *, tokens: int, parameters: float) -> pd.DataFrame:
    """A row per language with the columns a fit may use."""
    shares = np.array(list(mixture.shares.values()))
    return pd.DataFrame(
        {
            LANGUAGE: list(mixture.shares),
            "share": shares,
            "language_tokens": shares * tokens,
            "tokens": float(tokens),
            "largest": shares.max(),
            "effective": float(effective_number(shares)),
            "n_languages": float(len(shares)),
            "parameters": parameters,
        }
    )


def _from_lab(plan: pd.DataFrame, table: pd.DataFrame) -> tuple[list[Forecast], list[Quality]]:
    forecasts, quality = [], []
    known = set(table[LANGUAGE])
    for outcome in OUTCOMES:
        if outcome not in table or not np.isfinite(table[outcome].astype(float)).any():
            continue
        rows = table[np.isfinite(table[outcome].astype(float))]
        fit = Fit(rows, outcome, unit="run", features=FEATURES)
        expected = fit.expect(plan)
        forecasts += _forecasts(plan, expected, outcome, "lab", [_outside(row, rows, known) for row in _rows(plan)])
        quality.append(Quality(outcome, fit.features, *fit.error(rows["experiment"] + "/" + rows["condition"])))
    return forecasts, quality


def _from_studies(plan: pd.DataFrame, table: pd.DataFrame) -> list[Forecast]:
    forecasts = []
    few = table["model"].nunique() < _FEW_MODELS
    for outcome in STUDY_OUTCOMES:
        rows = table[np.isfinite(table[outcome].astype(float))]
        if len(rows) < 2 * _FEW_MODELS:
            continue
        expected = Fit(rows, outcome, unit="model", features=("share",)).expect(plan)
        if few:
            nothing = np.full(len(plan), np.nan)
            expected = Expected(expected.value, nothing, nothing, expected.distance)
        outside = [_beyond(row, rows, ("share",)) for row in _rows(plan)]
        forecasts += _forecasts(plan, expected, outcome, "studies", outside)
    return forecasts


def _forecasts(
    plan: pd.DataFrame, expected: Expected, outcome: str, basis: str, outside: Sequence[list[str]]
) -> list[Forecast]:
    found = []
    for place, code in enumerate(plan[LANGUAGE]):
        reasons = outside[place]
        if not reasons and expected.distance[place] > _MARKED:
            reasons = ["this combination of shares and tokens"]
        value, low, high = (float(each[place]) for each in (expected.value, expected.low, expected.high))
        found.append(Forecast(str(code), outcome, value, low, high, basis, tuple(reasons)))
    return found


def _outside(row: pd.Series[Any], table: pd.DataFrame, known: set[str]) -> list[str]:
    reasons = [] if row[LANGUAGE] in known else ["a language the lab's runs do not have"]
    return reasons + _beyond(row, table, ("language_tokens", "tokens", "largest", "effective", "n_languages"))


_NAMES = {
    "language_tokens": "the language's tokens",
    "tokens": "tokens in all",
    "largest": "largest share",
    "effective": "balance of the shares",
    "n_languages": "number of languages",
    "share": "share of the language",
}


def _beyond(row: pd.Series[Any], table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        low, high = float(table[name].min()), float(table[name].max())
        if not low * (1 - 1e-6) <= row[name] <= high * (1 + 1e-6):
            found.append(f"{_NAMES[name]} {row[name]:.4g}, the evidence has {low:.4g} to {high:.4g}")
    return found


def _rows(plan: pd.DataFrame) -> list[pd.Series[Any]]:
    return [row for _, row in plan.iterrows()]


def _plain(content: Any) -> Any:  # noqa: ANN401
    if isinstance(content, dict):
        return {str(name): _plain(entry) for name, entry in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(entry) for entry in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
