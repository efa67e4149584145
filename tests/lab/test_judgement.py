"""Judgements: the seed is the unit, and the criteria are those stated beforehand."""

import math

import numpy as np
import pytest
import xarray as xr

from polyethos.errors import LabError
from polyethos.lab.judgement import interval, judge, verdicts

SEEDS = (0, 1, 2)
NOISE = (-0.01, 0.0, 0.01)
LANGUAGES = ["en", "fr", "zh", "es", "pt", "vi"]


def results(experiment, by_level, *, outcome="transfer", seeds=SEEDS, sizes=("small",)):
    """Runs whose languages all have the level's value, plus noise that differs between seeds and levels."""
    rows = [
        (size, level, seed, value + NOISE[(seed + place) % 3])
        for size in sizes
        for place, (level, value) in enumerate(by_level.items())
        for seed in seeds
    ]
    return xr.Dataset(
        {outcome: (("run", "language"), np.array([[row[-1]] * len(LANGUAGES) for row in rows]))},
        coords={
            "run": [f"{size}-{level}-{seed}" for size, level, seed, _ in rows],
            "language": LANGUAGES,
            "experiment": ("run", [experiment] * len(rows)),
            "size": ("run", [row[0] for row in rows]),
            "level": ("run", [float(row[1]) for row in rows]),
            "seed": ("run", [row[2] for row in rows]),
        },
    )


def dominance(uniform, moderate, excessive, **options):
    levels = {1 / 6: uniform, 0.3: uniform, 0.5: moderate, 0.7: moderate, 0.9: excessive, 0.97: excessive}
    return results("dominance-fixed-minority", levels, **options)


def by_part(found):
    return {judgement.part: judgement.verdict for judgement in found}


def test_dominance_and_excess_are_supported_by_a_peak_in_the_middle():
    found = judge(dominance(0.6, 0.8, 0.7))
    assert verdicts(found)["dominance helps"] == verdicts(found)["excess hurts"] == "supported"
    assert found[0].difference == pytest.approx(0.2)
    assert found[0].blocks == 3
    assert 0.1 < found[0].low < 0.2 < found[0].high < 0.3


def test_both_are_contradicted_where_ever_more_is_ever_better_or_worse():
    assert verdicts(judge(dominance(0.8, 0.6, 0.5)))["dominance helps"] == "contradicted"
    assert verdicts(judge(dominance(0.5, 0.6, 0.8)))["excess hurts"] == "contradicted"


def test_equal_conditions_leave_a_statement_open():
    found = verdicts(judge(dominance(0.7, 0.7, 0.7)))
    assert set(found.values()) == {"open"}


def test_a_single_seed_leaves_every_statement_open():
    for judgement in judge(results("number-of-dominants", {1: 0.6, 2: 0.9, 4: 0.6}, seeds=(0,))):
        assert judgement.verdict == "open"
        assert math.isnan(judgement.low)
        assert judgement.blocks == 1


def test_the_interval_is_students_t_over_seeds():
    # Mean 2, standard deviation 1, three numbers: 2 -+ 4.3027 / sqrt(3).
    assert interval([1, 2, 3]) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)


def test_what_a_seed_has_in_common_does_not_widen_the_interval():
    plain = results("number-of-dominants", {1: 0.6, 2: 0.8, 4: 0.7})
    shifted = plain.assign(transfer=plain.transfer + plain.seed)
    assert [each.low for each in judge(shifted)] == pytest.approx([each.low for each in judge(plain)])


def test_sizes_are_blocks_of_their_own():
    assert judge(dominance(0.6, 0.8, 0.7, sizes=("small", "tiny")))[0].blocks == 6


def test_a_seed_that_lacks_a_run_does_not_count():
    whole = dominance(0.6, 0.8, 0.7)
    found = judge(whole.isel(run=slice(1, None)))
    assert [judgement.blocks for judgement in found] == [2, 2]


def test_the_best_share_is_chosen_by_the_other_seeds():
    # Each seed has a lucky share of its own; chosen by itself it would beat the rest by 0.9.
    lucky = dominance(0.5, 0.5, 0.5)
    values = np.full(lucky.transfer.shape, 0.5)
    for seed, level in zip(SEEDS, (0.3, 0.5, 0.7), strict=True):
        values[(lucky.seed.values == seed) & (lucky.level.values == level)] = 1.4
    found = judge(lucky.assign(transfer=(("run", "language"), values)))
    assert found[1].difference == pytest.approx(0)


def test_balance_needs_both_the_mean_and_the_worst_language():
    balance = results("balance", {0: 0.7, 1: 0.7, 2: 0.7})
    steep = balance.level.values == 2
    values = balance.transfer.values.copy()
    values[steep, 1] += 0.2
    values[steep, -1] -= 0.2
    found = judge(balance.assign(transfer=(("run", "language"), values)))
    assert by_part(found) == {
        "equal against steep shares, mean": "open",
        "equal against steep shares, worst language": "supported",
    }
    assert verdicts(found)["balance"] == "open"


def test_two_dominant_languages_must_beat_one_and_four():
    found = judge(results("number-of-dominants", {1: 0.6, 2: 0.8, 4: 0.9}))
    assert by_part(found) == {"2 dominants against 1": "supported", "2 dominants against 4": "contradicted"}
    assert verdicts(found)["few dominants"] == "open"


def test_the_dominant_languages_own_results_do_not_count():
    runs = dominance(0.7, 0.7, 0.7)
    values = runs.transfer.values.copy()
    before = judge(runs)[0].difference
    values[runs.level.values == 0.5, 0] = 1.0
    changed = runs.assign(transfer=(("run", "language"), values))
    assert judge(changed)[0].difference == pytest.approx(before)


def test_of_the_loss_less_is_better():
    found = verdicts(judge(dominance(2.0, 1.0, 1.5, outcome="loss"), "loss"), "loss")
    assert found["dominance helps"] == found["excess hurts"] == "supported"


def test_experiments_that_were_not_run_are_not_judged():
    assert judge(results("dominance-fixed-total", {0.5: 0.7, 0.9: 0.6})) == ()


def test_an_unknown_outcome_is_refused():
    with pytest.raises(LabError, match="outcome 'steering' does not exist; choose from transfer"):
        judge(dominance(0.5, 0.6, 0.7), "steering")
