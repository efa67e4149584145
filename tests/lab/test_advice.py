"""Advice: forecasts from planted evidence, and honesty about what lies outside it."""

import math

import numpy as np
import pytest
from made_up_sweeps import learnt_by_tokens, planned_results, small_plan, study

from polyethos.errors import LabError
from polyethos.lab.advice import LIMITS, advise
from polyethos.lab.evidence import Study
from polyethos.lab.mixture import Mixture

MIXTURE = Mixture("plan", {"en": 0.5, "zh": 0.1, "es": 0.1, "fi": 0.1, "sw": 0.1, "ta": 0.1})


@pytest.fixture(scope="module")
def evidence():
    return planned_results(
        small_plan(seeds=3), {"transfer": learnt_by_tokens, "loss": lambda *_: np.full((54, 6), 2.0)}
    )


def of(advice, outcome, basis="lab"):
    return {one.language: one for one in advice.forecasts if (one.outcome, one.basis) == (outcome, basis)}


def test_a_language_is_promised_what_its_tokens_brought_in_the_evidence(evidence):
    found = of(advise(MIXTURE, evidence), "transfer")
    # log2 of 50,000 and 10,000 tokens over 1,000, and 0.01 for the mean seed.
    assert found["en"].value == pytest.approx(math.log2(50) + 0.01, abs=0.02)
    assert found["fi"].value == pytest.approx(math.log2(10) + 0.01, abs=0.02)
    assert found["fi"].low < found["fi"].value < found["fi"].high
    assert found["fi"].outside == ()


def test_the_plan_is_of_the_size_and_length_that_most_runs_have_unless_told_otherwise(evidence):
    assert (advise(MIXTURE, evidence).tokens, advise(MIXTURE, evidence).size) == (100_000, "small")
    longer = advise(MIXTURE, evidence, tokens=200_000)
    assert of(longer, "transfer")["fi"].value == pytest.approx(math.log2(20) + 0.01, abs=0.02)


def test_what_lies_outside_the_evidence_is_said_and_far_outside_there_is_no_number(evidence):
    near = of(advise(Mixture("plan", {"en": 0.5, "zh": 0.3, "ny": 0.2}), evidence), "transfer")
    assert near["ny"].outside[0] == "a language the lab's runs do not have"
    assert near["en"].outside == ("number of languages 3, the evidence has 6 to 6",)
    far = of(advise(MIXTURE, evidence, tokens=10**12), "transfer")
    assert math.isnan(far["fi"].value)
    assert far["fi"].outside[0].startswith("the language's tokens 1e+11, the evidence has ")


def test_statements_are_judged_from_the_same_evidence(evidence):
    advice = advise(MIXTURE, evidence)
    # Even shares have the highest mean logarithm; the fifth and sixth language get most beside four dominant ones.
    assert advice.verdicts["balance"] == "supported"
    assert advice.verdicts["few dominants"] == "open"
    assert {one.outcome for one in advice.judgements} == {"transfer", "loss"}
    assert advice.limits == LIMITS


def test_a_fit_says_how_well_it_foretells_what_it_has_not_seen(evidence):
    (transfer,) = [fit for fit in advise(MIXTURE, evidence).quality if fit.outcome == "transfer"]
    assert transfer.error < 0.1 * transfer.plain_error


def test_real_models_give_forecasts_of_their_own_without_an_interval_where_they_are_few(evidence):
    codes = list(MIXTURE.shares)
    shares = dict(zip(codes, (0.9, 0.03, 0.02, 0.005, 0.001, 0.0005), strict=True))
    one = study("llama", codes, shares, similarity=0.4)
    found = of(advise(MIXTURE, evidence, studies=[one]), "consistency", "studies")
    assert found["fi"].value == pytest.approx(0.4, abs=0.01)
    assert math.isnan(found["fi"].low)
    three = [Study(f"m{n}", one.results, shares, "by hand") for n in range(3)]
    found = of(advise(MIXTURE, evidence, studies=three), "consistency", "studies")
    assert found["fi"].low <= found["fi"].value <= found["fi"].high


def test_a_size_without_runs_is_refused(evidence):
    with pytest.raises(LabError, match="size 'large': no run has it; choose from small"):
        advise(MIXTURE, evidence, size="large")


def test_json_holds_no_number_that_json_lacks(evidence):
    content = advise(MIXTURE, evidence, tokens=10**12).to_json()
    assert content["forecasts"][0]["value"] is None
    assert set(content["statements"]) == set(content["verdicts"])
