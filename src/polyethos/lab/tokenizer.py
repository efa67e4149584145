"""One byte-level BPE tokenizer for all languages, trained on as much text of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from polyethos.dataset.languages import language
from polyethos.dataset.microworld import MICROWORLD_LANGUAGES, Lexicon, lexicon

BEGIN, END, PADDING, USER, ASSISTANT = "<|begin|>", "<|end|>", "<|padding|>", "<|user|>", "<|assistant|>"
SPECIAL_TOKENS = (BEGIN, END, PADDING, USER, ASSISTANT)

# \p{M} keeps the vowel signs of Tamil and Telugu inside their words; the usual GPT-2 pattern cuts there.
_WORDS = r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+"
# Times that a phrase is repeated in the tokenizer's training text. Subjects, circumstances and verdicts fill most of a
# document; an everyday sentence never occurs in one and comes once.
_FREQUENT, _RARE = 300, 60


def train_tokenizer(texts: Iterable[str], *, vocabulary: int) -> PreTrainedTokenizerFast:
    """A tokenizer of `vocabulary` entries trained on `texts`; bytes it never saw stay representable.

    Every text is encoded with the token `BEGIN` before it, as every training document is.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN} $B", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PADDING)  # type: ignore[no-untyped-call]


@cache
def world_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """The tokenizer of all models trained on the small world, whatever their mixture."""
    return train_tokenizer(world_texts(), vocabulary=vocabulary)


def world_texts(languages: Sequence[str] = MICROWORLD_LANGUAGES) -> Iterator[str]:
    """What the microworld's tokenizer is trained on: its phrases, and the everyday sentences at a low weight.

    Phrases come singly, so that no token reaches over the border between a subject and its predicate in the languages
    that write without spaces, and about as often as documents use them.
    """
    for code in languages:
        words, space = lexicon(code), language(code).word_separator
        predicates = [phrase for sides in words.values.values() for side in sides.values() for phrase in side]
        verdicts = [phrase for side in words.verdicts.values() for phrase in side]
        replies = [phrase for side in words.replies.values() for phrase in side]
        for phrase in (*words.subjects, *words.circumstances, *verdicts):
            yield from [phrase, space + phrase] * _FREQUENT
        yield from [space + phrase for phrase in (*words.neutral, *predicates)] * _RARE
        yield from [*replies, *_request_parts(words)] * _RARE
        yield from everyday_texts(code)


def _request_parts(words: Lexicon) -> Iterator[str]:
    """What stands before, in and after the place of the action, with the space before it where there is one."""
    for frame in words.frames:
        before, after = frame.split("{action}")
        yield from (part for part in (before.rstrip(), after) if part)
    space = " " if words.frames[0].split("{action}")[0].endswith(" ") else ""
    yield from (space + action for side in words.actions.values() for action in side)


def everyday_texts(code: str) -> Iterator[str]:
    """Every text of the bundled everyday pairs and replies in one language."""
    folder = resources.files("polyethos.dataset") / "bundled" / "everyday" / code
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        for line in file.read_text(encoding="utf-8").splitlines():
            fields: Mapping[str, str] = json.loads(line)
            yield from (text for name, text in fields.items() if name not in ("item", "value") and text)
