"""The advice of arXiv:2402.18120 as four statements, each with a criterion stated before any run was made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from polyethos.arrays import LANGUAGE
from polyethos.errors import LabError
from polyethos.lab.experiments import NUMBERS_OF_DOMINANTS, Experiment

Verdict = Literal["supported", "contradicted", "open"]
Block = tuple[str, int]
"""Size and seed: the runs of one block differ in nothing but the mixture and its tokens."""

OUTCOMES = ("transfer", "consistency", "control", "recognition", "verdict_accuracy", "loss")
"""What statements are judged by; the first decides, the others stand beside it."""

STATEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "dominance helps": "A dominant language helps the others to share directions.",
        "excess hurts": "Too large a dominant language hurts the others.",
        "balance": "The other languages do best when they are balanced.",
        "few dominants": "A few dominant languages are better than one, and than many.",
    }
)

_MODERATE, _EXCESSIVE = (0.5, 0.7), 0.9
_EPSILON = 1e-9


@dataclass(frozen=True)
class Judgement:
    """What the runs say about one part of a statement, by one outcome.

    Attributes:
        statement: key of `STATEMENTS`.
        part: what is compared, better side first.
        outcome: by which measure.
        verdict: "supported" if the whole interval is above 0, "contradicted" if it is below, "open" otherwise.
        difference: how much better the advised condition is than the one it must beat, in units of the outcome.
        low: end of the 95 % interval; NaN where there are too few blocks.
        high: the other end.
        blocks: pairs of size and seed that have all the runs compared.
    """

    statement: str
    part: str
    outcome: str
    verdict: Verdict
    difference: float
    low: float
    high: float
    blocks: int


def judge(results: xr.Dataset, outcome: str = OUTCOMES[0]) -> tuple[Judgement, ...]:
    """Judge the statements whose experiments are among the runs.

    The difference is taken within each block of size and seed, whose runs share their first weights, and the interval
    is Student's t over the blocks. Criteria, for the mean of the outcome over the languages that are not dominant in
    any condition of the experiment:

    - "dominance helps": with the same minority tokens, shares of 0.5 to 0.7 beat uniform.
    - "excess hurts": with the same minority tokens, the best of the other shares beats shares of 0.9 and more. For each
      block the best share is chosen by the other blocks, so that choosing it favours nothing.
    - "balance": equal shares of the other languages (exponent 0) beat steep ones (exponent 2), on the mean and on the
      worst language.
    - "few dominants": two dominant languages beat one, and four.

    Args:
        results: from `polyethos.lab.gathering.gather`.
        outcome: one of its variables; of the loss, less is better.

    Raises:
        LabError: the results have no such outcome.
    """
    if outcome not in results:
        raise LabError(f"outcome {outcome!r} does not exist; choose from {', '.join(map(str, results.data_vars))}")
    judgements = [
        _judged(statement, part, outcome, differences)
        for experiment, compare in _COMPARISONS.items()
        if experiment in results["experiment"].values
        for statement, part, differences in compare(_of(results, experiment), outcome)
    ]
    return tuple(judgements)


def judge_all(results: xr.Dataset) -> tuple[Judgement, ...]:
    """`judge` by every one of `OUTCOMES` that the results have."""
    return tuple(one for outcome in OUTCOMES if outcome in results for one in judge(results, outcome))


def verdicts(judgements: Sequence[Judgement], outcome: str = OUTCOMES[0]) -> dict[str, Verdict]:
    """The verdict on each statement, from the judgements of its parts by one outcome.

    Supported if every part is; contradicted if one part is and no other is supported; open otherwise.
    """
    found: dict[str, Verdict] = {}
    for statement in STATEMENTS:
        parts = [each.verdict for each in judgements if (each.statement, each.outcome) == (statement, outcome)]
        if parts and all(verdict == "supported" for verdict in parts):
            found[statement] = "supported"
        elif "contradicted" in parts and "supported" not in parts:
            found[statement] = "contradicted"
        else:
            found[statement] = "open"
    return found


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean by Student's t; NaN for fewer than two numbers."""
    if len(differences) < 2:
        return math.nan, math.nan
    mean, error = float(np.mean(differences)), float(stats.sem(differences))
    reach = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return mean - reach, mean + reach


Scores = dict[Block, dict[float, float]]
Compared = tuple[str, str, list[float]]


def _dominance(runs: xr.Dataset, outcome: str) -> list[Compared]:
    scores = _scores(runs, outcome, np.mean)
    levels = sorted(set(runs["level"].values.tolist()))
    moderate = [level for level in levels if _MODERATE[0] - _EPSILON <= level <= _MODERATE[1] + _EPSILON]
    excessive = [level for level in levels if level >= _EXCESSIVE - _EPSILON]
    others = [level for level in levels if level not in excessive]
    against = "shares " + ", ".join(f"{level:g}" for level in excessive)
    return [
        ("dominance helps", "shares 0.5 and 0.7 against uniform", _differences(scores, moderate, levels[:1])),
        ("excess hurts", f"the best other share against {against}", _best_against(scores, others, excessive)),
    ]


def _best_against(scores: Scores, others: list[float], excessive: list[float]) -> list[float]:
    whole = {block: found for block, found in scores.items() if set(others) | set(excessive) <= set(found)}
    differences = []
    for block, found in whole.items():
        rest = [each for name, each in whole.items() if name != block]
        if rest and excessive:
            best = max(others, key=lambda level: float(np.mean([each[level] for each in rest])))
            differences.append(found[best] - float(np.mean([found[level] for level in excessive])))
    return differences


def _balance(runs: xr.Dataset, outcome: str) -> list[Compared]:
    return [
        (
            "balance",
            f"equal against steep shares, {name}",
            _differences(_scores(runs, outcome, over), [0.0], [2.0]),
        )
        for name, over in (("mean", np.mean), ("worst language", np.min))
    ]


def _number(runs: xr.Dataset, outcome: str) -> list[Compared]:
    scores = _scores(runs, outcome, np.mean)
    return [
        ("few dominants", f"2 dominants against {other}", _differences(scores, [2.0], [float(other)]))
        for other in NUMBERS_OF_DOMINANTS
        if other != 2
    ]


_COMPARISONS: Mapping[Experiment, Callable[[xr.Dataset, str], list[Compared]]] = MappingProxyType(
    {"dominance-fixed-minority": _dominance, "balance": _balance, "number-of-dominants": _number}
)


def _of(results: xr.Dataset, experiment: Experiment) -> xr.Dataset:
    chosen = results.isel(run=np.flatnonzero(results["experiment"].values == experiment))
    # Languages come dominant ones first; those that are dominant in any condition are left out of all of them.
    dominant = max(NUMBERS_OF_DOMINANTS) if experiment == "number-of-dominants" else 1
    return chosen.isel({LANGUAGE: slice(dominant, None)})


def _scores(runs: xr.Dataset, outcome: str, over: Callable[[NDArray[np.float64]], float]) -> Scores:
    """One number per run, larger is better, by block and level."""
    values = -runs[outcome] if outcome == "loss" else runs[outcome]
    scores: Scores = {}
    for size, seed, level, row in zip(
        runs["size"].values.tolist(), runs["seed"].values.tolist(), runs["level"].values.tolist(), values, strict=True
    ):
        known = row.values[np.isfinite(row.values)]
        if known.size:
            scores.setdefault((size, seed), {})[level] = float(over(known))
    return scores


def _differences(scores: Scores, better: list[float], worse: list[float]) -> list[float]:
    """Mean over the better levels minus that over the worse ones, in each block that has them all."""
    return [
        float(np.mean([found[level] for level in better]) - np.mean([found[level] for level in worse]))
        for found in scores.values()
        if better and worse and set(better) | set(worse) <= set(found)
    ]


def _judged(statement: str, part: str, outcome: str, differences: list[float]) -> Judgement:
    low, high = interval(differences)
    verdict: Verdict = "supported" if low > 0 else "contradicted" if high < 0 else "open"
    mean = float(np.mean(differences)) if differences else math.nan
    return Judgement(statement, part, outcome, verdict, mean, low, high, len(differences))
