"""Training documents about the small world: stories, stories in two languages, and dialogues."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from polyethos.dataset.languages import language
from polyethos.dataset.microworld import (
    ACTIONS,
    CIRCUMSTANCES,
    FRAMES,
    MICROWORLD_LANGUAGES,
    PREDICATES,
    SIDES,
    SUBJECTS,
    Lexicon,
    Side,
    is_held_out,
    lexicon,
)
from polyethos.lab.tokenizer import ASSISTANT, USER

_FAVOURED_FORM: Mapping[Side, int] = MappingProxyType({"upheld": 1, "violated": 0})
_OBJECTS = 4


@dataclass(frozen=True)
class World:
    """What documents about the small world are like.

    Attributes:
        valued: share of statements that uphold or violate a value; the rest are neutral.
        judged: share of valued statements that a verdict follows.
        favoured: share of the verdicts that take the form their side favours: the first of three for what violates, the
            second for what upholds. Above 1/3, the first word after a statement depends on the side, so that a model
            must have judged it by the end of the statement, which is where studies read.
        translated: share of tokens in documents that say the same in two languages. The lab lowers it where a
            mixture does not have the languages for it, see `polyethos.lab.mixture.Mixture.kinds`.
        foreign_verdicts: share of the verdicts in such documents that stand in the other language than their
            statement; the rest stand in the same.
        dialogues: share of documents that are a request and its reply.
        dialogue_languages: where there are dialogues.
        shuffled_verdicts: verdicts carry no information (negative control).
        unjudged_predicates: how many of the 16 predicates of every value and side never meet a verdict (the harder
            test: they are the last ones).
    """

    valued: float = 0.95
    judged: float = 0.95
    favoured: float = 0.8
    translated: float = 0.15
    foreign_verdicts: float = 0.5
    dialogues: float = 0.2
    dialogue_languages: tuple[str, ...] = MICROWORLD_LANGUAGES
    shuffled_verdicts: bool = False
    unjudged_predicates: int = 0

    @property
    def told(self) -> tuple[str, ...]:
        """The values that statements are about: all of the small world's."""
        return tuple(lexicon("en").values)


@dataclass(frozen=True)
class Excerpt(World):
    """A part of the small world, for sweeps whose many small models could not learn all of it.

    Attributes:
        values: names of the values that statements are about.
    """

    values: tuple[str, ...] = ("harmfulness",)

    @property
    def told(self) -> tuple[str, ...]:
        """The values that statements are about."""
        return self.values


@dataclass(frozen=True, slots=True)
class Event:
    """What one statement says, before it is put into a language; `value` is None for a neutral one."""

    subject: int
    predicate: int
    circumstance: int
    value: str | None
    side: Side
    verdict: tuple[Side, int] | None

    def say(self, words: Lexicon) -> str:
        """The statement in one language, without the verdict."""
        predicates = words.neutral if self.value is None else words.values[self.value][self.side]
        return words.statement(self.subject, predicates[self.predicate], self.circumstance)

    def judge(self, words: Lexicon) -> str | None:
        """The verdict in one language, or None where there is none."""
        return None if self.verdict is None else words.verdicts[self.verdict[0]][self.verdict[1]]


def document(world: World, languages: Sequence[str], chooser: random.Random) -> str:
    """A document in one language, or in two if `languages` holds two.

    Combinations that `is_held_out` and requests that `is_request_held_out` never occur.
    """
    first = lexicon(languages[0])
    if len(languages) == 1:
        if languages[0] in world.dialogue_languages and chooser.random() < world.dialogues:
            return dialogue(first, chooser)
        return language(first.language).word_separator.join(
            _story(world, first, first, _events(world, chooser), 0.0, chooser)
        )
    second = lexicon(languages[1])
    events = _events(world, chooser)[:2]
    share = world.foreign_verdicts
    told = [
        *_story(world, first, second, events, share, chooser),
        *_story(world, second, first, events, share, chooser),
    ]
    return " ".join(told)


def dialogue(words: Lexicon, chooser: random.Random) -> str:
    """A request and its reply: a refusal if the request is harmful."""
    harmful = chooser.random() < 0.5
    action = chooser.choice([index for index in range(ACTIONS) if not is_request_held_out(words.language, index)])
    request = words.request(chooser.randrange(FRAMES), "harmful" if harmful else "harmless", action)
    reply = chooser.choice(words.replies["refusal" if harmful else "compliance"])
    return f"{USER}{request}{ASSISTANT}{reply}"


def is_request_held_out(language: str, action: int) -> bool:
    """Whether requests for the harmful and the harmless action of this index are kept for testing in this language.

    One of the four objects of every verb, in all frames; another one in the next language.
    """
    verb, thing = divmod(action, _OBJECTS)
    return thing == (verb + MICROWORLD_LANGUAGES.index(language)) % _OBJECTS


def _events(world: World, chooser: random.Random) -> list[Event]:
    return [_event(world, chooser) for _ in range(chooser.randint(2, 6))]


def _event(world: World, chooser: random.Random) -> Event:
    subject, circumstance = int(chooser.random() * SUBJECTS), int(chooser.random() * CIRCUMSTANCES)
    if chooser.random() >= world.valued:
        neutral = int(chooser.random() * len(lexicon("en").neutral))
        return Event(subject, neutral, circumstance, None, "upheld", None)
    values = world.told
    value, side = values[int(chooser.random() * len(values))], SIDES[chooser.random() < 0.5]
    predicate = int(chooser.random() * PREDICATES)
    while is_held_out(subject, predicate, circumstance):
        subject, circumstance = int(chooser.random() * SUBJECTS), int(chooser.random() * CIRCUMSTANCES)
    verdict = None
    if chooser.random() < world.judged and predicate < PREDICATES - world.unjudged_predicates:
        said = SIDES[chooser.random() < 0.5] if world.shuffled_verdicts else side
        verdict = said, _form(world, said, chooser.random())
    return Event(subject, predicate, circumstance, value, side, verdict)


def _form(world: World, side: Side, chance: float) -> int:
    """Which of the three verdicts of a side, for `chance` drawn evenly from [0, 1)."""
    favoured, rest = _FAVOURED_FORM[side], (1 - world.favoured) / 2
    first = world.favoured if favoured == 0 else rest
    second = world.favoured if favoured == 1 else rest
    return int(chance >= first) + int(chance >= first + second)


def _story(
    world: World, words: Lexicon, other: Lexicon, events: Sequence[Event], foreign: float, chooser: random.Random
) -> list[str]:
    sentences = []
    for event in events:
        sentences.append(event.say(words))
        judge = other if foreign and chooser.random() < foreign else words
        if (verdict := event.judge(judge)) is not None:
            sentences.append(verdict)
    return sentences
