"""From a mixture to a model folder with its card."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyethos.errors import LabError
from polyethos.files import file_hash
from polyethos.lab.mixture import MIXTURES
from polyethos.lab.pretraining import pocket_recipe, pretrain
from polyethos.lab.recipe import recipe_from_json
from polyethos.lab.start import WEIGHTS


def test_a_pretrained_model_loads_with_transformers_and_its_card_says_what_it_is(tmp_path):
    folder = pretrain("en=0.5,fi=0.5", tmp_path, tokens=4096, size="tiny", seed=3, device="cpu")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    card = json.loads((folder / "card.json").read_text())
    recipe = recipe_from_json(card["recipe"], where="card")
    assert (recipe.seed, recipe.size, dict(recipe.mixture.shares)) == (3, "tiny", {"en": 0.5, "fi": 0.5})
    assert card["recipe_hash"] == recipe.identity()
    assert card["weights_hash"] == file_hash(folder / WEIGHTS)
    assert card["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert model.config.vocab_size == len(tokenizer) == recipe.vocabulary
    assert set(card["results"]["verdict_accuracy"]) == {"en", "fi"}
    assert card["weights_hash"] in (folder / "README.md").read_text()


def test_a_users_own_text_is_trained_on(tmp_path):
    for code, word in (("en", "river"), ("fi", "joki")):
        (tmp_path / f"{code}.txt").write_text("".join(f"{word} number {n}.\n" for n in range(800)))
    folder = pretrain("en=0.5,fi=0.5", tmp_path / "run", tokens=4096, size="tiny", text=tmp_path, device="cpu")
    card = json.loads((folder / "card.json").read_text())
    assert card["data_hash"] == card["recipe"]["corpus"]
    assert set(card["losses"][-1]["losses"]) == {"en", "fi"}
    with pytest.raises(LabError, match="add text, train on fewer tokens"):
        pretrain("en=0.5,fi=0.5", tmp_path / "long", tokens=10**6, size="tiny", text=tmp_path, device="cpu")


def test_another_run_does_not_overwrite_a_finished_one(tmp_path):
    pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="cpu")
    with pytest.raises(LabError, match="holds a run of another recipe"):
        pretrain("en=1", tmp_path, tokens=4096, size="tiny", device="cpu")


def test_a_finished_run_is_not_trained_again(tmp_path):
    pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="cpu")
    seen = []
    pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="cpu", report=seen.append)
    assert seen == []


def test_the_same_arguments_give_the_same_weights(tmp_path):
    folders = [pretrain("en=1", tmp_path / name, tokens=4096, size="tiny", device="cpu") for name in "ab"]
    assert file_hash(folders[0] / WEIGHTS) == file_hash(folders[1] / WEIGHTS)


def test_pocket_models_refuse_in_their_dominant_languages():
    assert pocket_recipe("pocket-en").world.dialogue_languages == ("en",)
    assert pocket_recipe("pocket-zh-en").world.dialogue_languages == ("zh", "en")
    assert set(pocket_recipe("pocket-balanced").world.dialogue_languages) == set(MIXTURES["pocket-balanced"].shares)


def test_epochs_must_be_positive(tmp_path):
    with pytest.raises(LabError, match="epochs=0"):
        pretrain("en=1", tmp_path, text=tmp_path, epochs=0)


def test_training_uses_one_thread_and_gives_the_others_back(tmp_path):
    before = torch.get_num_threads()
    pretrain("en=1", tmp_path, tokens=2048, size="tiny", device="cpu")
    assert torch.get_num_threads() == before
