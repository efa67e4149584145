"""A trained model on disk with its card: what went in, what came out."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import xarray as xr
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from polyethos.arrays import LAYER, SOURCE, TARGET, VALUE
from polyethos.dataset.microworld import MICROWORLD_LANGUAGES, microworld_pairs, time_pairs
from polyethos.files import file_hash, whole_file, write_json, write_text
from polyethos.lab.checkpoint import LossLog
from polyethos.lab.outcomes import reply_accuracy, separability, unspecificity, verdict_accuracy
from polyethos.lab.pocket import CARD
from polyethos.lab.readme import readme
from polyethos.lab.recipe import Recipe
from polyethos.lab.start import WEIGHTS, Start
from polyethos.representation.activations import extract
from polyethos.representation.model import LanguageModel, load_model

_INTERVALS_KEPT = 20
_VERDICT_ITEMS, _PAIR_ITEMS = 16, 48


def save_model(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model and tokenizer in transformers' format, weights in bfloat16.

    Raises:
        ResourceError: the disk is full.
    """
    with TemporaryDirectory() as temporary:
        model.bfloat16().save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        _name_class_for_all_versions(Path(temporary) / "tokenizer_config.json")
        for file in sorted(Path(temporary).iterdir()):
            if file.name != "generation_config.json":
                with whole_file(folder / file.name) as copy:
                    copyfile(file, copy)


def _name_class_for_all_versions(settings: Path) -> None:
    """Version 5 of transformers writes a class that 4.57 does not know, and reads the one that both do."""
    content = json.loads(settings.read_text(encoding="utf-8"))
    write_json(settings, content | {"tokenizer_class": "PreTrainedTokenizerFast"})


def measure(folder: Path, recipe: Recipe, log: LossLog, start: Start | None = None) -> dict[str, Any]:
    """Measure the model in `folder` as saved, on what it never saw, and write its card.

    Args:
        folder: from `save_model`.
        recipe: how the model was trained.
        log: its losses.
        start: the model that training began with; its languages are measured too.

    Returns:
        What `polyethos.lab.pocket.pocket_card` documents.
    """
    loaded = load_model(folder, dtype="float32", device="cpu", template="bare")
    card = {
        "name": recipe.mixture.name,
        "recipe": recipe.to_json(),
        "recipe_hash": recipe.identity(),
        "data_hash": recipe.corpus or lexicons_hash(),
        "weights_hash": file_hash(folder / WEIGHTS),
        "parameters": sum(weight.numel() for weight in loaded.model.parameters()),
        "losses": _thinned(log.intervals),
        "results": {} if recipe.corpus else results(loaded, recipe, start),
        "torch": torch.__version__,
    }
    if start:
        card["earlier_stages"] = start.stages()
    write_json(folder / CARD, card)
    write_text(folder / "README.md", readme(card))
    return card


def results(loaded: LanguageModel, recipe: Recipe, start: Start | None = None) -> dict[str, Any]:
    """Verdicts, replies, recognition, transfer and similarity on held-out combinations, per language.

    The languages are those of the recipe and of the starting model. After a second stage, replies are measured in all
    of them, otherwise where there were dialogues.
    """
    languages = list(dict.fromkeys([*recipe.mixture.shares, *(start.recipe.mixture.shares if start else ())]))
    with_replies = [code for code in languages if start or code in recipe.world.dialogue_languages]
    verdicts = verdict_accuracy(loaded, microworld_pairs(languages=languages, items=_VERDICT_ITEMS))
    separate = separability(loaded, extract(loaded, microworld_pairs(languages=languages, items=_PAIR_ITEMS)))
    layer = int(separate.accuracy.mean([VALUE, SOURCE, TARGET]).idxmax())
    at_layer = separate[["accuracy", "cosine"]].sel({LAYER: layer}).mean(VALUE)
    times = extract(loaded, time_pairs(languages=languages, items=_PAIR_ITEMS))
    unspecific = unspecificity(separate.vectors, times).sel({LAYER: layer}).mean(VALUE)
    found: dict[str, Any] = {"verdict_accuracy": verdicts, "layer": layer, "layers": loaded.n_layers}
    for name, kept in (("reply_accuracy_held_out", True), ("reply_accuracy_seen", False)):
        found[name] = reply_accuracy(loaded, with_replies, held_out=kept)
    own = {code: float(at_layer.accuracy.sel({SOURCE: code, TARGET: code})) for code in languages}
    away = at_layer.where(at_layer[SOURCE] != at_layer[TARGET])
    return found | {
        "recognition": own,
        "transfer_from": _by_language(away.accuracy.mean(TARGET)),
        "transfer_to": _by_language(away.accuracy.mean(SOURCE)),
        "similarity": _by_language(away.cosine.mean(TARGET)),
        "time_similarity": _by_language(unspecific),
    }


def lexicons_hash() -> str:
    """SHA-256 over the microworld's lexicons."""
    digest = hashlib.sha256()
    folder = resources.files("polyethos.dataset") / "bundled" / "microworld"
    for code in sorted(MICROWORLD_LANGUAGES):
        digest.update((folder / f"{code}.json").read_bytes())
    return digest.hexdigest()


def _by_language(values: xr.DataArray) -> dict[str, float]:
    return {
        str(code): round(float(value), 4) for code, value in zip(values[values.dims[0]].values, values, strict=True)
    }


def _thinned(intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most 20 of the intervals, the last one always."""
    chosen = np.unique(np.linspace(0, len(intervals) - 1, min(_INTERVALS_KEPT, len(intervals))).round().astype(int))
    rounded = ((intervals[index]["tokens"], intervals[index]["losses"]) for index in chosen)
    return [{"tokens": n, "losses": {code: round(loss, 4) for code, loss in losses.items()}} for n, losses in rounded]
