"""Answers token by token, several plans at once, with every token's projection on a direction at every layer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from polyethos.control.dialogue import prompt_tokens
from polyethos.control.operators import Intervention, unit_vector
from polyethos.control.steering import steer
from polyethos.errors import DataError
from polyethos.representation.blocks import on_outputs
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

# A character takes at most four bytes; a byte-level token that is still not readable after that never will be.
_LONGEST_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class Streamed:
    """One row of a stream so far.

    Attributes:
        texts: what each token adds to the text; empty for one that only begins a character.
        special: whether each token is one of the tokenizer's special tokens.
        prompt: how many of the tokens are the prompt with its template.
        projections: of each token on the unit direction of each layer, float32 (token, layer); NaN for the newest
            token, which the model has not read yet.
        finished: whether the answer is complete.
    """

    texts: tuple[str, ...]
    special: tuple[bool, ...]
    prompt: int
    projections: NDArray[np.float32]
    finished: bool

    @property
    def answer(self) -> str:
        """The answer so far, without special tokens."""
        shown = zip(self.texts[self.prompt :], self.special[self.prompt :], strict=True)
        return "".join(text for text, special in shown if not special)


def stream_answers(
    model: LanguageModel,
    prompt: str,
    plans: Sequence[Sequence[Intervention]],
    *,
    directions: NDArray[np.float32],
    template: Template,
    max_new_tokens: int = 48,
) -> Iterator[tuple[Streamed, ...]]:
    """The answers to one prompt under each plan, as they grow; always the most probable next token.

    The model is steered while the iterator is in use; close it, or exhaust it, before using the model otherwise.

    Args:
        model: the model.
        prompt: what to answer or to go on with, without template.
        plans: the edits of each row; an empty plan is the plain model.
        directions: (layer, hidden), projected on at the output of each block, after the edits.
        template: around the prompt.
        max_new_tokens: most tokens of an answer.

    Yields:
        One `Streamed` per plan: after the prompt was read and after each new token.

    Raises:
        DataError: the prompt makes no tokens, or leaves no room for an answer.
        SteeringError: a plan does not fit the model.
    """
    tokens = prompt_tokens(model, [prompt], template=template)[0]
    if not tokens:
        raise DataError("the prompt makes no tokens; write something")
    room = max_new_tokens if model.max_tokens is None else min(max_new_tokens, model.max_tokens - len(tokens))
    if room < 1:
        raise DataError(f"the prompt has {len(tokens)} tokens, and the model reads {model.max_tokens}; shorten it")
    ends, specials = _end_tokens(model), _special_tokens(model)
    rows = [_Row(model, tokens, ends, specials) for _ in plans]
    forward = _Forward(model, np.stack([unit_vector(direction) for direction in directions]))
    newest = [list(tokens)] * len(plans)
    with steer(model, rows=plans):
        for left in range(room, -1, -1):
            following, projections = forward(newest)
            for row, token, projection in zip(rows, following, projections, strict=True):
                row.read(projection)
                row.write(token, last=left == 0)
            yield tuple(row.so_far() for row in rows)
            if all(row.finished for row in rows):
                return
            newest = [[token] for token in following]


def _end_tokens(model: LanguageModel) -> set[int]:
    settings = getattr(model.model, "generation_config", None)
    named = getattr(settings, "eos_token_id", None)
    listed = named if isinstance(named, (list, tuple)) else [named]
    return {int(token) for token in (*listed, model.tokenizer.eos_token_id) if token is not None}


def _special_tokens(model: LanguageModel) -> set[int]:
    added = getattr(model.tokenizer, "added_tokens_decoder", {})
    return {*model.tokenizer.all_special_ids, *(token for token, about in added.items() if about.special)}


class _Forward:
    """Passes of the model with a cache; the same number of tokens in every row, so nothing is padded."""

    def __init__(self, model: LanguageModel, units: NDArray[np.float32]) -> None:
        self._model, self._units = model, torch.from_numpy(units)
        self._cache: object = None
        only_last = "logits_to_keep" in inspect.signature(model.model.forward).parameters
        # The vocabulary projection of a whole prompt would take more memory than the model.
        self._options = {"logits_to_keep": 1} if only_last else {}

    def __call__(self, rows: Sequence[Sequence[int]]) -> tuple[list[int], NDArray[np.float32]]:
        """The next token of each row, and projections (row, token, layer) of the tokens given."""
        read: list[torch.Tensor] = []

        def receive(layer: int, states: torch.Tensor) -> None:
            read.append((states.float() @ self._units[layer].to(states.device)).cpu())

        # Inference mode belongs to a thread, and another thread may take the next step.
        with on_outputs(self._model.blocks, receive), torch.inference_mode():
            output = self._model.model(
                input_ids=torch.tensor(rows, device=self._model.device),
                past_key_values=self._cache,
                use_cache=True,
                return_dict=True,
                **self._options,
            )
            self._cache = output.past_key_values
            following: list[int] = output.logits[:, -1].argmax(dim=-1).tolist()
            return following, torch.stack(read, dim=-1).numpy()


@dataclass
class _Row:
    model: LanguageModel
    tokens: list[int]
    ends: set[int]
    specials: set[int]
    finished: bool = False
    _texts: list[str] = field(default_factory=list)
    _read: list[NDArray[np.float32]] = field(default_factory=list)
    _prompt: int = 0
    _clear: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.tokens, given = [], self.tokens
        for token in given:
            self._append(token)
        self._prompt = len(given)

    def read(self, projections: NDArray[np.float32]) -> None:
        if len(self._read) < len(self.tokens):
            self._read.extend(projections)

    def write(self, token: int, *, last: bool) -> None:
        if self.finished:
            return
        self.finished = last or token in self.ends
        if not self.finished:
            self._append(token)

    def so_far(self) -> Streamed:
        unread = [np.full_like(self._read[0], np.nan)] * (len(self.tokens) - len(self._read))
        return Streamed(
            tuple(self._texts),
            tuple(token in self.specials for token in self.tokens),
            self._prompt,
            np.stack([*self._read, *unread]),
            self.finished,
        )

    def _append(self, token: int) -> None:
        """A token's text is what it adds to the decoded text, because blanks and parts of characters depend on it."""
        self.tokens.append(token)
        begin, clear = self._clear
        before, now = self._decoded(begin, clear), self._decoded(begin, len(self.tokens))
        if now.endswith("\ufffd") and len(self.tokens) - clear < _LONGEST_CHARACTER:
            self._texts.append("")
            return
        self._texts.append(now[len(before) :])
        self._clear = clear, len(self.tokens)

    def _decoded(self, begin: int, end: int) -> str:
        text = self.model.tokenizer.decode(self.tokens[begin:end], clean_up_tokenization_spaces=False)
        return str(text)
