"""A finished model of the lab as the starting point of a second stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from polyethos.errors import DataFormatError, LabError
from polyethos.files import file_hash
from polyethos.lab.pocket import CARD, pocket_model_path, pocket_models
from polyethos.lab.recipe import Recipe, recipe_from_json

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Start:
    """A model to go on from.

    Attributes:
        folder: in transformers' format.
        card: what `polyethos.lab.pocket.pocket_card` documents.
    """

    folder: Path
    card: Mapping[str, Any]

    @property
    def recipe(self) -> Recipe:
        """How the model was trained in its last stage."""
        return recipe_from_json(self.card["recipe"], where=str(self.folder / CARD))

    def stages(self) -> list[dict[str, Any]]:
        """What the next stage's card keeps of this stage and of those before it."""
        kept = ("name", "recipe", "recipe_hash", "data_hash", "weights_hash")
        return [*self.card.get("earlier_stages", []), {name: self.card[name] for name in kept}]

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The model's own tokenizer."""
        tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(self.folder)
        return tokenizer


def read_start(source: str | Path) -> Start:
    """The finished model in that run's folder, in that model folder, or the pocket model of that name.

    Raises:
        LabError: there is no finished model of the lab, or its weights are not those its card was written for.
        DataFormatError: its card is not one of this version's.
    """
    folder = pocket_model_path(str(source)) if str(source) in pocket_models() else Path(source)
    folder = folder / "model" if (folder / "model" / CARD).is_file() else folder
    path = folder / CARD
    if not path.is_file():
        known = ", ".join(pocket_models())
        raise LabError(f"{source}: no finished model of the lab ({CARD} is missing); give a run's folder or {known}")
    try:
        start = Start(folder, json.loads(path.read_text(encoding="utf-8")))
        recorded = start.card["weights_hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataFormatError(f"{path}: not a model card of the lab ({type(error).__name__} {error})") from error
    if not (folder / WEIGHTS).is_file() or file_hash(folder / WEIGHTS) != recorded:
        raise LabError(f"{folder / WEIGHTS}: not the weights that {CARD} was written for; train the model anew")
    return start
