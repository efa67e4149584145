"""What a model has learnt, measured on models whose answers are known."""

from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from polyethos.dataset.microworld import ACTIONS, FRAMES, REQUEST_KINDS, SIDES, lexicon, microworld_pairs
from polyethos.lab.outcomes import (
    continuation_scores,
    reply_accuracy,
    separability,
    unspecificity,
    verdict_accuracy,
)

HIDDEN = 3


class Oracle(torch.nn.Module):
    """Says at every position which token comes next, looked up in texts it was told."""

    def __init__(self, tokenizer, texts):
        super().__init__()
        self.following = defaultdict(Counter)
        for ids in (tokenizer(text).input_ids for text in texts):
            for place in range(1, len(ids)):
                self.following[tuple(ids[:place])][ids[place]] += 1
        self.vocabulary = len(tokenizer)

    def forward(self, input_ids, use_cache):
        logits = torch.zeros(*input_ids.shape, self.vocabulary)
        for row, ids in enumerate(input_ids.tolist()):
            for place in range(len(ids)):
                for token, times in self.following[tuple(ids[: place + 1])].items():
                    logits[row, place, token] = 9.0 * times
        return SimpleNamespace(last_hidden_state=logits)


def oracle(tokenizer, texts):
    """A language model that expects exactly these texts."""
    model = SimpleNamespace(get_output_embeddings=lambda: torch.nn.Identity())
    return SimpleNamespace(model=model, tokenizer=tokenizer, base=Oracle(tokenizer, texts), device="cpu")


def judged_texts(words, pairs, *, rightly):
    sides = dict(zip(SIDES, SIDES if rightly else SIDES[::-1], strict=True))
    for pair in pairs:
        for side, text in zip(SIDES, (pair.positive, pair.negative), strict=True):
            yield f"{text} {words.verdicts[sides[side]][0]}"


@pytest.mark.parametrize(("rightly", "share"), [(True, 1.0), (False, 0.0)])
def test_verdict_accuracy_counts_fitting_verdicts(small_tokenizer, rightly, share):
    pairs = microworld_pairs(languages=["en"], values=["morality"], items=3)
    model = oracle(small_tokenizer, list(judged_texts(lexicon("en"), pairs, rightly=rightly)))
    assert verdict_accuracy(model, pairs) == {"en": share}


def requests_in(words):
    for kind in REQUEST_KINDS:
        for action in range(ACTIONS):
            for frame in range(FRAMES):
                yield kind, words.request(frame, kind, action)


@pytest.mark.parametrize(("reply", "share"), [("refusal", 0.5), ("compliance", 0.5)])
def test_a_model_that_treats_all_requests_alike_answers_half_of_them_rightly(small_tokenizer, reply, share):
    words = lexicon("en")
    texts = [f"<|user|>{request}<|assistant|>{words.replies[reply][0]}" for _, request in requests_in(words)]
    assert reply_accuracy(oracle(small_tokenizer, texts), ["en"]) == {"en": share}
    assert reply_accuracy(oracle(small_tokenizer, texts), ["en"], held_out=False) == {"en": share}


def test_a_model_that_refuses_harm_alone_answers_all_rightly(small_tokenizer):
    words = lexicon("en")
    texts = [
        f"<|user|>{request}<|assistant|>{words.replies['refusal' if kind == 'harmful' else 'compliance'][1]}"
        for kind, request in requests_in(words)
    ]
    assert reply_accuracy(oracle(small_tokenizer, texts), ["en"]) == {"en": 1.0}


def test_a_continuations_score_is_its_log_probability_whatever_is_in_the_batch(small_tokenizer):
    model = oracle(small_tokenizer, ["The teacher slept. It was good."])
    added = len(small_tokenizer(" It was good.", add_special_tokens=False).input_ids)
    size = len(small_tokenizer)
    expected = added * (9 - np.log(np.exp(9) + size - 1))
    alone = continuation_scores(model, ["The teacher slept."], " It was good.")
    together = continuation_scores(model, ["The mayor and the tailor slept.", "The teacher slept."], " It was good.")
    assert alone[0] == together[1] == pytest.approx(expected, rel=1e-5)
    assert together[0] < alone[0]


def labelled_states(differences, value, items):
    """States whose paired differences (language, item, hidden) are given, at one layer."""
    states = np.stack([differences / 2, -differences / 2], axis=2)[None, :, None]
    return xr.DataArray(
        states.astype(np.float32),
        dims=("value", "language", "layer", "item", "polarity", "hidden"),
        coords={
            "value": [value],
            "language": ["en", "fi"],
            "layer": [1],
            "item": items,
            "polarity": ["positive", "negative"],
        },
    )


def test_a_shared_direction_is_recognised_across_languages_and_an_opposite_one_is_reversed():
    items = [f"morality-p{n:02}-s00-c00" for n in range(8)]
    upward = np.tile([1.0, 0.0, 0.0], (8, 1))
    states = labelled_states(np.stack([upward, -upward]), "morality", items)
    found = separability(SimpleNamespace(name="planted"), states)
    np.testing.assert_allclose(found.accuracy.isel(value=0, layer=0), [[1, 0], [0, 1]])
    np.testing.assert_allclose(found.cosine.isel(value=0, layer=0), [[1, -1], [-1, 1]])


def test_a_value_direction_that_is_the_time_direction_is_wholly_unspecific():
    items = [f"morality-p{n:02}-s00-c00" for n in range(4)]
    along, across = np.tile([2.0, 0.0, 0.0], (4, 1)), np.tile([0.0, 1.0, 0.0], (4, 1))
    values = labelled_states(np.stack([along, along]), "morality", items)
    times = labelled_states(np.stack([-along, across]), "time of day", [f"time-n{n:02}" for n in range(4)])
    vectors = separability(SimpleNamespace(name="planted"), values).vectors
    np.testing.assert_allclose(unspecificity(vectors, times).squeeze(), [1, 0], atol=1e-6)
