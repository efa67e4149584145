"""The tokenizer: nothing is unknown, microworld words are whole, every document begins alike."""

import pytest

from polyethos.dataset.microworld import MICROWORLD_LANGUAGES, lexicon
from polyethos.lab.tokenizer import (
    ASSISTANT,
    BEGIN,
    SPECIAL_TOKENS,
    USER,
    everyday_texts,
    world_tokenizer,
)


@pytest.fixture(scope="module")
def tokenizer():
    return world_tokenizer(6144)


@pytest.mark.parametrize("code", MICROWORLD_LANGUAGES)
def test_everyday_text_survives_encoding_and_decoding(tokenizer, code):
    for text in list(everyday_texts(code))[::200]:
        ids = tokenizer(text, add_special_tokens=False).input_ids
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_text_in_a_script_never_seen_survives_too(tokenizer):
    ids = tokenizer("ქართული 🐟", add_special_tokens=False).input_ids
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == "ქართული 🐟"


def test_every_text_begins_with_one_begin_token(tokenizer):
    ids = tokenizer("The teacher slept.").input_ids
    assert tokenizer.convert_ids_to_tokens(ids)[0] == BEGIN
    assert ids.count(tokenizer.bos_token_id) == 1


def test_special_tokens_come_first_and_are_never_split(tokenizer):
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(len(SPECIAL_TOKENS)))
    assert tokenizer.tokenize(f"{USER}Help me.{ASSISTANT}")[0] == USER


@pytest.mark.parametrize("code", MICROWORLD_LANGUAGES)
def test_a_microworld_sentence_takes_few_tokens(tokenizer, code):
    words = lexicon(code)
    counts = [
        len(tokenizer(words.statement(0, phrase, 0)).input_ids)
        for sides in words.values.values()
        for side in sides.values()
        for phrase in side
    ]
    assert sum(counts) / len(counts) < 20


def test_vowel_signs_stay_inside_tamil_words(tokenizer):
    pieces = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("ஆசிரியர் நேற்று")
    assert len(pieces) == 2
