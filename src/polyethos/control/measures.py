"""Outcomes of steering by likelihood: refusing against complying replies, upheld against violated continuations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from polyethos.control.dialogue import Exchange, exchanges, statements
from polyethos.control.likelihood import log_likelihoods
from polyethos.control.scoring import Plan
from polyethos.dataset.languages import language
from polyethos.dataset.load import load_replies
from polyethos.dataset.microworld import lexicon
from polyethos.dataset.pairs import ContrastPairs, sentence
from polyethos.errors import DataError, UnknownNameError
from polyethos.representation.model import LanguageModel
from polyethos.representation.template import Template

HARMFUL, HARMLESS, PAIR = "harmful", "harmless", "pair"
REPLY_SETS = ("everyday", "microworld")


@dataclass(frozen=True)
class Measure:
    """Texts whose likelihoods give one number per item: how much likelier one side is than the other.

    Attributes:
        language: of the texts.
        kinds: what the items come in: harmful and harmless prompts, or just pairs.
        items: their ids, the same for every kind.
        texts: by kind, item, side (the outcome, its opposite), variant.
    """

    language: str
    kinds: tuple[str, ...]
    items: tuple[str, ...]
    texts: Sequence[Exchange]

    def margins(self, model: LanguageModel, conditions: Sequence[Plan]) -> NDArray[np.float64]:
        """Log-odds of the outcome against its opposite, in nats (condition, kind, item); above 0: the outcome.

        Each side's probability is the mean over its variants.
        """
        sums = log_likelihoods(model, self.texts, conditions)
        by_side = sums.reshape(len(conditions), len(self.kinds), len(self.items), 2, -1)
        sides = logsumexp(by_side, axis=-1)
        return np.asarray(sides[..., 0] - sides[..., 1])


def refusal_measure(
    model: LanguageModel,
    prompts: ContrastPairs,
    *,
    template: Template,
    replies: str = "everyday",
    variants: int = 4,
    demonstrations: Sequence[tuple[str, str]] = (),
) -> Measure:
    """Refusing against complying replies to harmful prompts (the violating sentences) and to harmless ones.

    Args:
        model: the model.
        prompts: contrast pairs of harmfulness in one language.
        template: the dialogue around each prompt.
        replies: bundled replies: "everyday" or "microworld".
        variants: how many replies of each side.
        demonstrations: requests with replies that come before every prompt.

    Raises:
        DataError: a text is too long for the model.
    """
    (code,) = prompts.languages
    refusals, compliances = bundled_replies(code, replies=replies, count=variants)
    around = demonstrated(model, template, demonstrations)
    requests = [[pair.negative for pair in prompts], [pair.positive for pair in prompts]]
    texts = [(prompt, reply) for side in requests for prompt in side for reply in (*refusals, *compliances)]
    cut = exchanges(model, texts, template=around, language=code)
    return Measure(code, (HARMFUL, HARMLESS), tuple(pair.item for pair in prompts), cut)


def preference_measure(model: LanguageModel, pairs: ContrastPairs, *, before: Sequence[str] = ()) -> Measure:
    """Upheld against violated continuations of what both sides of a pair begin with.

    Tokens that both sides begin with add nothing to the log-odds; they count as the prompt.

    Args:
        model: the model.
        pairs: contrast pairs in one language; sides with fewer than two tokens are refused.
        before: sentences that come before every text.
    """
    (code,) = pairs.languages
    separator = language(code).word_separator
    opening = "".join(text + separator for text in before)
    both = [sentence(pair, polarity) for pair in pairs for polarity in ("positive", "negative")]
    texts = statements(model, [(opening + one.before, one.answer) for one in both])
    shared = [text for sides in zip(texts[::2], texts[1::2], strict=True) for text in _with_shared_prompt(*sides)]
    return Measure(code, (PAIR,), tuple(pair.item for pair in pairs), shared)


def _with_shared_prompt(one: Exchange, other: Exchange) -> tuple[Exchange, Exchange]:
    tokens = zip(one.tokens[:-1], other.tokens[:-1], strict=False)
    same = sum(1 for _ in takewhile(lambda both: both[0] == both[1], tokens))
    prompt = max(same, 1)
    return replace(one, prompt=prompt), replace(other, prompt=prompt)


def bundled_replies(code: str, *, replies: str = "everyday", count: int = 4) -> tuple[list[str], list[str]]:
    """`count` refusals and `count` compliant openings of a bundled set in one language.

    Raises:
        UnknownNameError: no such set.
        DataError: the set has fewer.
    """
    if replies not in REPLY_SETS:
        raise UnknownNameError.of("set of replies", replies, REPLY_SETS)
    if replies == "everyday":
        rows = load_replies([code])
        refusals, compliances = [row.refusal for row in rows], [row.compliance for row in rows]
    else:
        words = lexicon(code).replies
        refusals, compliances = list(words["refusal"]), list(words["compliance"])
    if not 1 <= count <= len(refusals):
        raise DataError(
            f"{count} replies of each side asked for; the set {replies!r} has 1 to {len(refusals)} in {code}"
        )
    return refusals[:count], compliances[:count]


def demonstrated(model: LanguageModel, template: Template, exchanges_before: Sequence[tuple[str, str]]) -> Template:
    """The template with answered requests before its place."""
    end = str(model.tokenizer.eos_token or "\n")
    before = "".join(template.around(request) + reply + end for request, reply in exchanges_before)
    return Template(before + template.text, template.special_tokens)
