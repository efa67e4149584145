"""From a mixture to a trained model with its card: what `polyethos lab pretrain` does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from polyethos.errors import LabError
from polyethos.files import write_json
from polyethos.lab.card import measure, save_model
from polyethos.lab.corpus import CorpusRows, balanced_sample, corpus_hash, read_corpus
from polyethos.lab.mixture import MIXTURES, Mixture, read_mixture
from polyethos.lab.pocket import CARD
from polyethos.lab.recipe import Recipe
from polyethos.lab.rows import Source, WorldRows
from polyethos.lab.start import Start, read_start
from polyethos.lab.tokenizer import train_tokenizer, world_tokenizer
from polyethos.lab.training import Progress, train
from polyethos.lab.world import World
from polyethos.representation.hardware import choose_device

_DIALOGUE_LANGUAGES = {"pocket-en": ("en",), "pocket-zh-en": ("zh", "en")}
_POCKET_TOKENS = {"pocket-en": 2_000_000, "pocket-zh-en": 3_000_000, "pocket-balanced": 8_000_000}
# With 0.2, a tenth of the seen requests stayed wrong in the languages with Latin script.
_POCKET_DIALOGUES = 0.3
_DEFAULT_TOKENS = 8_000_000
_SECOND_STAGE_TOKENS = 500_000
# A third of the first stage's: the model should learn to answer without forgetting what it knows.
_SECOND_STAGE_RATE = 1e-3


@dataclass(frozen=True)
class Materials:
    """What a run trains on, ready to be cut into batches."""

    recipe: Recipe
    source: Source
    tokenizer: PreTrainedTokenizerFast
    start: Start | None = None


def pocket_recipe(name: str) -> Recipe:
    """The recipe that made a pocket model."""
    world = World(dialogues=_POCKET_DIALOGUES)
    if name in _DIALOGUE_LANGUAGES:
        world = replace(world, dialogue_languages=_DIALOGUE_LANGUAGES[name])
    return Recipe(MIXTURES[name], tokens=_POCKET_TOKENS[name], world=world)


def pretrain(
    mixture: str | Path | Mixture,
    out: Path,
    *,
    tokens: int | None = None,
    seed: int = 0,
    size: str | None = None,
    text: Path | None = None,
    epochs: float = 4.0,
    dialogue_languages: Sequence[str] | None = None,
    shuffled_verdicts: bool = False,
    unjudged_predicates: int = 0,
    start: str | Path | None = None,
    dialogues_only: bool = False,
    device: str = "auto",
    report: Callable[[Progress], None] | None = None,
) -> Path:
    """Pre-train a model under a mixture of languages; called again with the same arguments, a killed run goes on.

    Args:
        mixture: a pocket model's name, a file, "en=0.9,fi=0.1", or a `Mixture`, see `read_mixture`.
        out: folder of the run.
        tokens: training tokens in all; by default the pocket model's, 500,000 in a second stage, otherwise 8 million.
        seed: decides weights and data.
        size: "tiny", "pocket" (the default) or "large"; a second stage has its starting model's.
        text: train on this text instead of the small world, see `read_corpus`.
        epochs: how often a language's text may be repeated at most.
        dialogue_languages: languages with requests and replies; by default the pocket model's, otherwise all.
        shuffled_verdicts: verdicts that mean nothing (negative control).
        unjudged_predicates: predicates per value that never meet a verdict (harder test).
        start: folder of a finished run or model, or a pocket model's name, to go on from: a second stage. It has that
            model's size and tokenizer, and its languages are measured again, also those this mixture leaves out.
        dialogues_only: nothing but requests and replies, in the languages of the mixture.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
        report: called about twice a second.

    Returns:
        The folder of the model, in transformers' format, with `card.json` and README.md.

    Raises:
        LabError: the mixture, the text or an argument cannot be used, or `out` holds another run.
        ModelLoadError: the device does not exist here.
        ResourceError: the disk is full; nothing that was finished is lost.
    """
    mixture = mixture if isinstance(mixture, Mixture) else read_mixture(mixture)
    before = None if start is None else read_start(start)
    recipe = pocket_recipe(mixture.name) if MIXTURES.get(mixture.name) == mixture else Recipe(mixture, _DEFAULT_TOKENS)
    world = replace(recipe.world, shuffled_verdicts=shuffled_verdicts, unjudged_predicates=unjudged_predicates)
    if dialogue_languages is not None:
        world = replace(world, dialogue_languages=_with_dialogues(dialogue_languages, mixture))
    if dialogues_only:
        if text or dialogue_languages is not None:
            raise LabError("dialogues only: they are about the small world, in the mixture's languages; name no others")
        world = replace(world, dialogues=1.0, translated=0.0, dialogue_languages=tuple(mixture.shares))
    recipe = replace(recipe, world=world, seed=seed)
    if before is not None:
        recipe = _second_stage(recipe, before, size)
    recipe = replace(recipe, tokens=tokens or recipe.tokens, size=size or recipe.size)
    materials = text_materials(recipe, text, epochs=epochs, start=before) if text else world_materials(recipe, before)
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
    place = choose_device(device)
    write_json(record, recipe.to_json())
    start = materials.start
    model, log = train(
        recipe,
        materials.source,
        materials.tokenizer,
        out,
        start=start.folder if start else None,
        device=place,
        report=report,
    )
    save_model(model, materials.tokenizer, folder)
    measure(folder, recipe, log, start)
    return folder


def world_materials(recipe: Recipe, start: Start | None) -> Materials:
    """Documents about the small world, in the tokens of the starting model if there is one."""
    tokenizer = start.tokenizer() if start else world_tokenizer(recipe.vocabulary)
    source = WorldRows(recipe.world, tokenizer, length=recipe.row, seed=recipe.seed)
    return Materials(recipe, source, tokenizer, start)


def text_materials(recipe: Recipe, text: Path, *, epochs: float, start: Start | None) -> Materials:
    """A user's own text, in the tokens of the starting model if there is one.

    Raises:
        LabError: a language has no text, or too little for its share.
    """
    if epochs <= 0:
        raise LabError(f"epochs={epochs:g}: a text is used at least in part; give a number above 0")
    documents = read_corpus(text, list(recipe.mixture.shares))
    recipe = replace(recipe, corpus=corpus_hash(documents))
    tokenizer = (
        start.tokenizer() if start else train_tokenizer(balanced_sample(documents), vocabulary=recipe.vocabulary)
    )
    source = CorpusRows(documents, tokenizer, length=recipe.row, seed=recipe.seed)
    source.check_epochs(recipe.mixture, rows=recipe.steps * recipe.rows, allowed=epochs)
    return Materials(recipe, source, tokenizer, start)


def _second_stage(recipe: Recipe, before: Start, size: str | None) -> Recipe:
    """The recipe with the shape of the model before, its weights to start from, and a lower rate."""
    first = before.recipe
    if size not in (None, first.size):
        raise LabError(f"size {size!r}: {before.folder} is of size {first.size!r}, and a second stage keeps it")
    return replace(
        recipe,
        tokens=_SECOND_STAGE_TOKENS,
        size=first.size,
        vocabulary=first.vocabulary,
        row=first.row,
        learning_rate=_SECOND_STAGE_RATE,
        start=before.card["weights_hash"],
    )


def _with_dialogues(languages: Sequence[str], mixture: Mixture) -> tuple[str, ...]:
    for code in languages:
        if code not in mixture.shares:
            raise LabError(
                f"dialogues in {code!r}, which the mixture {mixture.name} does not have; it has "
                f"{', '.join(mixture.shares)}"
            )
    return tuple(languages)
