"""A tokenizer and a recipe small enough to train within seconds."""

import pytest

from polyethos.lab.mixture import Mixture
from polyethos.lab.recipe import Recipe
from polyethos.lab.tokenizer import train_tokenizer, world_texts


@pytest.fixture(scope="session")
def small_tokenizer():
    return train_tokenizer(world_texts(("en", "fi")), vocabulary=600)


@pytest.fixture
def small_recipe():
    mixture = Mixture("two", {"en": 0.75, "fi": 0.25})
    return Recipe(mixture, tokens=12 * 4 * 32, size="tiny", vocabulary=600, row=32, rows=4)
