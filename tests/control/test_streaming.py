"""Answers token by token: the same as generation, the same as plain where nothing is steered."""

import numpy as np
import pytest

from polyethos.control.generation import generate_answers
from polyethos.control.operators import Intervention
from polyethos.control.streaming import stream_answers
from polyethos.errors import DataError
from polyethos.representation.template import Template

BARE = Template("{input}")
PROMPT = "w1 w2 w3"


@pytest.fixture
def llama(language_model):
    return language_model("llama")


def directions(model, seed=0):
    return np.random.default_rng(seed).normal(size=(model.n_layers, model.hidden_size)).astype(np.float32)


def last(rows):
    return [*rows][-1]


def push(model, strength, **words):
    return Intervention(layer=2, vector=directions(model)[1], strength=strength, norm=5.0, **words)


def test_the_answer_is_the_one_that_generation_gives(llama):
    plan = [push(llama, 0.8)]
    plain, steered = last(
        stream_answers(llama, PROMPT, [[], plan], directions=directions(llama), template=BARE, max_new_tokens=6)
    )
    expected = generate_answers(llama, [PROMPT] * 2, [[], plan], template=BARE, max_new_tokens=6)
    assert [plain.answer.strip(), steered.answer.strip()] == expected


@pytest.mark.parametrize("scope", ["all", "generated", "last-prompt"])
def test_scopes_mean_the_same_as_in_generation(llama, scope):
    plan = [push(llama, 2.0, scope=scope)]
    (row,) = last(stream_answers(llama, PROMPT, [plan], directions=directions(llama), template=BARE, max_new_tokens=6))
    assert [row.answer.strip()] == generate_answers(llama, [PROMPT], [plan], template=BARE, max_new_tokens=6)


def test_strength_nought_changes_nothing(llama):
    rows = stream_answers(
        llama, PROMPT, [[], [push(llama, 0.0)]], directions=directions(llama), template=BARE, max_new_tokens=5
    )
    for plain, steered in rows:
        assert plain.texts == steered.texts
        assert plain.projections == pytest.approx(steered.projections, abs=1e-4, nan_ok=True)


def test_steering_moves_the_projection_at_its_layer_by_its_amount_and_earlier_layers_not_at_all(llama):
    plain, steered = next(
        stream_answers(llama, PROMPT, [[], [push(llama, 0.5)]], directions=directions(llama), template=BARE)
    )
    moved = (steered.projections - plain.projections)[: plain.prompt]
    assert moved[:, 0] == pytest.approx(0, abs=1e-4)
    assert moved[:, 1] == pytest.approx(2.5, abs=1e-3)


def test_only_the_newest_token_is_unread_and_none_at_the_end(llama):
    stream = [*stream_answers(llama, PROMPT, [[]], directions=directions(llama), template=BARE, max_new_tokens=4)]
    for (row,) in stream[:-1]:
        assert np.isnan(row.projections).all(axis=1).tolist() == [False] * (len(row.texts) - 1) + [True]
    (end,) = stream[-1]
    assert end.finished
    assert np.isfinite(end.projections).all()
    assert end.projections.shape == (len(end.texts), llama.n_layers)


def test_the_model_is_itself_again_after_an_abandoned_stream(llama):
    before = generate_answers(llama, [PROMPT], template=BARE, max_new_tokens=6)
    rows = stream_answers(llama, PROMPT, [[push(llama, 3.0)]], directions=directions(llama), template=BARE)
    next(rows)
    rows.close()
    assert generate_answers(llama, [PROMPT], template=BARE, max_new_tokens=6) == before


def test_a_prompt_that_leaves_no_room_is_refused_with_the_remedy(llama):
    with pytest.raises(DataError, match=r"tokens.*shorten it"):
        next(stream_answers(llama, "w1 " * 5000, [[]], directions=directions(llama), template=BARE))
    with pytest.raises(DataError, match="write something"):
        next(stream_answers(llama, "", [[]], directions=directions(llama), template=BARE))


def test_the_texts_of_tokens_put_together_are_the_text_in_every_script():
    from polyethos.lab.pocket import pocket_model_path
    from polyethos.representation.model import load_model

    model = load_model(pocket_model_path("pocket-balanced"))
    prompt = "Paka 猫在睡觉。 고양이 பூனை పిల్లి 🙂 e\u0301 \u202e"
    template = Template("<|begin|>{input}", special_tokens=False)
    (row,) = next(stream_answers(model, prompt, [[]], directions=directions(model), template=template))
    told = zip(row.texts[: row.prompt], row.special[: row.prompt], strict=True)
    assert "".join(text for text, special in told if not special) == prompt
    assert row.special[0]
    assert row.texts[0] == "<|begin|>"
