"""The experiments: what is varied, and what is held fixed."""

import pytest

from polyethos.errors import LabError
from polyethos.lab.experiments import conditions

LANGUAGES = ("en", "fr", "zh", "es", "pt", "vi")


def by_name(experiment, tokens=1000):
    return {condition.name: condition for condition in conditions(experiment, tokens=tokens, languages=LANGUAGES)}


def test_dominance_runs_from_uniform_to_excess_at_the_same_total():
    found = by_name("dominance-fixed-total")
    assert list(found) == ["uniform", "share-0.3", "share-0.5", "share-0.7", "share-0.9", "share-0.97"]
    assert {condition.tokens for condition in found.values()} == {1000}
    assert set(found["uniform"].mixture.shares.values()) == {1 / 6}
    assert found["share-0.7"].mixture.shares["en"] == 0.7
    assert found["share-0.7"].mixture.shares["fr"] == found["share-0.7"].mixture.shares["vi"] == pytest.approx(0.06)


def test_with_fixed_minority_the_other_languages_have_the_same_tokens_in_every_condition():
    found = by_name("dominance-fixed-minority", tokens=100_000)
    for condition in found.values():
        minority = condition.tokens * (1 - condition.mixture.shares["en"])
        assert minority == pytest.approx(50_000, rel=1e-3)
    assert found["share-0.5"].tokens == 100_000


def test_balance_follows_zipfs_law_below_the_dominant_language():
    found = by_name("balance")
    assert [condition.mixture.shares["en"] for condition in found.values()] == [0.6, 0.6, 0.6]
    even, steep = found["exponent-0"].mixture.shares, found["exponent-2"].mixture.shares
    assert even["fr"] == even["vi"] == pytest.approx(0.08)
    assert steep["fr"] / steep["zh"] == pytest.approx(4)
    assert steep["fr"] / steep["vi"] == pytest.approx(25)


def test_one_two_or_four_languages_share_80_percent():
    found = by_name("number-of-dominants")
    assert found["dominants-1"].mixture.shares["en"] == 0.8
    assert [found["dominants-2"].mixture.shares[code] for code in ("en", "fr", "zh")] == pytest.approx([0.4, 0.4, 0.05])
    assert [found["dominants-4"].mixture.shares[code] for code in ("es", "pt")] == pytest.approx([0.2, 0.1])


@pytest.mark.parametrize(
    "experiment", ["dominance-fixed-total", "dominance-fixed-minority", "balance", "number-of-dominants"]
)
def test_shares_sum_to_one_in_all_conditions(experiment):
    for condition in conditions(experiment, tokens=1000):
        assert sum(condition.mixture.shares.values()) == pytest.approx(1)


def test_unknown_experiments_and_too_few_languages_are_refused():
    with pytest.raises(LabError, match="experiment 'E1' does not exist; choose from dominance-fixed-total"):
        conditions("E1", tokens=1000)
    with pytest.raises(LabError, match="2 languages; the experiments need at least 5"):
        conditions("balance", tokens=1000, languages=("en", "fi"))
