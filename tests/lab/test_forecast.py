"""Forecasts: what was planted is found, and what is far away gets no number."""

import numpy as np
import pandas as pd
import pytest

from polyethos.lab.forecast import Fit


def table(*, runs=40, noise=0.0, seed=0):
    """Six languages per run; the outcome grows by 0.3 for every doubling of a language's tokens."""
    generator = np.random.default_rng(seed)
    tokens = 2.0 ** generator.uniform(10, 16, (runs, 6))
    between = noise * generator.normal(size=(runs, 1))
    within = noise * generator.normal(size=(runs, 6))
    return pd.DataFrame(
        {
            "run": np.repeat([f"run-{n}" for n in range(runs)], 6),
            "language_tokens": tokens.ravel(),
            "parameters": 1000,
            "transfer": (0.3 * np.log2(tokens) + between + within).ravel(),
        }
    )


def asked(*tokens):
    return pd.DataFrame({"language_tokens": tokens, "parameters": 1000})


def fitted(rows, outcome="transfer"):
    return Fit(rows, outcome, unit="run", features=("language_tokens", "parameters"))


def test_a_planted_slope_is_found_and_what_no_run_varies_is_left_out():
    fit = fitted(table())
    assert fit.features == ("language_tokens",)
    assert fit.n_units == 40
    assert fit.expect(asked(2**11, 2**14)).value == pytest.approx([3.3, 4.2], abs=0.01)


def test_the_interval_is_one_for_a_new_run():
    truth = table(runs=400, noise=0.2, seed=1)
    expected = fitted(table(noise=0.2)).expect(truth)
    covered = np.mean((expected.low <= truth["transfer"]) & (truth["transfer"] <= expected.high))
    assert 0.9 < covered < 0.985


def test_far_away_there_is_no_number():
    expected = fitted(table()).expect(asked(2**13, 2**16.5, 2**30))
    assert expected.distance[0] < 1 < expected.distance[1] < 3 < expected.distance[2]
    assert np.isfinite(expected.value[:2]).all()
    assert np.isnan([expected.value[2], expected.low[2], expected.high[2]]).all()


def test_too_few_runs_give_a_number_but_no_interval():
    expected = fitted(table(runs=2)).expect(asked(2**13))
    assert np.isfinite(expected.value[0])
    assert np.isnan(expected.low[0])


def test_the_error_on_what_was_left_out_is_compared_with_expecting_the_mean():
    rows = table(noise=0.1)
    ours, plain = fitted(rows).error(rows["run"])
    assert 0.05 < ours < 0.2
    assert plain > 2 * ours
    rows["transfer"] = np.random.default_rng(0).normal(size=len(rows))
    ours, plain = fitted(rows).error(rows["run"])
    assert ours == pytest.approx(plain, rel=0.1)


@pytest.mark.parametrize(("outcome", "lowest", "highest"), [("recognition", 0.5, 1.0), ("loss", 0.0, np.inf)])
def test_forecasts_stay_where_the_outcome_lives(outcome, lowest, highest):
    rows = table(noise=0.5)
    rows[outcome] = np.clip(rows["transfer"] / 5, 0.3, 1.0)
    expected = fitted(rows, outcome).expect(asked(2**10, 2**16))
    for end in (expected.value, expected.low, expected.high):
        assert ((lowest <= end) & (end <= highest)).all()
