"""Scores of a user's own sentences on every value of a run; without a word of layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from polyethos.arrays import VALUE
from polyethos.control.projections import Scale
from polyethos.errors import DataError
from polyethos.presentation.explorer.markup import whole_characters
from polyethos.presentation.explorer.playing import LEAST_RIGHT
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench
from polyethos.presentation.labels import value_name

MOST_SENTENCES, LONGEST_SENTENCE, LARGEST_FILE = 200, 2000, 1_000_000


@dataclass(frozen=True)
class Scores:
    """Scores of sentences.

    Attributes:
        scores: a row per sentence, a column per value; -1 as the run's violating sentences on average, +1 as its
            upholding ones; NaN where the layer tells them too badly apart, or there is no vector.
        context: a row per value: what its numbers rest on.
    """

    scores: pd.DataFrame
    context: pd.DataFrame


def sentences_of(text: str) -> list[str]:
    """The sentences that a user gave, one per line.

    Raises:
        DataError: there are none, too many, or one is too long.
    """
    lines = [line.strip() for line in whole_characters(text).splitlines()]
    sentences = [line for line in lines if line]
    if not sentences:
        raise DataError("There is no sentence yet; write one per line, or add a text file.")
    if len(sentences) > MOST_SENTENCES:
        raise DataError(
            f"{len(sentences):,} sentences; the explorer scores at most {MOST_SENTENCES} at once. Give fewer lines."
        )
    for number, sentence in enumerate(sentences, start=1):
        if len(sentence) > LONGEST_SENTENCE:
            raise DataError(
                f"Sentence {number} has {len(sentence):,} characters; the explorer reads at most "
                f"{LONGEST_SENTENCE:,} in a sentence. Shorten it, or put a line break after every sentence."
            )
    return sentences


def score(bench: Workbench, run: ExploredRun, sentences: list[str], *, source: str, spoken: str, layer: int) -> Scores:
    """Score sentences on every value.

    Args:
        bench: holds the models.
        run: whose vectors are used.
        sentences: at least one.
        source: language of the vectors.
        spoken: language of the sentences, whose known pairs give the scale.
        layer: whose states are read; 0 takes each value's own layer, as chosen in training.

    Raises:
        PolyethosError: a sentence cannot be read, or the run's pairs are gone.
    """
    names = [str(name) for name in run.vectors[VALUE].values]
    columns, rows = {}, []
    with bench.model(run) as model:
        projections = bench.projections(run, model, sentences, source)
        for place, name in enumerate(names):
            if not np.isfinite(projections[:, place]).all():
                columns[value_name(name)] = np.full(len(sentences), np.nan)
                rows.append(_context_row(run, name, source, spoken, layer or run.chosen_layer(name), None))
                continue
            at = layer or run.chosen_layer(name)
            scale = bench.scale(run, model, name, source, spoken)
            scores = scale.positions(projections[:, place])[:, at - 1]
            enough = scale.right[at - 1] >= LEAST_RIGHT
            columns[value_name(name)] = scores if enough else np.full(len(sentences), np.nan)
            rows.append(_context_row(run, name, source, spoken, at, scale))
    frame = pd.DataFrame(columns, index=pd.Index(sentences, name="sentence"))
    return Scores(frame, pd.DataFrame(rows).set_index("value"))


def _context_row(
    run: ExploredRun, name: str, source: str, spoken: str, layer: int, scale: Scale | None
) -> dict[str, str]:
    row = {"value": value_name(name), "layer": str(layer)}
    if scale is None:
        return {**row, "single sentences told right": "no vector", "new pairs told right": "–"}
    right = scale.right[layer - 1]
    verdict = "" if right >= LEAST_RIGHT else " (too few: not scored)"
    return {
        **row,
        "single sentences told right": f"{100 * right:.0f} % of {2 * scale.pairs}{verdict}",
        "new pairs told right": _held_out(run, name, source, spoken, layer),
    }


def _held_out(run: ExploredRun, name: str, source: str, spoken: str, layer: int) -> str:
    """How many pairs the vector tells apart that it was not fitted on, from the run's own results."""
    if "accuracy" not in run.results:
        return "–"
    number = float(run.results["accuracy"].sel(value=name, source=source, target=spoken, layer=layer))
    return "–" if np.isnan(number) else f"{100 * number:.0f} %"


def text_of_file(file: str) -> str:
    """The text of a file that a user gave.

    Raises:
        DataError: it is too large, or no text in UTF-8.
    """
    path = Path(file)
    if path.stat().st_size > LARGEST_FILE:
        raise DataError(f"The file is larger than {LARGEST_FILE // 1000:,} kB; give a smaller one.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "The file is no text in UTF-8; save it as plain text in UTF-8, one sentence per line."
        ) from error
