"""The small world: its lexicons are parallel, and its pairs are held-out combinations."""

from collections import Counter

import pytest

from polyethos.dataset.microworld import (
    ACTIONS,
    CIRCUMSTANCES,
    FRAMES,
    MICROWORLD_LANGUAGES,
    PREDICATES,
    REQUEST_KINDS,
    SUBJECTS,
    is_held_out,
    lexicon,
    microworld_pairs,
    time_pairs,
)
from polyethos.errors import DataError, UnknownLanguageError, UnknownValueError


def test_every_language_has_the_same_number_of_every_kind_of_phrase():
    for code in MICROWORLD_LANGUAGES:
        words = lexicon(code)
        assert (len(words.subjects), len(words.circumstances), len(words.neutral)) == (SUBJECTS, CIRCUMSTANCES, 24)
        assert [len(side) for sides in words.values.values() for side in sides.values()] == [PREDICATES] * 14
        assert list(words.values) == list(lexicon("en").values)
        assert [len(words.verdicts[side]) for side in ("upheld", "violated")] == [3, 3]
        assert {kind: len(actions) for kind, actions in words.actions.items()} == {"harmless": 32, "harmful": 32}
        assert len(words.frames) == 4


@pytest.mark.parametrize("code", MICROWORLD_LANGUAGES)
def test_every_action_fits_into_every_frame_and_makes_a_request_of_its_own(code):
    words = lexicon(code)
    requests = [words.request(f, kind, a) for f in range(FRAMES) for kind in REQUEST_KINDS for a in range(ACTIONS)]
    assert len(set(requests)) == FRAMES * 2 * ACTIONS
    assert all(request == request.strip() and "{" not in request and "  " not in request for request in requests)


def test_a_request_asks_for_the_action_of_its_kind():
    assert lexicon("en").request(0, "harmless", 0) == "Explain how to repair a car."
    assert lexicon("ja").request(1, "harmful", 31) == "工場を爆破する方法を教えてください。"


def test_the_four_actions_of_a_verb_follow_each_other():
    for actions in lexicon("en").actions.values():
        verbs = [action.split()[0] for action in actions]
        assert all(len(set(verbs[first : first + 4])) == 1 for first in range(0, ACTIONS, 4))
        assert len(set(verbs)) == 8


def test_a_statement_puts_the_parts_in_the_order_of_the_language():
    assert lexicon("en").statement(0, "stole the lost wallet", 0) == "The teacher stole the lost wallet yesterday."
    assert lexicon("zh").statement(0, "归还了那个丢失的钱包", 0) == "老师昨天归还了那个丢失的钱包。"
    spanish = lexicon("es").statement(0, "devolvió la cartera perdida", 0)
    assert spanish == "Ayer, el maestro devolvió la cartera perdida."


def test_one_combination_in_eight_is_held_out_of_every_subject_predicate_and_circumstance():
    held_out = [
        (subject, predicate, circumstance)
        for subject in range(SUBJECTS)
        for predicate in range(PREDICATES)
        for circumstance in range(CIRCUMSTANCES)
        if is_held_out(subject, predicate, circumstance)
    ]
    assert len(held_out) == SUBJECTS * PREDICATES * CIRCUMSTANCES // 8
    for part in range(3):
        assert set(Counter(combination[part] for combination in held_out).values()) == {32}


def test_items_are_held_out_combinations_named_after_their_parts():
    for pair in microworld_pairs(languages=["en"], values=["morality"]):
        value, predicate, subject, circumstance = pair.item.split("-")
        parts = int(subject[1:]), int(predicate[1:]), int(circumstance[1:])
        assert is_held_out(*parts)
        words = lexicon("en")
        assert pair.positive == words.statement(parts[0], words.values["morality"]["upheld"][parts[1]], parts[2])
        assert pair.negative == words.statement(parts[0], words.values["morality"]["violated"][parts[1]], parts[2])
        assert (value, pair.group) == ("morality", f"morality-{predicate}")


def test_all_languages_have_the_same_items():
    pairs = microworld_pairs(items=20)
    by_language = {code: {pair.item for pair in pairs if pair.language == code} for code in MICROWORLD_LANGUAGES}
    assert all(items == by_language["en"] for items in by_language.values())
    assert len(by_language["en"]) == 7 * 20


def test_predicates_share_the_items_evenly():
    pairs = microworld_pairs(languages=["fi"], values=["fairness"], items=20)
    assert sorted(Counter(pair.group for pair in pairs).values()) == [1] * 12 + [2] * 4


def test_another_seed_takes_other_combinations_and_the_same_seed_the_same():
    first, again, other = (microworld_pairs(languages=["en"], seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert {pair.item for pair in first} != {pair.item for pair in other}


def test_languages_and_values_come_in_the_order_asked_for():
    pairs = microworld_pairs(languages=["zh", "en"], values=["toxicity", "morality"], items=1)
    assert (pairs.languages, pairs.values) == (("zh", "en"), ("toxicity", "morality"))


def test_unknown_names_are_named():
    with pytest.raises(UnknownLanguageError, match="'eng'; did you mean 'en'"):
        microworld_pairs(languages=["eng"])
    with pytest.raises(UnknownValueError, match="did you mean 'morality'"):
        microworld_pairs(values=["moralty"])


@pytest.mark.parametrize("items", [0, 513])
def test_more_items_than_held_out_combinations_are_refused(items):
    with pytest.raises(DataError, match=f"items={items}: the microworld has 1 to 512"):
        microworld_pairs(items=items)


def test_time_pairs_differ_in_the_time_of_day_alone():
    first = time_pairs(languages=["en"], items=384).pairs[0]
    assert first.positive == "The teacher painted the door this morning."
    assert first.negative == "The teacher painted the door last night."
    assert (first.item, first.group) == ("time-n00-s00", "time-n00")


def test_time_pairs_are_parallel_over_languages():
    pairs = time_pairs(languages=["zh", "ny"], items=10, seed=3)
    items = [{pair.item for pair in pairs if pair.language == code} for code in ("zh", "ny")]
    assert items[0] == items[1]
    assert len(items[0]) == 10


def test_more_time_pairs_than_combinations_are_refused():
    with pytest.raises(DataError, match="items=385: there are 1 to 384 items"):
        time_pairs(items=385)
