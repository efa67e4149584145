"""One run of a sweep: train a model, keep it, and measure what the sweep compares."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from polyethos.dataset.load import load_pairs
from polyethos.dataset.microworld import microworld_pairs
from polyethos.errors import LabError
from polyethos.files import write_json
from polyethos.lab.card import save_model
from polyethos.lab.checkpoint import CHECKPOINT
from polyethos.lab.corpus import CorpusRows, balanced_sample, corpus_hash, read_corpus
from polyethos.lab.outcomes import verdict_accuracy
from polyethos.lab.recipe import Recipe
from polyethos.lab.rows import Source, WorldRows
from polyethos.lab.steerability import steerability
from polyethos.lab.sweep_plan import SweepPlan, SweepRun
from polyethos.lab.tokenizer import train_tokenizer, world_texts
from polyethos.lab.training import Progress, row_losses, train
from polyethos.lab.value_structure import value_structure
from polyethos.representation.activations import extract
from polyethos.representation.model import load_model

OUTCOMES_FILE, RECIPE_FILE, MODEL_FOLDER = "outcomes.json", "recipe.json", "model"

_LOSS_ROWS = 24
_VERDICT_ITEMS, _PAIR_ITEMS = 16, 32
_TEST_EVERY = 20
# No run has this seed, so that its documents are new to all of them.
_TEST_SEED = -1


@dataclass(frozen=True)
class Setting:
    """What the runs of a sweep with one seed read.

    Attributes:
        source: training rows.
        test: rows that no run trains on.
        tokenizer: of both.
        corpus: SHA-256 of a user's own text, or None.
    """

    source: Source
    test: Source
    tokenizer: PreTrainedTokenizerFast
    corpus: str | None


def finish(plan: SweepPlan, run: SweepRun, out: Path, *, report: Callable[[Progress], None] | None = None) -> None:
    """Train and measure a run, or go on where a killed one stopped; nothing happens if it is finished.

    Raises:
        LabError: the folder holds a run of another recipe, or the text is too little.
        ResourceError: the disk is full; nothing that was finished is lost.
    """
    folder = out / run.folder
    if (folder / OUTCOMES_FILE).exists():
        return
    setting = _setting(plan, run.seed)
    recipe = replace(plan.recipe(run), corpus=setting.corpus)
    _claim(folder, recipe)
    if isinstance(setting.source, CorpusRows):
        setting.source.check_epochs(recipe.mixture, rows=recipe.steps * recipe.rows, allowed=plan.epochs)
    # The checkpoint goes last: while it is there, what is in the model's folder may be half-written.
    if (folder / CHECKPOINT).exists() or not (folder / MODEL_FOLDER).exists():
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model, _ = train(recipe, setting.source, setting.tokenizer, folder, device=device, report=report)
        save_model(model, setting.tokenizer, folder / MODEL_FOLDER)
        (folder / CHECKPOINT).unlink()
    measure(plan, run, out)


def measure(plan: SweepPlan, run: SweepRun, out: Path) -> None:
    """Measure the saved model of a run, also if that was done before, and write its outcomes.

    Outcomes per language: `loss` (nats per token, on documents that no run trained on), `verdict_accuracy` (see
    `outcomes`), everything of `value_structure` and `steerability`. With a user's own text there are no verdicts and no
    replies, and values are those of the bundled everyday pairs.
    """
    folder, codes = out / run.folder, list(plan.languages)
    loaded = load_model(folder / MODEL_FOLDER, dtype="float32", device="cpu", template="bare")
    setting = _setting(plan, run.seed)
    rows = {code: [setting.test.row((code,), number) for number in range(_LOSS_ROWS)] for code in codes}
    with torch.inference_mode():
        losses = {
            code: float(row_losses(cast(LlamaForCausalLM, loaded.model), torch.tensor(np.array(some))).mean())
            for code, some in rows.items()
        }
    found: dict[str, Mapping[str, float]] = {"loss": losses}
    if plan.text is None:
        found["verdict_accuracy"] = verdict_accuracy(
            loaded, microworld_pairs(languages=codes, values=plan.values, items=_VERDICT_ITEMS)
        )
        found |= steerability(loaded, codes, seed=run.seed)
        pairs = microworld_pairs(languages=codes, values=plan.values, items=_PAIR_ITEMS)
    else:
        pairs = load_pairs("everyday", values=list(plan.values), languages=codes)
    found |= value_structure(extract(loaded, pairs), pairs)
    write_json(folder / OUTCOMES_FILE, found)


def _claim(folder: Path, recipe: Recipe) -> None:
    record, wanted = folder / RECIPE_FILE, json.loads(json.dumps(recipe.to_json()))
    if record.exists() and json.loads(record.read_text(encoding="utf-8")) != wanted:
        raise LabError(f"{folder}: holds a run of another recipe ({RECIPE_FILE} differs); choose another folder")
    write_json(record, wanted)


@lru_cache(maxsize=2)
def _setting(plan: SweepPlan, seed: int) -> Setting:
    if plan.text is not None:
        return _text_setting(plan, Path(plan.text), seed)
    tokenizer = _world_tokenizer(plan.languages, plan.vocabulary)
    recipe = plan.recipe(plan.runs()[0])
    rows = (WorldRows(recipe.world, tokenizer, length=recipe.row, seed=one) for one in (seed, _TEST_SEED))
    return Setting(next(rows), next(rows), tokenizer, None)


@lru_cache(maxsize=1)
def _world_tokenizer(languages: tuple[str, ...], vocabulary: int) -> PreTrainedTokenizerFast:
    return train_tokenizer(world_texts(languages), vocabulary=vocabulary)


def _text_setting(plan: SweepPlan, path: Path, seed: int) -> Setting:
    documents = read_corpus(path, plan.languages)
    short = [code for code, texts in documents.items() if len(texts) < 2 * _TEST_EVERY]
    if short:
        raise LabError(
            f"{path}: {len(documents[short[0]])} documents in {short[0]}; "
            f"one in {_TEST_EVERY} is kept for testing, so give at least {2 * _TEST_EVERY}"
        )
    tested = {code: texts[::_TEST_EVERY] for code, texts in documents.items()}
    trained = {
        code: [text for place, text in enumerate(texts) if place % _TEST_EVERY] for code, texts in documents.items()
    }
    tokenizer = train_tokenizer(balanced_sample(trained), vocabulary=plan.vocabulary)
    length = plan.recipe(plan.runs()[0]).row
    return Setting(
        CorpusRows(trained, tokenizer, length=length, seed=seed),
        CorpusRows(tested, tokenizer, length=length, seed=_TEST_SEED % 2**32),
        tokenizer,
        corpus_hash(documents),
    )
