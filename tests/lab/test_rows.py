"""Rows: a function of seed, kind and number alone, in the proportions asked for."""

import itertools
from collections import Counter

import numpy as np

from polyethos.lab.rows import Schedule, WorldRows
from polyethos.lab.tokenizer import BEGIN, END
from polyethos.lab.world import World


class NumberedRows:
    """Rows that say which they are."""

    def row(self, kind, number):
        return [len(kind), number]


def test_every_kind_comes_as_often_as_its_probability_says():
    kinds = {("en",): 0.9, ("fi",): 0.07, ("en", "fi"): 0.03}
    schedule = Schedule(kinds, rows=1000, seed=0)
    _, order = schedule.batch(NumberedRows(), 0, 1000)
    assert Counter(schedule.kinds[kind] for kind in order) == {("en",): 900, ("fi",): 70, ("en", "fi"): 30}


def test_rows_of_a_kind_are_numbered_in_the_order_they_come():
    schedule = Schedule({("en",): 0.5, ("en", "fi"): 0.5}, rows=100, seed=0)
    rows, _ = schedule.batch(NumberedRows(), 0, 100)
    for length in (1, 2):
        assert rows[rows[:, 0] == length, 1].tolist() == list(range(50))


def test_a_batch_does_not_depend_on_the_batches_before_it():
    kinds = {("en",): 0.6, ("fi",): 0.4}
    whole, _ = Schedule(kinds, rows=40, seed=3).batch(NumberedRows(), 0, 40)
    later, _ = Schedule(kinds, rows=40, seed=3).batch(NumberedRows(), 24, 8)
    np.testing.assert_array_equal(later, whole[24:32])


def test_another_seed_gives_another_order():
    kinds = {("en",): 0.5, ("fi",): 0.5}
    orders = [Schedule(kinds, rows=100, seed=seed).batch(NumberedRows(), 0, 100)[1].tolist() for seed in (0, 1)]
    assert orders[0] != orders[1]


def test_a_world_row_begins_with_a_document_and_has_the_length_asked_for(small_tokenizer):
    rows = WorldRows(World(), small_tokenizer, length=64, seed=0)
    begin, end = (small_tokenizer.convert_tokens_to_ids(token) for token in (BEGIN, END))
    for number in range(20):
        row = rows.row(("en",), number)
        assert (len(row), row[0]) == (64, begin)
        assert all(after == begin for before, after in itertools.pairwise(row) if before == end)


def test_world_rows_repeat_for_the_same_seed_and_differ_between_numbers_and_seeds(small_tokenizer):
    first, again, other = (WorldRows(World(), small_tokenizer, length=64, seed=seed) for seed in (0, 0, 1))
    assert first.row(("fi",), 5) == again.row(("fi",), 5)
    assert first.row(("fi",), 5) != first.row(("fi",), 6)
    assert first.row(("fi",), 5) != other.row(("fi",), 5)
