"""Judgements: the run is the unit, and the criteria are those stated beforehand."""

import math

import numpy as np
import pytest
import xarray as xr

from polyethos.errors import LabError
from polyethos.lab.judgement import judge

SEEDS = (0, 1, 2)
NOISE = (-0.01, 0.0, 0.01)
LANGUAGES = ["en", "fr", "zh", "es", "pt", "vi"]


def results(experiment, by_level, *, outcome="recognition", seeds=SEEDS):
    """Runs whose languages all have the level's value plus the seed's noise."""
    rows = [(level, seed, value + NOISE[seed]) for level, value in by_level.items() for seed in seeds]
    values = np.array([[value] * len(LANGUAGES) for _, _, value in rows])
    return xr.Dataset(
        {outcome: (("run", "language"), values)},
        coords={
            "run": [f"{level}-{seed}" for level, seed, _ in rows],
            "language": LANGUAGES,
            "experiment": ("run", [experiment] * len(rows)),
            "level": ("run", [level for level, _, _ in rows]),
        },
    )


def dominance(uniform, moderate, excessive, **options):
    levels = {1 / 6: uniform, 0.3: uniform, 0.5: moderate, 0.7: moderate, 0.9: excessive, 0.97: excessive}
    return results("dominance-fixed-minority", levels, **options)


def verdicts(found):
    return {judgement.statement: judgement.verdict for judgement in found}


def test_dominance_and_excess_are_supported_by_a_peak_in_the_middle():
    found = judge(dominance(0.6, 0.8, 0.7))
    assert verdicts(found) == {"dominance helps": "supported", "excess hurts": "supported"}
    assert found[0].difference == pytest.approx(0.2)
    assert found[0].runs == (6, 3)
    assert 0.15 < found[0].low < 0.2 < found[0].high < 0.25


def test_both_are_contradicted_where_ever_more_is_ever_better_or_worse():
    assert verdicts(judge(dominance(0.8, 0.6, 0.5)))["dominance helps"] == "contradicted"
    assert verdicts(judge(dominance(0.5, 0.6, 0.8)))["excess hurts"] == "contradicted"


def test_equal_conditions_leave_a_statement_open():
    assert set(verdicts(judge(dominance(0.7, 0.7, 0.7))).values()) == {"open"}


def test_a_single_run_per_condition_leaves_every_statement_open():
    one = results("number-of-dominants", {1: 0.6, 2: 0.9, 4: 0.6}, seeds=(0,))
    for judgement in judge(one):
        assert judgement.verdict == "open"
        assert math.isnan(judgement.low)
        assert judgement.difference == pytest.approx(0.3)


def test_balance_is_judged_on_the_mean_and_on_the_worst_language():
    balance = results("balance", {0: 0.7, 1: 0.7, 2: 0.7})
    steep = balance.level.values == 2
    values = balance.recognition.values.copy()
    values[steep, 1] += 0.2
    values[steep, -1] -= 0.2
    found = judge(balance.assign(recognition=(("run", "language"), values)))
    assert verdicts(found) == {"balance (mean)": "open", "balance (minimum)": "supported"}


def test_two_dominant_languages_must_beat_one_and_four():
    found = judge(results("number-of-dominants", {1: 0.6, 2: 0.8, 4: 0.9}))
    assert verdicts(found) == {
        "few dominants (2 against 1)": "supported",
        "few dominants (2 against 4)": "contradicted",
    }


def test_the_dominant_languages_own_results_do_not_count():
    runs = dominance(0.7, 0.7, 0.7)
    values = runs.recognition.values.copy()
    values[runs.level.values == 0.5, 0] = 1.0
    assert judge(runs.assign(recognition=(("run", "language"), values)))[0].difference == pytest.approx(0)


def test_of_the_loss_less_is_better():
    found = judge(dominance(2.0, 1.0, 1.5, outcome="loss"), "loss")
    assert verdicts(found) == {"dominance helps": "supported", "excess hurts": "supported"}


def test_experiments_that_were_not_run_are_not_judged():
    assert judge(results("dominance-fixed-total", {0.5: 0.7, 0.9: 0.6})) == ()


def test_an_unknown_outcome_is_refused():
    with pytest.raises(LabError, match="outcome 'steering' does not exist; choose from recognition"):
        judge(dominance(0.5, 0.6, 0.7), "steering")
