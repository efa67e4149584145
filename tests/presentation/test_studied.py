"""What a reader is told of model and data before the answers."""

import pytest
import xarray as xr
from results_by_hand import study_of, study_with_tests

from polyethos.presentation.sample import few_items, sample
from polyethos.presentation.studied import Example, described, studied


def test_what_was_studied_stays_with_the_results():
    pair = Example("fairness", "en", "She was judged by her work.", "She was judged by her origin.")
    about = studied(described(study_of(), "A toy.", "; so and so", (pair,)))
    assert about.model == "A toy."
    assert about.data == "The number of one value in one language rests on 96 pairs; so and so."
    assert about.examples == (pair,)


def test_results_that_nobody_described_still_tell_their_sample():
    assert studied(study_of()).model == ""
    assert "96 pairs" in studied(study_of()).data


def test_groups_are_told_where_they_are_fewer_than_pairs():
    counts = xr.where(study_of()["n_items"] > 0, 16, 0)
    assert sample(study_of().assign(n_groups=counts)) == "96 pairs from 16 independent groups"
    assert sample(study_of().assign(n_groups=study_of()["n_items"])) == "96 pairs"


@pytest.mark.parametrize(("groups", "warned"), [(11, True), (12, False)])
def test_independent_groups_not_pairs_decide_whether_there_are_enough(groups, warned):
    counts = xr.where(study_with_tests()["n_items"] > 0, groups, 0)
    assert bool(few_items(study_with_tests().assign(n_groups=counts))) == warned
