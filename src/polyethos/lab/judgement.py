"""The advice of arXiv:2402.18120 as four statements, each with a criterion stated before any run was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from polyethos.arrays import LANGUAGE
from polyethos.errors import LabError
from polyethos.lab.experiments import NUMBERS_OF_DOMINANTS, Experiment

Verdict = Literal["supported", "contradicted", "open"]
Measure = Literal["mean", "minimum"]

_MODERATE, _EXCESSIVE = (0.5, 0.7), 0.9
_EPSILON = 1e-9


@dataclass(frozen=True)
class Judgement:
    """What the runs say about one statement.

    Attributes:
        statement: in words.
        verdict: "supported" if the whole interval is above 0, "contradicted" if it is below, "open" otherwise.
        difference: how much better the advised condition is than the one it must beat, in units of the outcome.
        low: end of the 95 % interval (Welch, the run as the unit); NaN where there are too few runs.
        high: the other end.
        runs: runs on the two sides.
        compared: the two conditions.
    """

    statement: str
    verdict: Verdict
    difference: float
    low: float
    high: float
    runs: tuple[int, int]
    compared: tuple[str, str]


def judge(results: xr.Dataset, outcome: str = "recognition") -> tuple[Judgement, ...]:
    """Judge the statements whose experiments are among the runs.

    Criteria, for the mean of the outcome over the languages that are not dominant:

    - "dominance helps": with the same minority tokens, shares of 0.5 to 0.7 beat uniform.
    - "excess hurts": with the same minority tokens, the best of the other shares beats shares of 0.9 and more. The
      best is chosen by the same runs, which favours the statement a little.
    - "balance": exponent 0 beats exponent 2, on the mean and on the worst language (two judgements).
    - "few dominants": two dominant languages beat one, and four (two judgements).

    Args:
        results: from `polyethos.lab.sweep.sweep`.
        outcome: one of its variables; of the loss, less is better.

    Raises:
        LabError: the results have no such outcome.
    """
    if outcome not in results:
        raise LabError(f"outcome {outcome!r} does not exist; choose from {', '.join(map(str, results.data_vars))}")
    present = set(results.experiment.values.tolist())
    judgements: list[Judgement] = []
    if "dominance-fixed-minority" in present:
        judgements += _dominance(_of(results, "dominance-fixed-minority"), outcome)
    if "balance" in present:
        balance = _of(results, "balance")
        for measure in ("mean", "minimum"):
            sides = [_at(_scores(balance, outcome, measure), balance, (exponent,)) for exponent in (0, 2)]
            judgements.append(_compared(f"balance ({measure})", sides[0], sides[1], ("exponent 0", "exponent 2")))
    if "number-of-dominants" in present:
        runs = _of(results, "number-of-dominants")
        one, two, four = (_at(_scores(runs, outcome, "mean"), runs, (n,)) for n in NUMBERS_OF_DOMINANTS)
        judgements.append(_compared("few dominants (2 against 1)", two, one, ("2 dominants", "1 dominant")))
        judgements.append(_compared("few dominants (2 against 4)", two, four, ("2 dominants", "4 dominants")))
    return tuple(judgements)


def _dominance(runs: xr.Dataset, outcome: str) -> list[Judgement]:
    scores = _scores(runs, outcome, "mean")
    levels = sorted(set(runs.level.values.tolist()))
    moderate = tuple(level for level in levels if _MODERATE[0] - _EPSILON <= level <= _MODERATE[1] + _EPSILON)
    excessive = tuple(level for level in levels if level >= _EXCESSIVE - _EPSILON)
    others = [level for level in levels if level not in excessive]
    best = max(others, key=lambda level: float(np.mean(_at(scores, runs, (level,)))))
    return [
        _compared(
            "dominance helps",
            _at(scores, runs, moderate),
            _at(scores, runs, (levels[0],)),
            ("shares " + ", ".join(f"{level:g}" for level in moderate), "uniform"),
        ),
        _compared(
            "excess hurts",
            _at(scores, runs, (best,)),
            _at(scores, runs, excessive),
            (f"share {best:.3g}", "shares " + ", ".join(f"{level:g}" for level in excessive)),
        ),
    ]


def _of(results: xr.Dataset, experiment: Experiment) -> xr.Dataset:
    chosen = results.isel(run=np.flatnonzero(results.experiment.values == experiment))
    # Languages come dominant ones first; those that are dominant in any condition are left out of all of them.
    dominant = max(NUMBERS_OF_DOMINANTS) if experiment == "number-of-dominants" else 1
    return chosen.isel({LANGUAGE: slice(dominant, None)})


def _scores(runs: xr.Dataset, outcome: str, measure: Measure) -> NDArray[np.float64]:
    """One number per run, larger is better."""
    values = -runs[outcome] if outcome == "loss" else runs[outcome]
    over = values.mean(LANGUAGE) if measure == "mean" else values.min(LANGUAGE)
    return np.asarray(over.values, dtype=np.float64)


def _at(scores: NDArray[np.float64], runs: xr.Dataset, levels: tuple[float, ...]) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = scores[np.isclose(runs.level.values[:, None], np.array(levels)[None, :]).any(axis=1)]
    return chosen


def _compared(
    statement: str, better: NDArray[np.float64], worse: NDArray[np.float64], compared: tuple[str, str]
) -> Judgement:
    difference = float(np.mean(better) - np.mean(worse))
    low = high = float("nan")
    if min(len(better), len(worse)) > 1:
        interval = stats.ttest_ind(better, worse, equal_var=False).confidence_interval(0.95)
        low, high = float(interval.low), float(interval.high)
    verdict: Verdict = "supported" if low > 0 else "contradicted" if high < 0 else "open"
    return Judgement(statement, verdict, difference, low, high, (len(better), len(worse)), compared)
