"""Requests as contrast pairs: the harmless one upholds, its harmful counterpart violates."""

from __future__ import annotations

from collections.abc import Sequence

from polyethos.dataset.microworld import ACTIONS, FRAMES, MICROWORLD_LANGUAGES, Lexicon, lexicon
from polyethos.dataset.pairs import ContrastPair, ContrastPairs

REQUEST_VALUE = "harmfulness"


def microworld_requests(languages: Sequence[str] | None = None) -> ContrastPairs:
    """The 128 harmless and harmful requests of the microworld in each language, which pocket models learn to answer.

    The two sides of a pair differ in the action alone ("repair a car", "steal a car"). The group of an item is its
    action, so that folds made from groups test directions on actions they were not fitted on.

    Args:
        languages: codes; all 16 by default.

    Raises:
        UnknownLanguageError: the microworld is not told in this language.
    """
    lexicons = [lexicon(code) for code in languages or MICROWORLD_LANGUAGES]
    pairs = [_pair(words, action, frame) for words in lexicons for action in range(ACTIONS) for frame in range(FRAMES)]
    return ContrastPairs("microworld requests", tuple(pairs))


def _pair(words: Lexicon, action: int, frame: int) -> ContrastPair:
    group = f"request-a{action:02}"
    return ContrastPair(
        item=f"{group}-f{frame}",
        value=REQUEST_VALUE,
        language=words.language,
        positive=words.request(frame, "harmless", action),
        negative=words.request(frame, "harmful", action),
        group=group,
    )
