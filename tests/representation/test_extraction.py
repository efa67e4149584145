import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, SENTENCES

from polyethos.dataset.pairs import ContrastPair, ContrastPairs, Sentence
from polyethos.errors import DataError, ModelError, ResourceError
from polyethos.representation import activations
from polyethos.representation.activations import extract, extract_states
from polyethos.representation.model import LanguageModel, load_model
from polyethos.representation.template import Template


@contextmanager
def watched(model: LanguageModel, act: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """Call `act` with the tokens of every forward pass."""
    handle = model.model.get_input_embeddings().register_forward_pre_hook(lambda _module, inputs: act(inputs[0]))
    try:
        yield
    finally:
        handle.remove()


def alone(model: LanguageModel) -> LanguageModel:
    return dataclasses.replace(model, shares_prefixes=False)


def test_a_text_that_occurs_twice_is_computed_once(llama):
    tokens: list[int] = []
    with watched(alone(llama), lambda batch: tokens.append(batch.shape[0])):
        states = extract_states(alone(llama), [SENTENCES[0], SENTENCES[1], SENTENCES[0]])
    assert sum(tokens) == 2
    assert np.array_equal(states[0], states[2])


def test_shared_beginnings_take_fewer_tokens(llama):
    pair = SENTENCES[2:4]
    counted: dict[bool, int] = {}
    for model in (llama, alone(llama)):
        seen: list[int] = []
        with watched(model, lambda batch, seen=seen: seen.append(batch.numel())):
            extract_states(model, pair)
        counted[model.shares_prefixes] = sum(seen)
    assert counted[True] < 0.7 * counted[False]


@pytest.mark.parametrize(("lengths", "packed"), [(range(1, 60, 5), True), ([30] * 12, False)])
def test_different_texts_share_rows_only_where_that_saves_much_padding(llama, lengths: Iterable[int], packed: bool):
    sentences = [
        Sentence("", letter + " purse" * length) for letter, length in zip("abcdefghijkl", lengths, strict=True)
    ]
    shapes: list[torch.Size] = []
    with watched(llama, lambda batch: shapes.append(batch.shape)):
        states = extract_states(llama, sentences)
    assert (shapes[0][0] < len(sentences)) == packed
    np.testing.assert_allclose(states, extract_states(alone(llama), sentences), rtol=1e-4, atol=1e-5)


def test_content_mean_is_the_float32_mean_over_the_sentence(llama):
    sentence = Sentence("", "I found a purse.")
    model = dataclasses.replace(llama, reading_template=Template("Say: {input}!"))
    ids = model.tokenizer("Say: I found a purse.!", return_tensors="pt")
    before = len(model.tokenizer("Say:")["input_ids"])
    with torch.no_grad():
        expected = model.base(**ids, output_hidden_states=True).hidden_states[1][0, before:-1].mean(dim=0)
    found = extract_states(model, [sentence, SENTENCES[1]], position="content-mean")[0, 0]
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_the_state_before_the_answer_does_not_depend_on_the_answer(llama):
    states = extract_states(llama, SENTENCES[2:4], position="before-answer")
    np.testing.assert_allclose(states[0], states[1], rtol=1e-5, atol=1e-6)


def test_the_same_text_split_at_two_places_has_two_states_before_its_answer(llama):
    splits = [Sentence("I found ", "a purse."), Sentence("I found a ", "purse.")]
    states = extract_states(llama, splits, position="before-answer")
    assert np.abs(states[0] - states[1]).max() > 0.01


def test_batches_get_smaller_when_memory_runs_out(llama):
    sizes: list[int] = []

    def run_out(tokens: torch.Tensor) -> None:
        if tokens.numel() > 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(tokens.numel())

    with watched(llama, run_out):
        states = extract_states(llama, SENTENCES * 3)
    np.testing.assert_allclose(states[: len(SENTENCES)], extract_states(llama, SENTENCES), rtol=1e-4, atol=1e-5)
    assert max(sizes) <= 60


@pytest.mark.parametrize("failure", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_single_text_that_does_not_fit_is_an_error_that_says_so(llama, failure):
    def run_out(_tokens: torch.Tensor) -> None:
        raise failure

    with watched(llama, run_out), pytest.raises(ResourceError, match=r"a single text of \d+ tokens"):
        extract_states(llama, SENTENCES)


def test_an_error_that_is_not_about_memory_is_not_hidden(llama):
    def fail(_tokens: torch.Tensor) -> None:
        raise RuntimeError("a broken kernel")

    with watched(llama, fail), pytest.raises(RuntimeError, match="broken kernel"):
        extract_states(llama, SENTENCES)


def test_hooks_are_gone_after_an_error(llama):
    def stop(_tokens: torch.Tensor) -> None:
        raise KeyError("stop")

    # transformers keeps hooks of its own on the blocks.
    before = [list(block._forward_hooks) for block in llama.blocks]
    with watched(llama, stop), pytest.raises(KeyError):
        extract_states(llama, SENTENCES)
    assert [list(block._forward_hooks) for block in llama.blocks] == before


def test_progress_counts_finished_sentences_up_to_all_of_them(llama):
    seen: list[int] = []
    extract_states(llama, [*SENTENCES, SENTENCES[0]], batch_tokens=40, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(SENTENCES) + 1
    assert len(seen) > 1


def test_no_sentences_give_no_states(llama):
    assert extract_states(llama, []).shape == (0, llama.n_layers + 1, llama.hidden_size)


def test_infinite_states_are_an_error_that_names_the_layer(save_model):
    prefix, options = ARCHITECTURES["llama"]
    model = load_model(save_model(prefix, **options))
    with torch.no_grad():
        model.blocks[1].mlp.down_proj.weight.fill_(torch.inf)
    with pytest.raises(ModelError, match="layer 2 are not finite"):
        extract_states(model, SENTENCES[:1])


def test_a_tokenizer_of_another_model_is_an_error(save_model):
    prefix, options = ARCHITECTURES["llama"]
    model = load_model(save_model(prefix, **{**options, "vocab_size": 300}))
    with pytest.raises(ModelError, match="knows only 300"):
        extract_states(model, SENTENCES)


def test_a_model_that_narrows_its_last_state_has_none_after_the_norm(load_tiny):
    states = extract_states(load_tiny("opt-narrow"), SENTENCES[:1])
    assert np.isfinite(states[:, :-1]).all()
    assert np.isnan(states[:, -1]).all()


def test_half_precision_gives_float32_states_near_those_of_float32(save_model):
    prefix, options = ARCHITECTURES["llama"]
    folder = save_model(prefix, **options)
    exact, half = (extract_states(load_model(folder, dtype=dtype), SENTENCES) for dtype in ("float32", "bfloat16"))
    assert half.dtype == np.float32
    assert np.linalg.norm(half - exact) < 0.05 * np.linalg.norm(exact)


def test_a_text_longer_than_the_model_reads_is_an_error_and_not_cut(load_tiny):
    with pytest.raises(DataError, match="at most 256"):
        extract_states(load_tiny("gpt2"), [Sentence("", "purse " * 300)])


def test_a_long_text_does_not_change_a_short_one_in_the_same_call(save_model):
    factors = {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
    prefix, options = ARCHITECTURES["phi3"]
    scaled = {"type": "longrope", **factors}
    limits = {"original_max_position_embeddings": 16, "max_position_embeddings": 64}
    model = load_model(save_model(prefix, **options, **limits, rope_scaling=scaled))
    long = Sentence("", "I found a purse and kept it. " * 4)
    together = extract_states(model, [SENTENCES[1], SENTENCES[0], long])
    np.testing.assert_allclose(together[0], extract_states(model, SENTENCES[1:2])[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together[2], extract_states(model, [long])[0], rtol=1e-4, atol=1e-5)


@pytest.fixture
def pairs() -> ContrastPairs:
    return ContrastPairs(
        "hand-made",
        (
            ContrastPair("i-1", "morality", "en", "I brought it back.", "I kept it.", context="I found a purse."),
            ContrastPair("i-2", "morality", "en", "She helped him.", "She hurt him."),
            ContrastPair("i-1", "morality", "zh", "我还了。", "我留下了。", context="我捡到钱包。"),
        ),
    )


def test_extract_labels_the_states_and_marks_missing_items(llama, pairs):
    states = extract(llama, pairs)
    assert states.dims == ("value", "language", "layer", "item", "polarity", "hidden")
    assert states.layer.to_numpy().tolist() == [1, 2, 3]
    expected = extract_states(llama, [Sentence("", "I found a purse. I kept it.")])[0, :-1]
    np.testing.assert_allclose(
        states.sel(value="morality", language="en", item="i-1", polarity="negative"), expected, rtol=1e-4, atol=1e-5
    )
    assert states.sel(language="zh", item="i-2").isnull().all()
    assert states.sel(language="en").notnull().all()


def test_extract_refuses_more_than_its_memory_bound_and_names_the_study(llama, pairs, monkeypatch):
    monkeypatch.setattr(activations, "MEMORY_BOUND", 1000)
    with pytest.raises(ResourceError, match=r"hand-made: .* run a Study"):
        extract(llama, pairs)
