"""What the playground does: steer, stream, and colour; without a word of layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyethos.control.dialogue import marked_dialogue
from polyethos.control.operators import Intervention
from polyethos.control.projections import Scale
from polyethos.control.streaming import Streamed, stream_answers
from polyethos.errors import DataError, SteeringError
from polyethos.lab.pocket import pocket_models
from polyethos.lab.tokenizer import ASSISTANT, USER
from polyethos.presentation.explorer.markup import (
    coloured_tokens,
    legend,
    note,
    reach_of,
    signed,
    table,
    whole_characters,
)
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench
from polyethos.presentation.labels import language_name, value_name
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import PLACE, Template, resolve_template

LONGEST_PROMPT = 4000
LONGEST_ANSWER = 256
# Below this share of single sentences on their own side, -1 and +1 are too close for a scale.
LEAST_RIGHT = 0.6
DIALOGUE, TEXT = "a request to answer", "a text to go on with"
BY_PAIRS, BY_MEAN = "the run's own sentences", "the average token of the plain text"


@dataclass(frozen=True)
class Wish:
    """What a user asked for."""

    prompt: str
    value: str
    source: str
    layers: tuple[int, ...]
    operator: str = "add"
    strength: float = 0.0
    target: float = 0.0
    scope: str = "all"
    form: str = DIALOGUE
    tokens: int = 48


@dataclass(frozen=True)
class Outcome:
    """Plain and steered rows so far, with what their projections mean.

    Attributes:
        plain, steered: the rows.
        scale: what projections mean; None where the run's sentences cannot be read.
        norms: mean length of the hidden states (layer,).
        wish: what was asked for.
        remark: what the user should know.
    """

    plain: Streamed
    steered: Streamed
    scale: Scale | None
    norms: NDArray[np.float64]
    wish: Wish
    remark: str = ""


def play(bench: Workbench, run: ExploredRun, wish: Wish) -> Iterator[Outcome]:
    """The plain and the steered answer as they grow, read and steered together.

    Raises:
        PolyethosError: the wish cannot be fulfilled; the message says why and what to change.
    """
    wish = replace(wish, prompt=whole_characters(wish.prompt))
    _check(wish)
    with bench.model(run) as model:
        directions = run.directions(wish.value, wish.source)
        remarks = []
        try:
            scale: Scale | None = bench.scale(run, model, wish.value, wish.source, wish.source)
        except DataError as error:
            scale = None
            remarks.append(f"The run's sentences cannot be read, so projections have no scale: {error}")
        template, words = template_for(model, wish.form)
        remarks.append(words)
        if run.name.split(" ")[0] in pocket_models():
            remarks.append(
                "A pocket model knows only a very small world and few words; it is there to show the method."
            )
        norms = run.norms(wish.value)
        plan = _plan(wish, directions, norms, scale)
        rows = stream_answers(
            model, wish.prompt, [[], plan], directions=directions, template=template, max_new_tokens=wish.tokens
        )
        try:
            for plain, steered in rows:
                yield Outcome(plain, steered, scale, norms, wish, " ".join(remarks).strip())
        finally:
            # The model stays edited until its stream is closed.
            rows.close()  # type: ignore[attr-defined]


def template_for(model: LanguageModel, form: str) -> tuple[Template, str]:
    """The text around a prompt, and what to tell the user about it."""
    if form == TEXT:
        return Template(PLACE), ""
    if model.reading_template.text != PLACE:
        return model.reading_template, ""
    if model.tokenizer.chat_template:
        return resolve_template("chat", model.tokenizer, model=model.name), ""
    if marked := marked_dialogue(model, USER, ASSISTANT):
        return marked, ""
    return Template(PLACE), "This model has no form for requests, so it goes on with your text."


def _check(wish: Wish) -> None:
    if not wish.prompt.strip():
        raise DataError("The prompt is empty; write something to answer or to go on with.")
    if len(wish.prompt) > LONGEST_PROMPT:
        raise DataError(
            f"The prompt has {len(wish.prompt):,} characters; the playground reads at most {LONGEST_PROMPT:,}. "
            "Shorten it."
        )
    if not wish.layers:
        raise SteeringError("No layer is chosen to steer at; choose at least one.")


def _plan(
    wish: Wish, directions: NDArray[np.float32], norms: NDArray[np.float64], scale: Scale | None
) -> list[Intervention]:
    if wish.operator == "clamp" and scale is None:
        raise SteeringError("Clamping needs the run's sentences to know where to go; choose another operator.")
    words: dict[str, Any] = {"operator": wish.operator, "scope": wish.scope}
    return [
        Intervention(
            layer=layer,
            vector=directions[layer - 1],
            strength=wish.strength,
            norm=float(norms[layer - 1]),
            target=scale.projection(wish.target, layer) if scale and wish.operator == "clamp" else 0.0,
            **words,
        )
        for layer in wish.layers
    ]


@dataclass(frozen=True)
class Colouring:
    """Numbers for the tokens of both rows at one layer, and how to show them."""

    plain: NDArray[np.float64]
    steered: NDArray[np.float64]
    reach: float
    unit: str
    middle: str
    remark: str = ""


def colouring(outcome: Outcome, layer: int, zero: str) -> Colouring:
    """What the colours of both texts stand for at one layer.

    Args:
        outcome: plain and steered rows.
        layer: whose outputs are projected, 1..L.
        zero: what no colour means, `BY_PAIRS` or `BY_MEAN`; the second where the first has no meaning.
    """
    scale, at, remark = outcome.scale, layer - 1, ""
    if zero == BY_PAIRS and scale is not None and not scale.right[at] >= LEAST_RIGHT:
        remark = (
            f"At layer {layer} this vector puts only {100 * scale.right[at]:.0f} % of the run's sentences on their "
            "own side (guessing: 50 %), so colours show the difference from the average token instead."
        )
    rows = outcome.plain, outcome.steered
    if zero == BY_PAIRS and scale is not None and not remark:
        plain, steered = (scale.positions(row.projections)[:, at] for row in rows)
        reach = min(8.0, reach_of(np.concatenate([plain, steered]), 2.0))
        words = "half-way between the run's sentences (violating −1, upholding +1)"
        return Colouring(plain, steered, reach, "", words)
    content = [not special for special in outcome.plain.special]
    centre = float(np.nanmean(outcome.plain.projections[content, at])) if any(content) else 0.0
    plain, steered = (100 * (row.projections[:, at].astype(float) - centre) / outcome.norms[at] for row in rows)
    inner = np.concatenate([row[~np.array(one.special)] for row, one in zip((plain, steered), rows, strict=True)])
    words = "the average token of the plain text"
    return Colouring(plain, steered, reach_of(inner, 2.0), "% of the layer's mean length", words, remark)


def shown(outcome: Outcome, layer: int, zero: str) -> tuple[str, str, str, str]:
    """The plain text, the steered text, the legend with remarks, and the numbers, as HTML."""
    colours = colouring(outcome, layer, zero)
    texts = [
        coloured_tokens(row.texts, row.special, row.prompt, numbers, reach=colours.reach, unit=colours.unit)
        for row, numbers in ((outcome.plain, colours.plain), (outcome.steered, colours.steered))
    ]
    said = legend(colours.reach, colours.unit, colours.middle)
    said += note(_summary(outcome, colours, layer)) + note(colours.remark) + note(outcome.remark)
    return texts[0], texts[1], said, _numbers(outcome, colours)


def _summary(outcome: Outcome, colours: Colouring, layer: int) -> str:
    wish = outcome.wish
    means = [
        float(np.nanmean(numbers[row.prompt :])) if np.isfinite(numbers[row.prompt :]).any() else float("nan")
        for row, numbers in ((outcome.plain, colours.plain), (outcome.steered, colours.steered))
    ]
    words = (
        f"Projection on {value_name(wish.value)} ({language_name(wish.source)} vector) at the output of layer {layer}; "
        f"average of the answer: plain {signed(means[0])}, steered {signed(means[1])} {colours.unit}".strip()
        + ". The colours of the steered text include the steering itself, from the steered layer on."
    )
    if not wish.strength:
        words += " Strength 0 changes nothing: both answers are the same."
    elif outcome.plain.finished and outcome.plain.answer == outcome.steered.answer:
        words += " Both answers are the same: this strength changes no word."
    return words


def _numbers(outcome: Outcome, colours: Colouring) -> str:
    parts = []
    for name, row, numbers in (
        ("plain", outcome.plain, colours.plain),
        ("steered", outcome.steered, colours.steered),
    ):
        frame = pd.DataFrame(
            {
                "token": list(row.texts),
                "part": ["prompt"] * row.prompt + ["answer"] * (len(row.texts) - row.prompt),
                "projection": numbers,
            },
            index=pd.RangeIndex(1, len(row.texts) + 1, name="place"),
        )
        unit = f", {colours.unit}" if colours.unit else ""
        parts.append(table(frame, f"Tokens of the {name} text (projection{unit}; 0: {colours.middle})"))
    return '<div class="pe-two">' + "".join(parts) + "</div>"


def without_numbers(outcome: Outcome, layer: int, zero: str) -> Sequence[str]:
    """As `shown`, while the answers still grow: the long tables wait for the end."""
    brief = replace(outcome, remark="")
    plain, steered, said, _ = shown(brief, layer, zero)
    return plain, steered, note("Answering …") + said, ""
