"""Templates: the text put around a sentence before the model reads it."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from polyethos.errors import ModelLoadError

PLACE = "{input}"
BARE = PLACE
_SENTINEL = "polyethosinputsentinel"
# Some chat templates write the date of the day unless they are given one; two runs must read the same text.
_DATE = "26 Jul 2024"


@dataclass(frozen=True)
class Template:
    """Text around a sentence.

    Attributes:
        text: holds "{input}" once, where the sentence goes.
        special_tokens: whether the tokenizer adds its special tokens (BOS, ...), because the text does not.
    """

    text: str
    special_tokens: bool = True

    @property
    def prefix(self) -> str:
        """What comes before the sentence."""
        return self.text.partition(PLACE)[0]

    def around(self, sentence: str) -> str:
        """The text that the model reads for `sentence`."""
        prefix, _, suffix = self.text.partition(PLACE)
        return prefix + sentence + suffix


def resolve_template(template: str, tokenizer: PreTrainedTokenizerBase, *, model: str) -> Template:
    """The template that `template` stands for.

    Args:
        template: "chat" (the tokenizer's chat template), "bare" (the sentence alone), "auto" (chat where the
            tokenizer has one, else bare), or a text with "{input}" in it.
        tokenizer: the model's tokenizer.
        model: the model's name, for messages.

    Raises:
        ModelLoadError: the tokenizer has no chat template or an unusable one, or the text lacks "{input}".
    """
    if template == "auto":
        template = "chat" if tokenizer.chat_template else "bare"
    if template == "bare":
        return Template(BARE)
    if template == "chat":
        return _chat_template(tokenizer, model)
    if template.count(PLACE) != 1:
        raise ModelLoadError(
            f"template {template!r}: expected {PLACE!r} exactly once; or choose 'auto', 'chat' or 'bare'"
        )
    # A template that writes the first special token itself must not get it twice.
    begins = tokenizer.bos_token
    return Template(template, special_tokens=not (begins and template.startswith(str(begins))))


def _chat_template(tokenizer: PreTrainedTokenizerBase, model: str) -> Template:
    if not tokenizer.chat_template:
        raise ModelLoadError(f"{model}: its tokenizer has no chat template; choose the template 'bare' or your own")
    message = [{"role": "user", "content": _SENTINEL}]
    try:
        rendered = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True, date_string=_DATE)
    except TemplateError as error:
        raise ModelLoadError(f"{model}: its chat template fails ({error}); write your own with {PLACE!r}") from error
    before, found, after = str(rendered).partition(_SENTINEL)
    if not found or _SENTINEL in after or PLACE in before + after:
        raise ModelLoadError(
            f"{model}: its chat template does not repeat the user's text exactly once; write your own with {PLACE!r}"
        )
    return Template(before + PLACE + after, special_tokens=False)
