"""A prompt and what follows it, as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polyethos.dataset.languages import LANGUAGES
from polyethos.errors import DataError, ModelError
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import PLACE, Template
from polyethos.representation.tokens import shortened


@dataclass(frozen=True, slots=True)
class Exchange:
    """A text in two parts as the model reads it.

    Attributes:
        tokens: all of it.
        prompt: how many of the tokens are the prompt; at least 1, fewer than all.
    """

    tokens: tuple[int, ...]
    prompt: int


def marked_dialogue(model: LanguageModel, user: str, assistant: str) -> Template | None:
    """The dialogue of a model whose tokenizer marks the turns by tokens of its own, or None where it lacks them.

    Args:
        model: whose tokenizer is asked.
        user: token before a request.
        assistant: token before its answer.
    """
    known = {user, assistant} <= model.tokenizer.get_vocab().keys()
    return Template(user + PLACE + assistant) if known else None


def prompt_tokens(model: LanguageModel, prompts: Sequence[str], *, template: Template) -> list[list[int]]:
    """The tokens of each prompt within the template, ready for an answer."""
    encoded = model.tokenizer(
        [template.around(prompt) for prompt in prompts], add_special_tokens=template.special_tokens, padding=False
    )
    tokens: list[list[int]] = encoded["input_ids"]
    return tokens


def exchanges(
    model: LanguageModel, texts: Sequence[tuple[str, str]], *, template: Template, language: str | None = None
) -> list[Exchange]:
    """Prompts with given answers, tokenised together.

    A token that holds characters of both parts belongs to the answer.

    Args:
        model: whose tokenizer reads the texts.
        texts: prompt and answer of each.
        template: goes around each prompt.
        language: whose word separator stands between the parts where the template puts nothing there; None for none.

    Raises:
        DataError: an answer is empty, or too long for the model with its prompt.
        ModelError: the tokenizer tells no offsets.
    """
    if not model.tokenizer.is_fast:
        raise ModelError(
            f"{model.name}: its tokenizer tells no offsets, which scoring answers needs; use another model"
        )
    separator = LANGUAGES[language].word_separator if language and template.text.endswith("{input}") else ""
    befores = [template.around(prompt) for prompt, _ in texts]
    encoded = model.tokenizer(
        [before + separator + answer for before, (_, answer) in zip(befores, texts, strict=True)],
        add_special_tokens=template.special_tokens,
        return_offsets_mapping=True,
        padding=False,
        verbose=False,
    )
    rows = zip(encoded["input_ids"], encoded["offset_mapping"], befores, texts, strict=True)
    return [_exchange(model, tokens, offsets, len(before), text) for tokens, offsets, before, text in rows]


def statements(model: LanguageModel, texts: Sequence[tuple[str, str]]) -> list[Exchange]:
    """Plain texts, context and continuation, without any template; at least the first token counts as prompt.

    Raises:
        DataError, ModelError: as for `exchanges`.
    """
    return exchanges(model, texts, template=Template("{input}"))


def _exchange(
    model: LanguageModel, tokens: list[int], offsets: list[tuple[int, int]], border: int, text: tuple[str, str]
) -> Exchange:
    first = next((k for k, (_, end) in enumerate(offsets) if end > border), len(tokens))
    prompt = max(first, 1)
    if prompt >= len(tokens):
        raise DataError(f"{shortened(text[1])}: nothing of it remains after the first token; remove the item")
    if model.max_tokens is not None and len(tokens) > model.max_tokens:
        raise DataError(
            f"{shortened(''.join(text))}: {len(tokens)} tokens, but the model reads at most {model.max_tokens}; "
            "shorten the text or remove the item"
        )
    return Exchange(tuple(tokens), prompt)
