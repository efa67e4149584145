import pytest

from polyethos.dataset.pairs import Sentence
from polyethos.errors import DataError
from polyethos.representation.template import BARE, Template
from polyethos.representation.tokens import Position, Reading, read_sentences

QUESTION = Sentence("Question: what is the Sun? Answer: ", "a star.")
TEMPLATE = Template("[user] {input} [reply] ")


@pytest.fixture
def read(tokenizer):
    def one(sentence: Sentence, position: Position, template: Template = TEMPLATE, limit: int | None = None) -> Reading:
        return read_sentences([sentence], tokenizer, template, position=position, limit=limit)[0]

    return one


@pytest.fixture
def chosen_text(tokenizer, read):
    def text(sentence: Sentence, position: Position) -> str:
        reading = read(sentence, position)
        return tokenizer.decode([reading.tokens[place] for place in reading.chosen])

    return text


def test_last_is_the_last_token_of_the_templated_text(read, tokenizer):
    reading = read(QUESTION, "last")
    assert list(reading.tokens) == tokenizer(TEMPLATE.around(QUESTION.text))["input_ids"]
    assert reading.chosen == (len(reading.tokens) - 1,)


def test_content_is_the_sentence_without_template_and_special_tokens(chosen_text):
    assert chosen_text(QUESTION, "content-mean").strip() == QUESTION.text


def test_content_is_found_by_characters_in_any_script(chosen_text):
    assert chosen_text(Sentence("", "猫在睡觉。"), "content-mean").strip() == "猫在睡觉。"


def test_before_answer_ends_before_the_first_letter_of_the_answer(chosen_text, read, tokenizer):
    reading = read(QUESTION, "before-answer")
    seen = tokenizer.decode(reading.tokens, skip_special_tokens=True)
    assert seen == "[user] Question: what is the Sun? Answer:"
    assert reading.chosen == (len(reading.tokens) - 1,)


def test_before_answer_needs_something_before_the_answer(read):
    with pytest.raises(DataError, match=r"'a star\.': nothing comes before"):
        read(Sentence("", "a star."), "before-answer")


def test_an_index_counts_tokens_of_the_templated_text(read):
    whole = read(QUESTION, "last")
    assert read(QUESTION, 2).chosen == (2,)
    assert read(QUESTION, -1).chosen == whole.chosen


def test_tokens_after_the_chosen_one_are_not_computed(read):
    assert read(QUESTION, 2).tokens == read(QUESTION, "last").tokens[:3]


@pytest.mark.parametrize("index", [500, -500])
def test_an_index_outside_the_text_names_the_text(read, index):
    with pytest.raises(DataError, match=rf"'I': no token {index}, it has \d+"):
        read(Sentence("", "I"), index)


def test_a_text_longer_than_the_model_reads_names_text_length_and_limit(read):
    with pytest.raises(DataError, match=r"'Question: .*': \d\d tokens .* at most 8"):
        read(QUESTION, "last", limit=8)


def test_a_text_without_tokens_is_an_error(tokenizer):
    with pytest.raises(DataError, match="makes no token"):
        read_sentences([Sentence("", "")], tokenizer, Template(BARE, special_tokens=False), position="last", limit=None)


def test_an_unknown_position_lists_the_known_ones(read):
    with pytest.raises(DataError, match="last, content-mean, before-answer"):
        read(QUESTION, "first")


def test_many_sentences_keep_their_order(tokenizer):
    sentences = [Sentence("", f"I found {number}") for number in range(3000)]
    readings = read_sentences(sentences, tokenizer, TEMPLATE, position="last", limit=None)
    assert list(readings[2999].tokens) == tokenizer(TEMPLATE.around("I found 2999"))["input_ids"]
    assert len(readings) == 3000
