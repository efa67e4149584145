"""From a mixture to a trained model with its card: what `polyethos lab pretrain` does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from polyethos.errors import LabError
from polyethos.files import write_json
from polyethos.lab.card import measure, save_model
from polyethos.lab.corpus import CorpusRows, balanced_sample, corpus_hash, read_corpus
from polyethos.lab.mixture import MIXTURES, Mixture, read_mixture
from polyethos.lab.pocket import CARD
from polyethos.lab.recipe import Recipe
from polyethos.lab.rows import Source, WorldRows
from polyethos.lab.tokenizer import train_tokenizer, world_tokenizer
from polyethos.lab.training import Progress, train
from polyethos.lab.world import World

_DIALOGUE_LANGUAGES = {"pocket-en": ("en",), "pocket-zh-en": ("zh", "en")}
_POCKET_TOKENS = {"pocket-en": 3_000_000, "pocket-zh-en": 4_000_000, "pocket-balanced": 8_000_000}
_DEFAULT_TOKENS = 8_000_000


@dataclass(frozen=True)
class Materials:
    """What a run trains on, ready to be cut into batches."""

    recipe: Recipe
    source: Source
    tokenizer: PreTrainedTokenizerFast


def pocket_recipe(name: str) -> Recipe:
    """The recipe that made a pocket model."""
    world = World()
    if name in _DIALOGUE_LANGUAGES:
        world = replace(world, dialogue_languages=_DIALOGUE_LANGUAGES[name])
    return Recipe(MIXTURES[name], tokens=_POCKET_TOKENS[name], world=world)


def pretrain(
    mixture: str | Path | Mixture,
    out: Path,
    *,
    tokens: int | None = None,
    seed: int = 0,
    size: str = "pocket",
    text: Path | None = None,
    epochs: float = 4.0,
    dialogue_languages: Sequence[str] | None = None,
    shuffled_verdicts: bool = False,
    unjudged_predicates: int = 0,
    device: str = "auto",
    report: Callable[[Progress], None] | None = None,
) -> Path:
    """Pre-train a model under a mixture of languages; called again with the same arguments, a killed run goes on.

    Args:
        mixture: a pocket model's name, a file, "en=0.9,fi=0.1", or a `Mixture`, see `read_mixture`.
        out: folder of the run.
        tokens: training tokens in all; by default the pocket model's, otherwise 8 million.
        seed: decides weights and data.
        size: "tiny", "pocket" or "large".
        text: train on this text instead of the small world, see `read_corpus`.
        epochs: how often a language's text may be repeated at most.
        dialogue_languages: languages with requests and replies; by default the pocket model's, otherwise all.
        shuffled_verdicts: verdicts that mean nothing (negative control).
        unjudged_predicates: predicates per value that never meet a verdict (harder test).
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
        report: called about twice a second.

    Returns:
        The folder of the model, in transformers' format, with `card.json` and README.md.

    Raises:
        LabError: the mixture, the text or an argument cannot be used, or `out` holds another run.
        ResourceError: the disk is full; nothing that was finished is lost.
    """
    mixture = mixture if isinstance(mixture, Mixture) else read_mixture(mixture)
    recipe = pocket_recipe(mixture.name) if MIXTURES.get(mixture.name) == mixture else Recipe(mixture, _DEFAULT_TOKENS)
    world = replace(recipe.world, shuffled_verdicts=shuffled_verdicts, unjudged_predicates=unjudged_predicates)
    if dialogue_languages is not None:
        world = replace(world, dialogue_languages=tuple(dialogue_languages))
    recipe = replace(recipe, tokens=tokens or recipe.tokens, seed=seed, size=size, world=world)
    materials = _from_text(recipe, text, epochs) if text else _from_world(recipe)
    return run(materials, out, device=device, report=report)


def run(
    materials: Materials, out: Path, *, device: str = "auto", report: Callable[[Progress], None] | None = None
) -> Path:
    """Train, measure and save, or give back the finished model of the same recipe; see `pretrain`."""
    recipe, folder, record = materials.recipe, out / "model", out / "recipe.json"
    if record.exists() and json.loads(record.read_text(encoding="utf-8")) != json.loads(json.dumps(recipe.to_json())):
        raise LabError(f"{out}: holds a run of another recipe ({record.name} differs); choose another folder")
    if (folder / CARD).exists():
        return folder
    write_json(record, recipe.to_json())
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    model, log = train(recipe, materials.source, materials.tokenizer, out, device=place, report=report)
    save_model(model, materials.tokenizer, folder)
    measure(folder, recipe, log)
    return folder


def _from_world(recipe: Recipe) -> Materials:
    tokenizer = world_tokenizer(recipe.vocabulary)
    return Materials(recipe, WorldRows(recipe.world, tokenizer, length=recipe.row, seed=recipe.seed), tokenizer)


def _from_text(recipe: Recipe, text: Path, epochs: float) -> Materials:
    if epochs <= 0:
        raise LabError(f"epochs={epochs:g}: a text is used at least in part; give a number above 0")
    documents = read_corpus(text, list(recipe.mixture.shares))
    recipe = replace(recipe, corpus=corpus_hash(documents))
    tokenizer = train_tokenizer(balanced_sample(documents), vocabulary=recipe.vocabulary)
    source = CorpusRows(documents, tokenizer, length=recipe.row, seed=recipe.seed)
    source.check_epochs(recipe.mixture, rows=recipe.steps * recipe.rows, allowed=epochs)
    return Materials(recipe, source, tokenizer)
