"""Training: it learns, it can be killed, and it never mixes up two runs."""

import math

import pytest
import torch
from safetensors import safe_open

from polyethos.errors import DataFormatError, LabError
from polyethos.lab.architecture import SIZES, new_model
from polyethos.lab.checkpoint import CHECKPOINT, LossLog
from polyethos.lab.recipe import Recipe, recipe_from_json
from polyethos.lab.rows import WorldRows
from polyethos.lab.training import row_losses, train


class KilledError(Exception):
    """Stands for a signal that ends the process."""


class DyingRows(WorldRows):
    """Rows that end the process when the `limit`-th is asked for."""

    limit = 0

    def row(self, kind, number):
        self.limit -= 1
        if self.limit < 0:
            raise KilledError
        return super().row(kind, number)


def train_here(recipe, tokenizer, out, *, steps=None, **options):
    source = DyingRows(recipe.world, tokenizer, length=recipe.row, seed=recipe.seed)
    source.limit = recipe.rows * (recipe.steps if steps is None else steps)
    return train(recipe, source, tokenizer, out, device="cpu", **options)


def weights(model):
    return torch.cat([weight.flatten() for weight in model.parameters()])


def test_a_killed_run_goes_on_to_the_identical_weights_and_losses(small_recipe, small_tokenizer, tmp_path):
    whole, whole_log = train_here(small_recipe, small_tokenizer, tmp_path / "whole", checkpoint_every=4)
    with pytest.raises(KilledError):
        train_here(small_recipe, small_tokenizer, tmp_path / "cut", checkpoint_every=4, steps=7)
    resumed, resumed_log = train_here(small_recipe, small_tokenizer, tmp_path / "cut", checkpoint_every=4)
    assert torch.equal(weights(whole), weights(resumed))
    assert whole_log.intervals == resumed_log.intervals


def test_a_checkpoint_is_only_used_by_its_own_recipe(small_recipe, small_tokenizer, tmp_path):
    with pytest.raises(KilledError):
        train_here(small_recipe, small_tokenizer, tmp_path, checkpoint_every=2, steps=4)
    other = Recipe(**{**vars(small_recipe), "seed": 1})
    with pytest.raises(LabError, match="made by another recipe"):
        train_here(other, small_tokenizer, tmp_path)


def test_a_broken_checkpoint_is_named(small_recipe, small_tokenizer, tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"not a checkpoint")
    with pytest.raises(DataFormatError, match="not a checkpoint of a training run"):
        train_here(small_recipe, small_tokenizer, tmp_path)


def test_a_checkpoint_says_how_far_it_is(small_recipe, small_tokenizer, tmp_path):
    with pytest.raises(KilledError):
        train_here(small_recipe, small_tokenizer, tmp_path, checkpoint_every=3, steps=5)
    with safe_open(tmp_path / CHECKPOINT, framework="pt") as opened:
        assert opened.metadata()["step"] == "3"


def test_progress_counts_every_step_and_names_every_language(small_recipe, small_tokenizer, tmp_path):
    seen = []
    train_here(small_recipe, small_tokenizer, tmp_path, report=seen.append)
    assert seen[-1].step == seen[-1].steps == small_recipe.steps == 12
    assert set(seen[-1].losses) == {"en", "fi"}
    assert seen[-1].seconds_left == 0


def test_losses_fall_from_those_of_a_guess(small_recipe, small_tokenizer, tmp_path):
    recipe = Recipe(**{**vars(small_recipe), "tokens": 150 * 4 * 32})
    _, log = train_here(recipe, small_tokenizer, tmp_path, checkpoint_every=10)
    first, last = log.intervals[0]["losses"], log.intervals[-1]["losses"]
    assert first["en"] == pytest.approx(math.log(len(small_tokenizer)), abs=1.0)
    assert last["en"] < first["en"] - 1.5


def test_the_same_seed_gives_the_same_first_weights_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (new_model(SIZES["tiny"], vocabulary=50, context=16, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_row_losses_are_those_of_transformers():
    model = new_model(SIZES["tiny"], vocabulary=50, context=16, seed=0)
    ids = torch.randint(50, (5, 12), generator=torch.Generator().manual_seed(0))
    each = row_losses(model, ids)
    expected = [model(input_ids=row[None], labels=row[None]).loss for row in ids]
    torch.testing.assert_close(each, torch.stack(expected))


def test_the_rate_rises_stays_and_falls_to_nothing(small_recipe):
    recipe = Recipe(**{**vars(small_recipe), "tokens": 100 * 128, "warmup": 0.1, "decay": 0.2, "learning_rate": 1.0})
    assert [recipe.rate(step) for step in (0, 4, 9, 50, 80)] == pytest.approx([0.1, 0.5, 1.0, 1.0, 1.0])
    assert [recipe.rate(step) for step in (90, 99)] == pytest.approx([0.5, 0.05])


def test_a_recipe_survives_json(small_recipe):
    assert recipe_from_json(small_recipe.to_json(), where="card") == small_recipe
    with pytest.raises(DataFormatError, match=r"card: recipe fields differ .* \['speed'\]"):
        recipe_from_json({**small_recipe.to_json(), "speed": 1}, where="card")


def test_a_recipe_that_cannot_be_trained_is_refused(small_recipe):
    with pytest.raises(LabError, match="size 'huge' does not exist; choose one of tiny, small, pocket, large"):
        Recipe(small_recipe.mixture, tokens=10_000, size="huge")
    with pytest.raises(LabError, match="tokens=100 is less than one step; give at least 2048"):
        Recipe(small_recipe.mixture, tokens=100)


def test_rows_in_two_languages_do_not_count_for_either():
    log = LossLog()
    log.add(torch.tensor([2.0, 4.0, 100.0]).numpy(), [("en",), ("en",), ("en", "fi")])
    log.close_interval(10)
    assert log.intervals == [{"tokens": 10, "losses": {"en": 3.0}}]
