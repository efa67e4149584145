"""The model card people read says what the numbers say."""

import pytest

from polyethos.lab.pocket import pocket_card
from polyethos.lab.readme import readme


@pytest.fixture
def card():
    return pocket_card("pocket-en")


def test_the_least_and_the_most_consistent_language_are_named_and_the_most_uneven_transfer(card):
    languages = list(card["recipe"]["mixture"]["shares"])
    results = card["results"]
    for name in ("similarity", "transfer_from", "transfer_to"):
        results[name] = dict.fromkeys(languages, 0.5)
    results["similarity"] |= {"fi": -0.25, "ca": 0.75}
    results["transfer_to"]["en"] = 0.9
    page = readme(card)
    assert "a mean cosine of -0.25 (Finnish) to\n0.75 (Catalan)" in page
    assert "differ most for English: its directions recognise\n0.50 of" in page
    assert "those of the others 0.90 of its" in page


def test_a_model_of_one_language_or_of_a_users_own_text_shows_nothing_about_others(card):
    card["results"] |= {name: {"en": float("nan")} for name in ("similarity", "transfer_from", "transfer_to")}
    assert "What it shows" not in readme(card)
    assert "What it shows" not in readme({**card, "results": {}})


def test_a_language_without_dialogues_has_an_empty_cell(card):
    title = next(line for line in readme(card).splitlines() if line.startswith("| | share"))
    french = next(line for line in readme(card).splitlines() if line.startswith("| French"))
    column = title.split(" | ").index("replies, unseen requests")
    assert french.split(" | ")[column].strip() == ""
