"""Steering in the lab: what is fitted on is not tested on, and a planted direction is found."""

import json

import numpy as np
import pytest

from polyethos.dataset.microworld import ACTIONS
from polyethos.lab import steerability as module
from polyethos.lab.architecture import SIZES, new_model
from polyethos.lab.card import save_model
from polyethos.lab.steerability import CONTROL, middle, steerability
from polyethos.lab.world import is_request_held_out
from polyethos.representation.model import load_model


@pytest.fixture
def untrained(tmp_path, small_tokenizer):
    model = new_model(SIZES["tiny"], vocabulary=len(small_tokenizer), context=256, seed=0)
    save_model(model, small_tokenizer, tmp_path)
    return load_model(tmp_path, dtype="float32", device="cpu", template="bare")


def test_older_transformers_know_the_class_of_a_saved_tokenizer(untrained, tmp_path):
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings["bos_token"] == untrained.tokenizer.bos_token


def test_every_language_gets_every_measure_and_an_untrained_model_answers_by_chance(untrained):
    found = steerability(untrained, ["en", "fi"])
    assert tuple(found) == CONTROL
    for measure in found.values():
        assert list(measure) == ["en", "fi"]
        assert np.isfinite(list(measure.values())).all()
    assert 0.2 < found["reply_accuracy"]["en"] < 0.8


def test_the_direction_is_fitted_on_no_action_that_is_tested(untrained, monkeypatch):
    fitted, tested = [], []
    direction, measure = module._direction, module.refusal_measure
    monkeypatch.setattr(
        module, "_direction", lambda states: (fitted.append(states["item"].values.tolist()), direction(states))[1]
    )
    monkeypatch.setattr(
        module,
        "refusal_measure",
        lambda model, pairs, **options: (tested.append(list(pairs)), measure(model, pairs, **options))[1],
    )
    steerability(untrained, ["en", "fi"])
    for code, items, pairs in zip(("en", "fi"), fitted, tested, strict=True):
        actions = {pair.group for pair in pairs}
        assert actions == {f"request-a{n:02}" for n in range(ACTIONS) if is_request_held_out(code, n)}
        assert {item.rpartition("-")[0] for item in items} & actions == set()
        assert len({item.rpartition("-")[0] for item in items}) == ACTIONS - len(actions)


def test_the_middle_is_beyond_half_of_the_blocks():
    assert [middle(n) for n in (2, 3, 4, 6)] == [2, 2, 3, 4]
