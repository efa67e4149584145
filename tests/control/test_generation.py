"""Steered answers: in the order of the prompts, whatever shares their batch."""

import numpy as np
import pytest

from polyethos.control.generation import dose_response, generate_answers, side_by_side
from polyethos.control.operators import Intervention
from polyethos.errors import SteeringError
from polyethos.representation.template import Template

PROMPTS = ["w1 w2 w3", "w40 w5", "w7 w8 w9 w10 w11", "w21"]


def push(strength, seed=1):
    vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    return Intervention(2, vector, strength=strength)


def test_answers_do_not_depend_on_the_batch(every_model):
    plans = [[push(1.0)], [], [push(-2.0, seed=3)], [push(0.5)]]
    together = generate_answers(every_model, PROMPTS, plans, max_new_tokens=5)
    alone = [
        generate_answers(every_model, [prompt], [plan], max_new_tokens=5)[0]
        for prompt, plan in zip(PROMPTS, plans, strict=True)
    ]
    assert together == alone


def test_a_dose_of_nothing_is_the_plain_answer_and_others_are_not(language_model):
    model = language_model()
    table = dose_response(model, PROMPTS, {0: [], 1: [push(0.0)], 2: [push(4.0)]}, max_new_tokens=6)
    plain = generate_answers(model, PROMPTS, max_new_tokens=6)
    assert table.sel(dose=0).values.tolist() == plain
    assert table.sel(dose=1).values.tolist() == plain
    assert table.sel(dose=2).values.tolist() != plain


def test_plain_and_steered_answers_stand_side_by_side(language_model):
    model = language_model()
    pairs = side_by_side(model, PROMPTS[:2], [push(4.0)], max_new_tokens=6)
    assert [pair.prompt for pair in pairs] == PROMPTS[:2]
    assert [pair.plain for pair in pairs] == generate_answers(model, PROMPTS[:2], max_new_tokens=6)
    assert [pair.steered for pair in pairs] == generate_answers(model, PROMPTS[:2], [[push(4.0)]] * 2, max_new_tokens=6)


def test_another_template_gives_another_prompt(language_model):
    model = language_model()
    wrapped = generate_answers(model, ["w1"], template=Template("w9 {input} w9", special_tokens=False))
    assert wrapped == generate_answers(model, ["w9 w1 w9"])


def test_a_plan_for_each_prompt_or_none(language_model):
    with pytest.raises(SteeringError, match="1 plans for 4 prompts"):
        generate_answers(language_model(), PROMPTS, [[push(1.0)]])
