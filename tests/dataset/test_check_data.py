"""The rules a set of contrast pairs is checked by."""

import pytest
from rows_by_hand import HEADER, row, write_jsonl

from polyethos.dataset.problems import Problem, Report, shown
from polyethos.dataset.validation import check


def problems_of(tmp_path, *rows, **options):
    return [str(problem) for problem in check(write_jsonl(tmp_path / "pairs.jsonl", *rows), **options).problems]


def test_a_good_set_has_no_problems(tmp_path):
    report = check(write_jsonl(tmp_path / "pairs.jsonl", row(), row("m2"), row(language="fr"), row("m2", "fr")))
    assert (report.problems, report.has_errors) == ((), False)
    assert report.pairs == {("morality", "en"): 2, ("morality", "fr"): 2}


@pytest.mark.parametrize("text", ["", "   ", None, "\u3000"])
def test_an_empty_text_is_an_error(tmp_path, text):
    (problem,) = problems_of(tmp_path, row(positive=text))
    assert problem.startswith("pairs.jsonl, line 1, positive: found ")
    assert problem.endswith("; expected a text")


def test_a_field_missing_in_one_row_is_an_empty_text_there(tmp_path):
    assert problems_of(tmp_path, row(), row("m2", negative=...)) == [
        "pairs.jsonl, line 2, negative: found nothing; expected a text"
    ]


def test_identical_sides_are_an_error(tmp_path):
    assert problems_of(tmp_path, row(positive="Same.", negative="Same.")) == [
        "pairs.jsonl, line 1, negative: found 'Same.', as positive; expected two different sentences"
    ]


def test_a_duplicate_item_names_the_place_of_the_first(tmp_path):
    assert problems_of(tmp_path, row(), row("m2"), row(positive="Other.")) == [
        "pairs.jsonl, line 3, item: found 'm1', already in pairs.jsonl, line 1; expected each item once for morality/en"
    ]


def test_the_same_item_of_another_value_is_no_duplicate(tmp_path):
    assert problems_of(tmp_path, row(), row(value="fairness")) == []


def test_an_unknown_language_names_the_closest_one(tmp_path):
    assert problems_of(tmp_path, row(language="fin nish")) == [
        "pairs.jsonl, line 1, language: found 'fin nish'; expected a language (did you mean 'fi'?)"
    ]


def test_an_unknown_value_names_the_closest_one(tmp_path):
    assert problems_of(tmp_path, row(value="moral")) == [
        "pairs.jsonl, line 1, value: found 'moral'; expected a value (did you mean 'morality'?)"
    ]
    assert "expected a value: one of morality, deontology" in problems_of(tmp_path, row(value="xyz"))[0]


@pytest.mark.parametrize("cell", [3, 2.5, True, {"a": 1}])
def test_a_text_that_is_no_text_is_an_error(tmp_path, cell):
    assert problems_of(tmp_path, row(positive=cell)) == [
        f"pairs.jsonl, line 1, positive: found {cell!r}; expected a text"
    ]


def test_an_item_may_be_a_number(tmp_path):
    assert problems_of(tmp_path, row(7), row("8")) == []


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ud800"])
def test_a_control_character_is_an_error_with_its_position(tmp_path, character):
    (problem,) = problems_of(tmp_path, row(negative=f"ab{character}"))
    assert (
        problem == f"pairs.jsonl, line 1, negative: found {character!r} at position 3; expected no control characters"
    )


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\ufffd"])
def test_characters_that_reorder_text_or_mark_wrong_decoding_are_a_warning(tmp_path, character):
    report = check(write_jsonl(tmp_path / "pairs.jsonl", row(positive=f"a{character}b")))
    assert (report.has_errors, report.counts) == (False, {"suspect character": 1})


def test_a_blank_at_the_edge_is_a_warning_because_it_changes_the_last_token(tmp_path):
    assert problems_of(tmp_path, row(positive="Good. ")) == [
        "pairs.jsonl, line 1, positive: found a blank at the edge of 'Good. '; expected none: it changes the last token"
    ]


def test_a_missing_translation_is_a_warning_for_each_value_and_language(tmp_path):
    rows = [row(f"m{n}") for n in range(6)] + [row("m5", "fr"), row("f1", "fr", value="fairness")]
    report = check(write_jsonl(tmp_path / "pairs.jsonl", *rows))
    assert not report.has_errors
    assert [str(problem) for problem in report.warnings] == [
        "pairs.jsonl, morality/fr: found 1 of 6 items; no m0, m1, m2, ...; expected every item in every language",
        f"{tmp_path / 'pairs.jsonl'}, fairness/en: found 0 of 1 items; no f1; expected every item in every language",
    ]


def test_a_repeated_text_is_a_warning_unless_both_items_are_in_one_group(tmp_path):
    texts = {"positive": "Good.", "negative": "Bad."}
    assert problems_of(tmp_path, row(**texts), row("m2", **texts)) == [
        "pairs.jsonl, line 2: found the texts of item 'm1' (pairs.jsonl, line 1); expected other texts, or one group"
    ]
    assert problems_of(tmp_path, row(group="g", **texts), row("m2", group="g", **texts)) == []


def test_an_item_in_different_groups_is_an_error(tmp_path):
    assert problems_of(tmp_path, row(group="a"), row(language="fr", group="b")) == [
        "pairs.jsonl, line 2, group: found 'b'; expected 'a' as in pairs.jsonl, line 1"
    ]


def test_one_scenario_missing_among_others_is_a_warning(tmp_path):
    rows = [row("d1", value="deontology", context="My duty."), row("d2", value="deontology", context="")]
    assert problems_of(tmp_path, *rows) == ["pairs.jsonl, line 2, context: found nothing; expected the scenario"]


def test_a_missing_column_names_the_columns_there_are_and_the_likely_one(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(HEADER.replace("positive", "positives") + "\nm1,morality,en,Good.,Bad.\n")
    assert [str(problem) for problem in check(path).problems] == [
        "pairs.csv, positive: found only item, value, language, positives, negative; expected a column for positive;"
        ' columns={"positive": "positives"} if that is it'
    ]


def test_without_language_column_a_path_may_tell(tmp_path):
    (problem,) = problems_of(tmp_path, row(language=...))
    assert problem.endswith("expected a column for language, or a folder or file named by a language code")


def test_a_mapped_column_that_is_not_there_is_an_error_also_for_an_optional_field(tmp_path):
    (problem,) = problems_of(tmp_path, row(), columns={"context": "question"})
    assert problem.startswith("pairs.jsonl, question: found only item, value")


def test_without_item_column_rows_are_numbered_with_a_warning(tmp_path):
    report = check(write_jsonl(tmp_path / "pairs.jsonl", row(item=...), row(item=..., positive="Other.")))
    assert (report.has_errors, report.counts, report.pairs) == (False, {"missing column": 1}, {("morality", "en"): 2})


def test_all_problems_are_reported_at_once_and_counted_errors_first(tmp_path):
    rows = [row(positive=""), row("m2", value="moral"), row("m3", language="klingon"), row("m4", negative=" x")]
    report = check(write_jsonl(tmp_path / "pairs.jsonl", *rows, row("m5", positive="")))
    assert report.counts == {"empty": 2, "unknown value": 1, "unknown language": 1, "outer blank": 1}
    assert report.summary == (
        f"{tmp_path / 'pairs.jsonl'}: 1 usable pairs, 1 values, 1 languages;"
        " 4 errors (2 empty, 1 unknown value, 1 unknown language), 1 warnings (1 outer blank)"
    )


def test_a_report_without_problems_says_so():
    assert Report("x", (), {("morality", "en"): 2}).summary == "x: 2 usable pairs, 1 values, 1 languages; no problems"


def test_what_was_found_is_shown_escaped_and_cut():
    assert shown("a\x1b[31m\u202eb") == r"'a\x1b[31m\u202eb'"
    assert shown("x" * 100, limit=10) == "'xxxxxxxxx..."


def test_a_problem_reads_as_place_found_expected():
    assert str(Problem("empty", "a.csv", "line 2", "", "nothing", "a text")) == (
        "a.csv, line 2: found nothing; expected a text"
    )


def test_the_bundled_sets_have_no_problems():
    for name, pairs in (("everyday", 7 * 100 * 16), ("microworld", 7 * 96 * 16)):
        report = check(name)
        assert report.problems == ()
        assert sum(report.pairs.values()) == pairs
