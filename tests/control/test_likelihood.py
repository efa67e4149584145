"""Likelihoods and divergences equal what the model's own logits give, one text at a time."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from polyethos.control.dialogue import Exchange, exchanges, statements
from polyethos.control.likelihood import divergences, log_likelihoods
from polyethos.control.operators import Gate, Intervention
from polyethos.control.steering import steer
from polyethos.errors import DataError
from polyethos.representation.blocks import find_blocks
from polyethos.representation.template import Template

# The first two prompts have several answers each, one of them a single token.
TEXTS = [
    Exchange((5, 6, 7, 8, 9), 2),
    Exchange((5, 6, 40), 2),
    Exchange((11, 12, 13), 1),
    Exchange((11, 14, 15, 16, 17), 1),
    Exchange((21, 22, 23, 24, 25, 26, 27), 5),
]


def push(strength, scope="all"):
    vector = np.random.default_rng(1).normal(size=16).astype(np.float32)
    return Intervention(2, vector, strength=strength, scope=scope)


def gated(threshold):
    direction = np.random.default_rng(2).normal(size=16).astype(np.float32)
    return replace(push(2.0), gate=Gate(1, direction, threshold))


CONDITIONS = [[], [push(1.0)], [push(2.0, "generated")], [push(-1.0, "last-prompt")], [push(0.0)], [gated(0.0)]]


def log_probabilities(model, text, plan):
    """Log-probabilities (token, vocabulary) that predict the answer's tokens, without batching or padding."""
    tokens = torch.tensor([text.tokens])
    with steer(model, *plan, prompt_lengths=[text.prompt]), torch.no_grad():
        return torch.log_softmax(model.model(tokens).logits[0, text.prompt - 1 : -1].double(), dim=-1)


def test_log_likelihoods_are_those_of_each_text_alone(every_model):
    together = log_likelihoods(every_model, TEXTS, CONDITIONS)
    for row, plan in enumerate(CONDITIONS):
        for column, text in enumerate(TEXTS):
            alone = log_probabilities(every_model, text, plan)
            expected = sum(alone[k, token].item() for k, token in enumerate(text.tokens[text.prompt :]))
            assert together[row, column] == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_divergence_and_perplexity_are_those_of_each_text_alone(language_model):
    model = language_model()
    divergence, perplexity = divergences(model, TEXTS, CONDITIONS)
    tokens = sum(len(text.tokens) - text.prompt for text in TEXTS)
    for row, plan in enumerate(CONDITIONS):
        pairs = [(log_probabilities(model, text, []), log_probabilities(model, text, plan)) for text in TEXTS]
        expected = sum((plain.exp() * (plain - moved)).sum().item() for plain, moved in pairs) / tokens
        assert divergence[row] == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert divergence[0] == divergence[4] == 0
    assert divergence[1] > 0
    np.testing.assert_allclose(perplexity[[0, 4]], np.exp(-log_likelihoods(model, TEXTS)[0].sum() / tokens), rtol=1e-5)


def test_many_conditions_and_texts_are_the_same_as_few(language_model):
    model = language_model()
    texts = [Exchange(tuple(range(5, 5 + length)), 1 + length // 3) for length in range(3, 60)]
    conditions = [[push(0.1 * k)] for k in range(30)]
    together = log_likelihoods(model, texts, conditions)
    np.testing.assert_allclose(
        together[[3, 17]], log_likelihoods(model, texts, [conditions[3], conditions[17]]), rtol=1e-4
    )
    np.testing.assert_allclose(
        together[:, [0, 50]], log_likelihoods(model, [texts[0], texts[50]], conditions), rtol=1e-4
    )


# Blocks below every edit


def calls_of(block, monkeypatch):
    """A list that grows by the number of rows of each pass through what is inside the block."""
    calls, inside = [], next(block.children())
    forward = inside.forward

    def counting(*positional, **named):
        calls.append(len(next(one for one in (*positional, *named.values()) if isinstance(one, torch.Tensor))))
        return forward(*positional, **named)

    monkeypatch.setattr(inside, "forward", counting)
    return calls


def test_blocks_below_every_edit_run_for_the_plain_model_only(every_model, monkeypatch):
    text = [Exchange((5, 6, 7, 8, 9), 2)]
    log_likelihoods(every_model, text, [[push(1.0)]])
    calls = calls_of(every_model.blocks[1], monkeypatch)
    log_likelihoods(every_model, text, [[replace(push(1.0 + k), layer=2)] for k in range(4)])
    assert max(calls) == 1
    log_likelihoods(every_model, text, [[replace(push(1.0 + k), layer=1)] for k in range(4)])
    assert max(calls) == 4


def test_a_gate_below_the_edit_still_sees_its_states(language_model, monkeypatch):
    model = language_model()
    calls = calls_of(model.blocks[1], monkeypatch)
    log_likelihoods(model, TEXTS[:1], [[gated(0.0)], [gated(0.1)]])
    assert max(calls) == 2


def test_a_model_whose_later_blocks_look_at_earlier_ones_is_computed_whole(language_model):
    model = language_model("gpt2")
    fresh = replace(model, model=copy.deepcopy(model.model))
    blocks = find_blocks(fresh.base, torch.arange(5, 21)[None])
    fresh = replace(fresh, blocks=blocks)
    blocks[0].ln_1.register_forward_hook(lambda _module, _given, output: setattr(blocks[2], "seen", output))
    blocks[2].mlp.register_forward_hook(lambda _module, _given, output: output + blocks[2].seen)
    text, plan = Exchange((5, 6, 7, 8, 9), 2), [push(1.0)]
    alone = log_probabilities(fresh, text, plan)
    expected = sum(alone[k, token].item() for k, token in enumerate(text.tokens[2:]))
    assert log_likelihoods(fresh, [text], [plan, plan, [push(2.0)]])[0, 0] == pytest.approx(expected, rel=1e-4)


# How texts are cut into prompt and answer


def test_prompt_and_answer_are_tokenised_together_and_cut_between(language_model):
    model = language_model()
    (cut,) = exchanges(model, [("w1 w2", "w3 w4 w5")], template=model.reading_template, language="en")
    assert cut == Exchange(tuple(model.tokenizer("w1 w2 w3 w4 w5", add_special_tokens=False)["input_ids"]), 2)


def test_a_template_goes_around_the_prompt_only(language_model):
    model = language_model()
    (cut,) = exchanges(model, [("w1", "w3")], template=Template("w8 {input} w9 ", special_tokens=False), language="en")
    assert model.tokenizer.decode(cut.tokens) == "w8 w1 w9 w3"
    assert cut.prompt == 3


def test_the_first_token_of_a_text_without_context_is_given(language_model):
    (cut,) = statements(language_model(), [("", "w1 w2 w3")])
    assert cut.prompt == 1


def test_a_text_of_one_token_cannot_be_scored(language_model):
    with pytest.raises(DataError, match="'w1': nothing of it remains"):
        statements(language_model(), [("", "w1")])
