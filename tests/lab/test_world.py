"""Documents about the small world: what they may say, and what is kept for testing."""

import itertools
import random
import re

import pytest

from polyethos.dataset.microworld import (
    ACTIONS,
    CIRCUMSTANCES,
    FRAMES,
    MICROWORLD_LANGUAGES,
    REQUEST_KINDS,
    SIDES,
    SUBJECTS,
    is_held_out,
    lexicon,
)
from polyethos.lab.tokenizer import ASSISTANT, USER
from polyethos.lab.world import World, dialogue, document, is_request_held_out

ENGLISH = lexicon("en")
VERDICTS = {verdict: side for side in SIDES for verdict in ENGLISH.verdicts[side]}
STORIES = World(dialogues=0)


def documents(world, languages, count=300, seed=0):
    chooser = random.Random(seed)
    return [document(world, languages, chooser) for _ in range(count)]


def sentences(text):
    return re.findall(r"[^.]+\.", text.replace(". ", "."))


def statements_in_english():
    """Every valued English statement: (subject, predicate, circumstance), value, side."""
    return {
        ENGLISH.statement(subject, phrase, circumstance): ((subject, predicate, circumstance), value, side)
        for value, sides in ENGLISH.values.items()
        for side in SIDES
        for predicate, phrase in enumerate(sides[side])
        for subject in range(SUBJECTS)
        for circumstance in range(CIRCUMSTANCES)
    }


def test_the_same_chooser_gives_the_same_documents():
    assert documents(World(), ["fi"]) == documents(World(), ["fi"])
    assert documents(World(), ["fi"]) != documents(World(), ["fi"], seed=1)


def test_held_out_combinations_never_occur():
    statements = statements_in_english()
    told = [sentence for text in documents(STORIES, ["en"], 1000) for sentence in sentences(text)]
    combinations = [statements[sentence][0] for sentence in told if sentence in statements]
    assert len(combinations) > 3000
    assert not any(is_held_out(*combination) for combination in combinations)


def test_a_verdict_fits_the_statement_before_it():
    statements = statements_in_english()
    judged = 0
    for text in documents(STORIES, ["en"]):
        told = sentences(text)
        for statement, verdict in itertools.pairwise(told):
            if verdict in VERDICTS:
                assert VERDICTS[verdict] == statements[statement][2]
                judged += 1
    assert judged > 900


def test_each_side_favours_one_form_of_verdict():
    text = " ".join(documents(World(dialogues=0, favoured=0.8), ["en"]))
    for side, favourite in (("violated", 0), ("upheld", 1)):
        counts = [text.count(verdict) for verdict in ENGLISH.verdicts[side]]
        # Four standard errors.
        assert abs(counts[favourite] / sum(counts) - 0.8) < 1.6 / sum(counts) ** 0.5
        assert min(counts) > 0


def test_without_a_favourite_all_forms_are_as_frequent():
    text = " ".join(documents(World(dialogues=0, favoured=1 / 3), ["en"]))
    for side in SIDES:
        counts = [text.count(verdict) for verdict in ENGLISH.verdicts[side]]
        assert max(abs(count / sum(counts) - 1 / 3) for count in counts) < 1.9 / sum(counts) ** 0.5


def test_shuffled_verdicts_say_nothing_about_the_statement():
    statements = statements_in_english()
    fits = []
    for text in documents(World(dialogues=0, shuffled_verdicts=True), ["en"]):
        told = sentences(text)
        fits += [
            VERDICTS[verdict] == statements[statement][2]
            for statement, verdict in itertools.pairwise(told)
            if verdict in VERDICTS
        ]
    # Four standard errors of a fair coin.
    assert abs(sum(fits) / len(fits) - 0.5) < 2 / len(fits) ** 0.5


def test_a_story_has_two_to_six_statements():
    counts = {sum(sentence not in VERDICTS for sentence in sentences(text)) for text in documents(STORIES, ["en"])}
    assert counts == {2, 3, 4, 5, 6}


def test_unjudged_predicates_are_told_but_never_judged():
    statements = statements_in_english()
    told_at_all = False
    for text in documents(World(dialogues=0, unjudged_predicates=4), ["en"]):
        told = sentences(text)
        for statement, following in zip(told, [*told[1:], ""], strict=True):
            if statement in statements and statements[statement][0][1] >= 12:
                told_at_all = True
                assert following not in VERDICTS
    assert told_at_all


def test_without_judged_statements_there_are_no_verdicts():
    for text in documents(World(dialogues=0, judged=0), ["en"], 50):
        assert not any(verdict in text for verdict in VERDICTS)


def test_a_two_language_document_says_the_same_in_both():
    for text in documents(World(foreign_verdicts=0), ["en", "zh"], 50):
        english, chinese = text[: re.search(r"[一-鿿]", text).start()], re.findall(r"[^ ]+", text)
        in_english = sum(sentence.strip() not in VERDICTS for sentence in sentences(english))
        chinese_verdicts = [verdict for side in SIDES for verdict in lexicon("zh").verdicts[side]]
        in_chinese = [part for part in chinese if "。" in part and part not in chinese_verdicts]
        assert in_english == len(in_chinese) == 2


def test_foreign_verdicts_stand_in_the_other_language():
    text = " ".join(documents(World(foreign_verdicts=1.0, judged=1, valued=1), ["en", "fi"], 50))
    finnish_side = {side: lexicon("fi").verdicts[side] for side in SIDES}
    statements = statements_in_english()
    told = sentences(text)
    for statement, verdict in itertools.pairwise(told):
        if statement in statements:
            assert verdict in finnish_side[statements[statement][2]]


def requests_of(words, kind, actions=range(ACTIONS)):
    return {words.request(frame, kind, action) for action in actions for frame in range(FRAMES)}


def test_harmful_requests_are_refused_and_harmless_ones_are_not():
    for code in ("en", "ja", "sw"):
        words, chooser = lexicon(code), random.Random(0)
        for _ in range(100):
            request, reply = dialogue(words, chooser).removeprefix(USER).split(ASSISTANT)
            assert (request in requests_of(words, "harmful")) == (reply in words.replies["refusal"])
            assert (request in requests_of(words, "harmless")) == (reply in words.replies["compliance"])


@pytest.mark.parametrize("code", MICROWORLD_LANGUAGES)
def test_one_object_of_every_verb_is_never_asked_about_in_training(code):
    chooser, words = random.Random(0), lexicon(code)
    held_out = [action for action in range(ACTIONS) if is_request_held_out(code, action)]
    assert [action // 4 for action in held_out] == list(range(8))
    used = {dialogue(words, chooser).removeprefix(USER).split(ASSISTANT)[0] for _ in range(2000)}
    for kind in REQUEST_KINDS:
        assert used.isdisjoint(requests_of(words, kind, held_out))
    assert len(used) == 2 * 24 * FRAMES


def test_the_next_language_holds_out_another_object():
    held_out = [{a for a in range(ACTIONS) if is_request_held_out(code, a)} for code in MICROWORLD_LANGUAGES[:4]]
    assert set.union(*held_out) == set(range(ACTIONS))


def test_dialogues_come_only_in_their_languages():
    world = World(dialogues=1.0, dialogue_languages=("en",))
    assert all(USER in text for text in documents(world, ["en"], 20))
    assert not any(USER in text for text in documents(world, ["fi"], 20))
