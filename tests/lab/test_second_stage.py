"""A second stage starts from a finished model, and its card tells of both."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyethos.errors import DataFormatError, LabError
from polyethos.files import file_hash
from polyethos.lab import pretraining
from polyethos.lab.pretraining import pretrain
from polyethos.lab.rows import WorldRows
from polyethos.lab.start import WEIGHTS, read_start
from polyethos.lab.tokenizer import USER

ANSWERING = {"mixture": "fi=1", "tokens": 8192, "seed": 1, "dialogues_only": True, "device": "cpu"}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run on English and Finnish without dialogues."""
    out = tmp_path_factory.mktemp("first")
    pretrain("en=0.5,fi=0.5", out, tokens=4096, size="tiny", dialogue_languages=(), device="cpu")
    return out


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """The model after a second stage of Finnish dialogues."""
    return pretrain(start=first, out=tmp_path_factory.mktemp("second"), **ANSWERING)


def card_of(folder):
    return json.loads((folder / "card.json").read_text())


def test_a_second_stage_starts_from_the_finished_weights(first, second):
    assert card_of(second)["recipe"]["start"] == file_hash(first / "model" / WEIGHTS)
    begun, ended = (
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
        for folder in (read_start(first).folder, second)
    )
    distance = sum(float((weight - ended[name]).norm()) for name, weight in begun.items())
    size = sum(float(weight.norm()) for weight in begun.values())
    # Four steps move weights a little; other random weights would be as far away as they are large.
    assert 0 < distance < 0.2 * size


def test_dialogues_only_has_nothing_but_dialogues_in_the_mixtures_languages(first, tmp_path, monkeypatch):
    rows = []

    class KeptRows(WorldRows):
        def row(self, kind, number):
            rows.append((kind, super().row(kind, number)))
            return rows[-1][1]

    monkeypatch.setattr(pretraining, "WorldRows", KeptRows)
    folder = pretrain(start=first, out=tmp_path, **{**ANSWERING, "tokens": 2048})
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for kind, ids in rows:
        assert kind == ("fi",)
        documents = tokenizer.decode(ids).split("<|begin|>")[1:]
        # A cut row may end within the first token of a document.
        assert all(document.startswith(USER) for document in documents if document)


def test_the_card_tells_of_both_stages_and_of_the_languages_left_out(first, second):
    card, before = card_of(second), card_of(first / "model")
    (earlier,) = card["earlier_stages"]
    assert (earlier["recipe"], earlier["weights_hash"]) == (before["recipe"], before["weights_hash"])
    assert set(card["results"]["verdict_accuracy"]) == set(card["results"]["reply_accuracy_held_out"]) == {"en", "fi"}
    assert before["results"]["reply_accuracy_held_out"] == {}
    page = (second / "README.md").read_text()
    assert f"| stage 1 | custom: en 50.00%, fi 50.00%; 4,096 tokens; weights `{before['weights_hash']}` |" in page
    assert "| English |" in page


def test_a_third_stage_keeps_the_first_two(first, second, tmp_path):
    third = pretrain("en=1", tmp_path, start=second, tokens=2048, device="cpu")
    hashes = [stage["weights_hash"] for stage in card_of(third)["earlier_stages"]]
    assert hashes == [card_of(folder)["weights_hash"] for folder in (first / "model", second)]


def test_a_second_stage_killed_halfway_ends_in_the_same_weights(first, second, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    class DyingRows(WorldRows):
        left = 16 * 3

        def row(self, kind, number):
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return super().row(kind, number)

    plain = pretraining.train
    monkeypatch.setattr(pretraining, "train", lambda *given, **named: plain(*given, **named, checkpoint_every=2))
    with monkeypatch.context() as dying:
        dying.setattr(pretraining, "WorldRows", DyingRows)
        with pytest.raises(KilledError):
            pretrain(start=first, out=tmp_path, **ANSWERING)
    resumed = pretrain(start=first, out=tmp_path, **ANSWERING)
    assert file_hash(second / WEIGHTS) == file_hash(resumed / WEIGHTS)


def test_a_users_own_text_can_follow_the_small_world(first, tmp_path):
    (tmp_path / "fi.txt").write_text("".join(f"joki numero {n}.\n" for n in range(800)))
    folder = pretrain("fi=1", tmp_path / "run", start=first, tokens=2048, text=tmp_path, device="cpu")
    card = card_of(folder)
    assert card["data_hash"] == card["recipe"]["corpus"]
    assert card["recipe"]["size"] == "tiny"
    first_text = AutoTokenizer.from_pretrained(first / "model")("The teacher slept.").input_ids
    assert AutoTokenizer.from_pretrained(folder)("The teacher slept.").input_ids == first_text


def test_what_is_no_finished_model_is_refused(first, tmp_path):
    with pytest.raises(LabError, match=r"no finished model of the lab \(card.json is missing\); give a run's folder"):
        read_start(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(first / "model", copy)
    (copy / WEIGHTS).write_bytes(b"other weights")
    with pytest.raises(LabError, match=r"not the weights that card\.json was written for"):
        read_start(copy)
    (copy / "card.json").write_text("{}")
    with pytest.raises(DataFormatError, match=r"card\.json: not a model card of the lab \(KeyError 'weights_hash'\)"):
        read_start(copy)


def test_a_pocket_model_is_a_start_too():
    start = read_start("pocket-en")
    assert (start.recipe.size, start.card["name"]) == ("pocket", "pocket-en")


def test_arguments_that_contradict_each_other_are_refused(first, tmp_path):
    with pytest.raises(LabError, match=r"size 'large': .* is of size 'tiny', and a second stage keeps it"):
        pretrain("en=1", tmp_path, start=first, size="large")
    with pytest.raises(LabError, match="dialogues only: they are about the small world"):
        pretrain("en=1", tmp_path, start=first, dialogues_only=True, text=tmp_path)
    with pytest.raises(LabError, match="dialogues in 'sw', which the mixture custom does not have; it has en"):
        pretrain("en=1", tmp_path, dialogue_languages=["sw"])


def test_a_recipe_of_a_first_stage_does_not_mention_a_start(first):
    recipe = read_start(first).recipe
    assert "start" not in recipe.to_json()
    assert replace(recipe, start="ab").identity() != recipe.identity()
