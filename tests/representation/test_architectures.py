"""The states we read are those that transformers gives for each text alone, whatever the batch."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_models import ARCHITECTURES, SENTENCES

from polyethos.dataset.pairs import Sentence
from polyethos.representation.activations import extract_states
from polyethos.representation.batching import shared_rows
from polyethos.representation.blocks import block_output
from polyethos.representation.model import LanguageModel
from polyethos.representation.tokens import Reading

# Their positions follow from the mask, so texts cannot share a row.
ALIBI = {"bloom", "mpt", "falcon-alibi"}
ROTARY = {"llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3", "mixtral", "qwen2-moe"}


def states_alone(model: LanguageModel, sentence: Sentence) -> NDArray[np.float32]:
    """(L + 1, hidden) of the last token, from transformers' own hidden states of the text alone, without padding."""
    last_block: list[torch.Tensor] = []
    inputs = model.tokenizer(sentence.text, return_tensors="pt")
    with torch.no_grad():
        hidden = model.base(**inputs, output_hidden_states=True).hidden_states
        handle = model.blocks[-1].register_forward_hook(lambda _m, _a, output: last_block.append(block_output(output)))
        model.base(**inputs)
        handle.remove()
    rows = [*hidden[1:-1], last_block[0], hidden[-1]]
    return np.stack([row[0, -1].numpy() for row in rows])


def assert_same(found: NDArray[np.float32], model: LanguageModel, sentences: Sequence[Sentence]) -> None:
    for states, sentence in zip(found, sentences, strict=True):
        expected = states_alone(model, sentence)
        np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_the_sentences_of_these_tests_share_enough_to_meet_in_a_row(llama: LanguageModel):
    tokens = [tuple(llama.tokenizer(sentence.text)["input_ids"]) for sentence in SENTENCES]
    rows = shared_rows([Reading(text, (len(text) - 1,)) for text in tokens], range(len(tokens)), budget=4096)
    assert sum(row.size for row in rows) < 0.9 * sum(map(len, tokens))


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"opt-narrow"}))
@pytest.mark.parametrize("batch_tokens", [1, 4096])
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_states_equal_those_of_the_text_alone(
    architecture: str, batch_tokens: int, padding_side: str, load_tiny: Callable[[str], LanguageModel]
):
    model = load_tiny(architecture)
    model.tokenizer.padding_side = padding_side
    assert_same(extract_states(model, SENTENCES, batch_tokens=batch_tokens), model, SENTENCES)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_texts_share_rows_exactly_where_positions_can_be_given(
    architecture: str, load_tiny: Callable[[str], LanguageModel]
):
    model = load_tiny(architecture)
    if architecture in ALIBI | ROTARY:
        assert model.shares_prefixes == (architecture in ROTARY)
    apart = extract_states(dataclasses.replace(model, shares_prefixes=False), SENTENCES)
    np.testing.assert_allclose(extract_states(model, SENTENCES), apart, rtol=1e-4, atol=1e-5 * np.nanmax(np.abs(apart)))
