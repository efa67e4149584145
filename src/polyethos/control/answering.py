"""What the model writes under some conditions, and what can be said of it without a judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from polyethos.control.conditions import Condition
from polyethos.control.detection import refusal_detector
from polyethos.control.dialogue import exchanges
from polyethos.control.fluency import language_fidelity, repetition
from polyethos.control.generation import generate_answers
from polyethos.control.likelihood import log_likelihoods
from polyethos.control.measures import HARMFUL, HARMLESS
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError, MissingDependencyError
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

_CELL = ("shown", "kind", "prompt")


def answer_table(
    model: LanguageModel,
    prompts: ContrastPairs,
    conditions: Sequence[Condition],
    *,
    template: Template,
    max_new_tokens: int = 48,
) -> xr.Dataset:
    """Answers to the harmful and the harmless request of each pair under each condition.

    Args:
        model: the model.
        prompts: contrast pairs of harmfulness in one language.
        conditions: how to steer.
        template: the dialogue around each prompt.
        max_new_tokens: most tokens of an answer.

    Returns:
        (shown, kind, prompt) each, NaN where there is no answer to measure: `request`, `answer`; `refuses`, 1 or 0 by
        the refusal detector, whose own accuracy in this language is `detector_accuracy`; `fidelity`, the probability
        that the answer is in the language (NaN also where lingua lacks it or is not installed); `repetition`;
        `answer_perplexity` of the answer for the plain model.
    """
    (code,) = prompts.languages
    requests = [pair.negative for pair in prompts] + [pair.positive for pair in prompts]
    shape = (len(conditions), 2, len(prompts))
    asked = requests * len(conditions)
    plans = [condition.plan for condition in conditions for _ in requests]
    answers = generate_answers(model, asked, plans, template=template, max_new_tokens=max_new_tokens)
    detector = refusal_detector(code)
    columns: dict[str, NDArray[np.float64] | NDArray[np.str_]] = {
        "request": np.array(asked),
        "answer": np.array(answers),
        "refuses": detector.refuses(answers),
        "fidelity": _fidelity(answers, code),
        "repetition": np.array([repetition(answer) for answer in answers]),
        "answer_perplexity": _perplexities(model, list(zip(asked, answers, strict=True)), template, code),
    }
    table = xr.Dataset(
        {name: (_CELL, column.reshape(shape)) for name, column in columns.items()},
        coords={
            "shown": [condition.name for condition in conditions],
            "kind": [HARMFUL, HARMLESS],
            "prompt": [pair.item for pair in prompts],
        },
    )
    return table.assign(detector_accuracy=detector.accuracy)


def _fidelity(answers: Sequence[str], code: str) -> NDArray[np.float64]:
    try:
        return language_fidelity(answers, code)
    except MissingDependencyError:
        return np.full(len(answers), np.nan)


def _perplexities(
    model: LanguageModel, texts: Sequence[tuple[str, str]], template: Template, code: str
) -> NDArray[np.float64]:
    result = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        try:
            cut = exchanges(model, [text], template=template, language=code)
        except DataError:
            # Nothing was answered.
            continue
        result[row] = np.exp(-log_likelihoods(model, cut)[0, 0] / (len(cut[0].tokens) - cut[0].prompt))
    return result
