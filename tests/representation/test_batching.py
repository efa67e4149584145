import numpy as np
import pytest
import torch
from transformers import Gemma2Config, LlamaConfig, MistralConfig, Phi3Config

from polyethos.representation.batching import Row, packed_batch, padded_batch, shared_rows, single_rows
from polyethos.representation.sharing import uniform_tokens
from polyethos.representation.tokens import Reading


def reading(*tokens: int) -> Reading:
    return Reading(tokens, (len(tokens) - 1,))


PAIR = [reading(1, 2, 3, 4), reading(1, 2, 5), reading(9)]


def test_a_shared_beginning_takes_no_further_tokens():
    (row,) = shared_rows(PAIR, range(3), budget=2048)
    assert row == Row(texts=(0, 1, 2), shared=(0, 2, 0), size=6)


def test_a_text_that_begins_another_takes_no_token_of_its_own():
    (row,) = shared_rows([reading(1, 2, 3), reading(1, 2)], range(2), budget=2048)
    assert row.size == 3


def test_texts_that_do_not_fit_into_a_row_open_the_next_one():
    texts = [reading(*range(start, start + 100)) for start in range(5)]
    rows = shared_rows(texts, range(5), budget=2048)
    assert [row.texts for row in rows] == [(0, 1), (2, 3), (4,)]
    assert [row.size for row in rows] == [200, 200, 100]


def test_two_long_texts_with_the_same_beginning_still_meet():
    beginning = tuple(range(1000))
    (row,) = shared_rows([reading(*beginning, 1), reading(*beginning, 2)], range(2), budget=2048)
    assert row.size == 1002


def test_a_row_keeps_to_the_budget():
    rows = shared_rows([reading(1, 2, 3, 4), reading(1, 2, 5), reading(9)], range(3), budget=4)
    assert [row.size for row in rows] == [4, 4]
    assert shared_rows(PAIR, [0], budget=1)[0].size == 4


def test_every_token_of_a_packed_row_sees_its_own_text_up_to_itself():
    batch = packed_batch(PAIR, shared_rows(PAIR, range(3), budget=2048), torch.float32)
    assert batch.inputs["input_ids"].tolist() == [[1, 2, 3, 4, 5, 9]]
    assert batch.inputs["position_ids"].tolist() == [[0, 1, 2, 3, 2, 0]]
    seen = (batch.inputs["attention_mask"][0, 0] == 0).int().tolist()
    assert seen == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
    assert (batch.texts, batch.columns.tolist()) == ((0, 1, 2), [3, 4, 5])


def test_padding_of_a_packed_row_sees_only_itself():
    rows = [Row((0,), (0,), 4), Row((2,), (0,), 1)]
    seen = packed_batch(PAIR, rows, torch.float32).inputs["attention_mask"][1, 0] == 0
    assert np.array_equal(seen.numpy(), np.eye(4, dtype=bool))


def test_padding_stands_on_the_right_and_is_masked():
    batch = padded_batch(PAIR, single_rows(PAIR, [0, 2]))
    assert batch.inputs["input_ids"].tolist() == [[1, 2, 3, 4], [9, 0, 0, 0]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 0, 0, 0]]
    assert (batch.rows.tolist(), batch.columns.tolist()) == ([0, 1], [3, 0])


def test_several_chosen_tokens_of_a_text_have_one_owner():
    batch = padded_batch([Reading((1, 2, 3), (1, 2))], [Row((0,), (0,), 3)])
    assert (batch.owners.tolist(), batch.columns.tolist()) == ([0, 0], [1, 2])


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        (LlamaConfig(), None),
        (MistralConfig(sliding_window=4096), 4096),
        (Gemma2Config(sliding_window=12), 12),
        (Phi3Config(sliding_window=None, original_max_position_embeddings=64), 64),
    ],
)
def test_texts_beyond_a_sliding_window_or_another_rotary_scale_are_kept_apart(config, limit):
    assert uniform_tokens(config) == limit
