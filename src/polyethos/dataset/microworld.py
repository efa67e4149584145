"""A small world told in 16 languages: lexicons, sentences, and contrast pairs that no training text contains."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.errors import DataError, UnknownLanguageError, UnknownValueError

Side = Literal["upheld", "violated"]
SIDES: tuple[Side, Side] = ("upheld", "violated")

SUBJECTS = 16
CIRCUMSTANCES = 16
PREDICATES = 16
NEUTRAL_PREDICATES = 24
FRAMES = 4
ACTIONS = 32
REQUEST_KINDS = ("harmless", "harmful")
TIME_OF_DAY = "time of day"
MICROWORLD_LANGUAGES = tuple(LANGUAGES)

# One combination in eight. Coprime factors give every subject, predicate and circumstance the same number of them.
_HELD_OUT_EVERY = 8
_MORNING, _NIGHT = 1, 2
_PREDICATE_STEP, _CIRCUMSTANCE_STEP = 3, 5


@dataclass(frozen=True)
class Lexicon:
    """The words of the small world in one language; the same index means the same thing in every language.

    Attributes:
        language: code of the language table.
        template: how subject, predicate and circumstance become a sentence.
        values: per value the predicates that uphold and those that violate it, matched by index.
        verdicts: sentences that judge what was just said.
        frames: requests with {action} in the place of what is asked for; every action fits into every frame.
        actions: "harmless" and "harmful" ones, matched by index: eight verbs, one after the other, with four objects.
        replies: "refusal" and "compliance".
    """

    language: str
    template: str
    subjects: tuple[str, ...]
    circumstances: tuple[str, ...]
    neutral: tuple[str, ...]
    values: Mapping[str, Mapping[Side, tuple[str, ...]]]
    verdicts: Mapping[Side, tuple[str, ...]]
    frames: tuple[str, ...]
    actions: Mapping[str, tuple[str, ...]]
    replies: Mapping[str, tuple[str, ...]]

    def statement(self, subject: int, predicate: str, circumstance: int) -> str:
        """The sentence that says `predicate` of a subject in a circumstance."""
        return self.template.format(
            subject=self.subjects[subject], predicate=predicate, circumstance=self.circumstances[circumstance]
        )

    def request(self, frame: int, kind: str, action: int) -> str:
        """The sentence that asks how to do a "harmless" or "harmful" action."""
        return self.frames[frame].format(action=self.actions[kind][action])


@cache
def lexicon(language: str) -> Lexicon:
    """The lexicon of one of the 16 languages.

    Raises:
        UnknownLanguageError: the small world is not told in this language.
    """
    if language not in MICROWORLD_LANGUAGES:
        raise UnknownLanguageError.of("language of the microworld", language, MICROWORLD_LANGUAGES)
    file = resources.files("polyethos.dataset") / "bundled" / "microworld" / f"{language}.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    return Lexicon(
        language=language,
        template=raw["statement"],
        subjects=tuple(raw["subjects"]),
        circumstances=tuple(raw["circumstances"]),
        neutral=tuple(raw["neutral"]),
        values={value: _both(sides) for value, sides in raw["values"].items()},
        verdicts=_both(raw["verdicts"]),
        frames=tuple(raw["requests"]["frames"]),
        actions={kind: tuple(raw["requests"][kind]) for kind in REQUEST_KINDS},
        replies=_tuples(raw["replies"]),
    )


def is_held_out(subject: int, predicate: int, circumstance: int) -> bool:
    """Whether this combination is kept for testing; no training document of the lab contains it."""
    return (subject + _PREDICATE_STEP * predicate + _CIRCUMSTANCE_STEP * circumstance) % _HELD_OUT_EVERY == 0


def microworld_pairs(
    *, languages: Sequence[str] | None = None, values: Sequence[str] | None = None, items: int = 96, seed: int = 0
) -> ContrastPairs:
    """Contrast pairs from held-out combinations, parallel over the languages.

    The two sentences of a pair differ in the predicate alone. The group of an item is its predicate, so that folds
    made from groups test directions on predicates they were not fitted on.

    Args:
        languages: codes; all 16 by default.
        values: names; all seven by default.
        items: how many per value, spread evenly over the 16 predicates.
        seed: which of the held-out combinations are taken.

    Raises:
        UnknownLanguageError, UnknownValueError: a name the small world does not have.
        DataError: more items than there are held-out combinations, or none.
    """
    available = PREDICATES * SUBJECTS * CIRCUMSTANCES // _HELD_OUT_EVERY
    if not 1 <= items <= available:
        raise DataError(f"items={items}: the microworld has 1 to {available} items per value")
    known = tuple(lexicon("en").values)
    for name in values or ():
        if name not in known:
            raise UnknownValueError.of("value", name, known)
    lexicons = [lexicon(code) for code in languages or MICROWORLD_LANGUAGES]
    pairs = [
        _pair(words, value, *combination)
        for value in values or known
        for combination in _test_combinations(value, items, seed)
        for words in lexicons
    ]
    return ContrastPairs("microworld", tuple(pairs))


def time_pairs(*, languages: Sequence[str] | None = None, items: int = 96, seed: int = 0) -> ContrastPairs:
    """Pairs that differ in the time of day and in no value: "this morning" against "last night", neutral predicates.

    The control for specificity: a direction that stands for a value must not rank these pairs.

    Args:
        languages: codes; all 16 by default.
        items: how many.
        seed: which combinations are taken.

    Raises:
        UnknownLanguageError: a language the small world does not have.
        DataError: more items than there are combinations, or none.
    """
    available = [(predicate, subject) for predicate in range(NEUTRAL_PREDICATES) for subject in range(SUBJECTS)]
    if not 1 <= items <= len(available):
        raise DataError(f"items={items}: there are 1 to {len(available)} items")
    chosen = sorted(random.Random(f"{seed}:{TIME_OF_DAY}").sample(available, items))
    lexicons = [lexicon(code) for code in languages or MICROWORLD_LANGUAGES]
    pairs = [_time_pair(words, *combination) for combination in chosen for words in lexicons]
    return ContrastPairs("microworld-times", tuple(pairs))


def _time_pair(words: Lexicon, predicate: int, subject: int) -> ContrastPair:
    phrase = words.neutral[predicate]
    return ContrastPair(
        item=f"time-n{predicate:02}-s{subject:02}",
        value=TIME_OF_DAY,
        language=words.language,
        positive=words.statement(subject, phrase, _MORNING),
        negative=words.statement(subject, phrase, _NIGHT),
        group=f"time-n{predicate:02}",
    )


def _test_combinations(value: str, items: int, seed: int) -> list[tuple[int, int, int]]:
    chooser = random.Random(f"{seed}:{value}")
    chosen = []
    for predicate in range(PREDICATES):
        held_out = [
            (predicate, subject, circumstance)
            for subject in range(SUBJECTS)
            for circumstance in range(CIRCUMSTANCES)
            if is_held_out(subject, predicate, circumstance)
        ]
        share = items // PREDICATES + (predicate < items % PREDICATES)
        chosen += sorted(chooser.sample(held_out, share))
    return chosen


def _pair(words: Lexicon, value: str, predicate: int, subject: int, circumstance: int) -> ContrastPair:
    sides = words.values[value]
    return ContrastPair(
        item=f"{value}-p{predicate:02}-s{subject:02}-c{circumstance:02}",
        value=value,
        language=words.language,
        positive=words.statement(subject, sides["upheld"][predicate], circumstance),
        negative=words.statement(subject, sides["violated"][predicate], circumstance),
        group=f"{value}-p{predicate:02}",
    )


def _both(lists: Mapping[str, Sequence[str]]) -> dict[Side, tuple[str, ...]]:
    return {side: tuple(lists[side]) for side in SIDES}


def _tuples(lists: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(phrases) for name, phrases in lists.items()}
