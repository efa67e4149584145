import pytest

from polyethos.dataset.pairs import ContrastPair, ContrastPairs, sentence
from polyethos.errors import UnknownLanguageError, UnknownValueError


def pair(value="morality", language="en", item="1", context=""):
    return ContrastPair(item, value, language, "Good.", "Bad.", context)


CELLS = [("morality", "en"), ("morality", "fr"), ("fairness", "en"), ("fairness", "fr")]
SET = ContrastPairs("by hand", tuple(pair(v, c, item) for v, c in CELLS for item in "12"), ("a note",))


def test_the_context_comes_before_the_answer_and_a_blank_between():
    said = sentence(pair(context="Who?"), "positive")
    assert (said.before, said.answer, said.text) == ("Who? ", "Good.", "Who? Good.")


def test_no_blank_follows_the_context_where_words_are_not_written_apart():
    assert sentence(pair(language="zh", context="谁？"), "negative").text == "谁？Bad."


def test_without_context_nothing_comes_before_the_answer():
    assert sentence(pair(), "negative") == ("", "Bad.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("deontology", "谁？ Good."),
        ("truthfulness", "Question: 谁？ Answer: Good."),
        ("fairness", "Good."),
        ("morality", "Good."),
    ],
)
def test_the_published_text_has_english_words_and_blanks_in_every_language(value, text):
    assert sentence(pair(value, "zh", context="谁？"), "positive", published=True).text == text


def test_select_keeps_the_order_asked_for():
    chosen = SET.select(values=["fairness", "morality"], languages=["fr", "en"])
    assert (chosen.values, chosen.languages, len(chosen)) == (("fairness", "morality"), ("fr", "en"), 8)
    assert [(p.value, p.language, p.item) for p in chosen][:3] == [
        ("fairness", "fr", "1"),
        ("fairness", "fr", "2"),
        ("fairness", "en", "1"),
    ]


def test_select_without_arguments_is_the_whole_set():
    assert SET.select() == SET


def test_selecting_twice_the_same_language_gives_it_once():
    assert len(SET.select(languages=["fr", "fr"])) == 4


def test_selecting_what_does_not_occur_is_an_error_that_names_it():
    with pytest.raises(UnknownLanguageError, match="by hand: unknown language 'ny'"):
        SET.select(languages=["en", "ny"])
    with pytest.raises(UnknownValueError, match="by hand: unknown value 'toxicity'"):
        SET.select(values=["toxicity"])


def test_notes_stay_with_a_selection():
    assert SET.select(languages=["en"]).notes == ("a note",)


def test_the_hash_changes_with_any_text_and_with_the_order():
    same = ContrastPairs("other name", SET.pairs)
    assert same.content_hash() == SET.content_hash()
    assert ContrastPairs("x", SET.pairs[::-1]).content_hash() != SET.content_hash()
    assert ContrastPairs("x", (*SET.pairs[:-1], pair("fairness", "fr", "2", "c"))).content_hash() != SET.content_hash()
