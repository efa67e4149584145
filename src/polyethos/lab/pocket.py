"""The pocket models: three small pre-trained models that come with the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from polyethos.errors import UnknownNameError

CARD = "card.json"


def pocket_models() -> tuple[str, ...]:
    """Names of the models in the package."""
    return tuple(sorted(path.parent.name for path in _folder().glob(f"*/{CARD}")))


def pocket_model_path(name: str) -> Path:
    """The folder of a pocket model, in transformers' format.

    Raises:
        UnknownNameError: there is no such pocket model.
    """
    if name not in pocket_models():
        raise UnknownNameError.of("pocket model", name, pocket_models())
    return _folder() / name


def pocket_card(name: str) -> dict[str, Any]:
    """What the model card records.

    Returns:
        `recipe` (as `polyethos.lab.recipe.Recipe.to_json`), `recipe_hash`, `weights_hash` (SHA-256 of
        model.safetensors), `data_hash` (SHA-256 of the lexicons), `parameters`, `losses` (per interval of training),
        `results` (per measure and language); after a second stage `earlier_stages`, whose recipes and hashes.

    Raises:
        UnknownNameError: there is no such pocket model.
    """
    content: dict[str, Any] = json.loads((pocket_model_path(name) / CARD).read_text(encoding="utf-8"))
    return content


def pocket_shares(name: str) -> Mapping[str, float]:
    """Share of the pre-training tokens per language; they sum to 1.

    Raises:
        UnknownNameError: there is no such pocket model.
    """
    shares: Mapping[str, float] = pocket_card(name)["recipe"]["mixture"]["shares"]
    return shares


def _folder() -> Path:
    # The package is always installed as files: transformers reads models from a path.
    return Path(str(resources.files("polyethos.lab"))) / "pocket_models"
