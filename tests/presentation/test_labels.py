"""Order and words: what every page relies on."""

import numpy as np
import pytest
from results_by_hand import three_languages

from polyethos.presentation.labels import (
    by_share,
    high_resource,
    language_name,
    listed,
    shares,
    typeset,
    unbroken,
    value_name,
)


def with_shares(*percent: float):
    results = three_languages()
    return results.assign(pretraining_share=("language", list(percent), {"source": "the mixture"}))


def test_languages_are_sorted_by_the_shares_of_the_results():
    assert by_share(with_shares(5.0, 1.0, 94.0)) == ["sw", "en", "fr"]


def test_equal_shares_keep_the_stored_order_and_unknown_shares_come_last():
    assert by_share(with_shares(np.nan, 50.0, 50.0)) == ["fr", "sw", "en"]


def test_without_shares_of_the_model_the_public_web_stands_in_and_says_so():
    order, source = by_share(three_languages()), shares(three_languages())[1]
    assert order == ["en", "fr", "sw"]
    assert "Common Crawl" in source
    assert shares(with_shares(1.0, 2.0, 3.0))[1] == "the mixture"


@pytest.mark.parametrize("given", [["sw", "en"], "sw en", np.array(["sw", "en"])])
def test_high_resource_languages_are_those_of_the_results_in_order_of_share(given):
    assert high_resource(three_languages().assign_attrs(high_resource=given)) == ["en", "sw"]


def test_high_resource_languages_may_be_one_code():
    assert high_resource(three_languages().assign_attrs(high_resource="fr")) == ["fr"]


def test_without_a_statement_the_language_table_says_which_are_high_resource():
    results = three_languages()
    del results.attrs["high_resource"]
    assert high_resource(results) == ["en", "fr"]


def test_a_language_outside_the_table_is_called_by_its_code():
    assert (language_name("sw"), language_name("xx")) == ("Swahili", "xx")


def test_short_names_of_values_have_at_most_seven_letters():
    assert [value_name(v, short=True) for v in ("utilitarianism", "courageousness", "care")] == [
        "utilit.",
        "courag.",
        "care",
    ]
    assert value_name("self_control") == "Self control"


def test_words_are_listed_as_in_a_sentence():
    assert [listed(words) for words in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from -0.44 to +2.10 (-3)", "from −0.44 to +2.10 (−3)"),
        ("-.5 nats", "−.5 nats"),
        ("geographic: -0.00 (p = 0.825)", "geographic: 0.00 (p = 0.825)"),
        ("+0.0 points, -0.", "0.0 points, 0."),
        ("-0.004, +0.05", "−0.004, +0.05"),
        ("Qwen-7B, 2024-42, --model, -x, items 3-5, p-value", "Qwen-7B, 2024-42, --model, -x, items 3-5, p-value"),
    ],
)
def test_negative_numbers_have_a_true_minus_and_words_keep_their_hyphens(text, shown):
    assert typeset(text) == shown


def test_a_percent_sign_stays_with_its_number():
    assert unbroken("98.2 % right (at 5 %)") == "98.2\u00a0% right (at 5\u00a0%)"
