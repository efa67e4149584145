"""The shipped pocket models are what their cards say."""

import json

import pytest
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from polyethos.dataset.languages import LANGUAGES
from polyethos.errors import UnknownNameError
from polyethos.files import file_hash
from polyethos.lab.architecture import SIZES
from polyethos.lab.card import lexicons_hash
from polyethos.lab.outcomes import reply_accuracy
from polyethos.lab.pocket import pocket_card, pocket_model_path, pocket_models, pocket_shares
from polyethos.lab.pretraining import pocket_recipe
from polyethos.lab.readme import readme
from polyethos.lab.recipe import recipe_from_json
from polyethos.lab.start import WEIGHTS
from polyethos.lab.tokenizer import world_tokenizer
from polyethos.representation.model import load_model

MODELS = pocket_models()
LIMIT = 4_000_000


def test_the_three_series_are_there():
    assert MODELS == ("pocket-balanced", "pocket-en", "pocket-zh-en")


def test_an_unknown_pocket_model_is_named_with_the_closest_one():
    with pytest.raises(UnknownNameError, match="'pocket-ballanced'; did you mean 'pocket-balanced'"):
        pocket_model_path("pocket-ballanced")


@pytest.mark.parametrize("name", MODELS)
def test_the_weights_are_those_the_card_was_written_for(name):
    assert file_hash(pocket_model_path(name) / WEIGHTS) == pocket_card(name)["weights_hash"]


@pytest.mark.parametrize("name", MODELS)
def test_the_card_has_the_recipe_that_the_one_command_uses(name):
    card = pocket_card(name)
    recipe = recipe_from_json(card["recipe"], where=name)
    assert recipe == pocket_recipe(name)
    assert card["recipe_hash"] == recipe.identity()
    assert card["data_hash"] == lexicons_hash()


@pytest.mark.parametrize("name", MODELS)
def test_all_of_the_recipes_tokens_were_trained_on(name):
    card, recipe = pocket_card(name), pocket_recipe(name)
    assert card["losses"][-1]["tokens"] == recipe.steps * recipe.rows * recipe.row
    assert all(set(interval["losses"]) == set(LANGUAGES) for interval in card["losses"])


@pytest.mark.parametrize("name", MODELS)
def test_the_files_are_small_and_of_the_shape_the_card_says(name):
    folder, card = pocket_model_path(name), pocket_card(name)
    assert sum(file.stat().st_size for file in folder.iterdir()) < LIMIT
    config, size = json.loads((folder / "config.json").read_text()), SIZES[card["recipe"]["size"]]
    assert (config["num_hidden_layers"], config["hidden_size"]) == (size.blocks, size.width)
    with safe_open(folder / WEIGHTS, framework="pt") as weights:
        assert {str(weights.get_tensor(key).dtype) for key in weights.keys()} == {"torch.bfloat16"}  # noqa: SIM118


@pytest.mark.parametrize("name", MODELS)
def test_transformers_loads_model_and_tokenizer(name):
    model = AutoModelForCausalLM.from_pretrained(pocket_model_path(name))
    tokenizer = AutoTokenizer.from_pretrained(pocket_model_path(name))
    assert sum(weight.numel() for weight in model.parameters()) == pocket_card(name)["parameters"]
    text = "The teacher returned the lost wallet yesterday."
    assert tokenizer(text).input_ids == world_tokenizer(pocket_recipe(name).vocabulary)(text).input_ids


@pytest.mark.parametrize("name", MODELS)
def test_older_transformers_know_the_class_of_the_tokenizer(name):
    settings = json.loads((pocket_model_path(name) / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"


@pytest.mark.parametrize("name", MODELS)
def test_the_readme_is_written_from_the_card(name):
    assert (pocket_model_path(name) / "README.md").read_text(encoding="utf-8") == readme(pocket_card(name))


@pytest.mark.parametrize("name", MODELS)
def test_shares_sum_to_one(name):
    assert sum(pocket_shares(name).values()) == pytest.approx(1)


def test_dominant_languages_know_their_verdicts_and_answer_requests_they_never_saw():
    for name, dominant in (("pocket-en", ("en",)), ("pocket-zh-en", ("zh", "en"))):
        found = pocket_card(name)["results"]
        for code in dominant:
            assert found["verdict_accuracy"][code] > 0.9
            assert found["reply_accuracy_held_out"][code] > 0.95
            assert found["recognition"][code] > 0.9


def test_the_balanced_model_separates_values_and_answers_unseen_requests_in_most_languages():
    found = pocket_card("pocket-balanced")["results"]
    # 336 pairs per language from 112 predicates: 0.6 is two standard errors of a coin thrown per predicate.
    assert sum(share > 0.6 for share in found["recognition"].values()) > 12
    assert sum(share > 0.9 for share in found["reply_accuracy_held_out"].values()) > 12


def test_the_shipped_weights_answer_requests_as_the_card_says():
    model = load_model(pocket_model_path("pocket-zh-en"), dtype="float32", device="cpu", template="bare")
    assert reply_accuracy(model, ["zh", "en"]) == pocket_card("pocket-zh-en")["results"]["reply_accuracy_held_out"]
