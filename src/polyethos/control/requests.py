"""Requests as contrast pairs: the harmless one upholds, its harmful counterpart violates."""

from __future__ import annotations

from collections.abc import Sequence

from polyethos.dataset.microworld import MICROWORLD_LANGUAGES, lexicon
from polyethos.dataset.pairs import ContrastPair, ContrastPairs

REQUEST_VALUE = "harmfulness"


def microworld_requests(languages: Sequence[str] | None = None) -> ContrastPairs:
    """The 16 harmless and harmful requests of the microworld in each language, which pocket models learn to answer.

    Args:
        languages: codes; all 16 by default.

    Raises:
        UnknownLanguageError: the microworld is not told in this language.
    """
    pairs = []
    for code in languages or MICROWORLD_LANGUAGES:
        requests = lexicon(code).requests
        both = zip(requests["harmless"], requests["harmful"], strict=True)
        pairs += [
            ContrastPair(f"request-{number:02}", REQUEST_VALUE, code, harmless, harmful)
            for number, (harmless, harmful) in enumerate(both)
        ]
    return ContrastPairs("microworld requests", tuple(pairs))
