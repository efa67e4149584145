"""The layout of the paper's data set."""

import json
import random

import pytest
from rows_by_hand import write_mvalue

from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import sentence
from polyethos.dataset.validation import check
from polyethos.errors import InvalidPairsError


def sample(number, **more):
    return {"pos": f"good {number}", "neg": f"bad {number}", **more}


def test_items_are_subset_and_key_in_the_order_of_the_file(tmp_path):
    write_mvalue(tmp_path, "morality", "en", {"train": {"9": sample(1), "2": sample(2)}, "a": {"9": sample(3)}})
    pairs = load_pairs(tmp_path)
    assert [(p.item, p.positive, p.negative) for p in pairs] == [
        ("train/9", "good 1", "bad 1"),
        ("train/2", "good 2", "bad 2"),
        ("a/9", "good 3", "bad 3"),
    ]
    assert (pairs.values, pairs.languages) == (("morality",), ("en",))


def test_scenario_and_question_are_the_context(tmp_path):
    write_mvalue(tmp_path, "deontology", "zh", {"t": {"1": sample(1, scenario="duty")}})
    write_mvalue(tmp_path, "truthfulness", "zh", {"t": {"1": sample(2, question="why")}})
    texts = [sentence(pair, "positive", published=True).text for pair in load_pairs(tmp_path)]
    assert texts == ["duty good 1", "Question: why Answer: good 2"]


def test_one_file_alone_is_read_too(tmp_path):
    path = write_mvalue(tmp_path, "fairness", "sw", {"t": {"1": sample(1)}})
    (pair,) = load_pairs(path)
    assert (pair.value, pair.language) == ("fairness", "sw")


def test_identical_sides_are_refused_with_the_way_out(tmp_path):
    write_mvalue(tmp_path, "morality", "en", {"t": {"1": sample(1), "2": {"pos": "same", "neg": "same"}}})
    with pytest.raises(InvalidPairsError) as caught:
        load_pairs(tmp_path)
    assert str(caught.value) == (
        "morality/morality_en.json, t/2, negative: found 'same', as positive; expected two different sentences;"
        " drop=('identical',) leaves such pairs out"
    )


def test_dropping_identical_sides_leaves_the_others_in_order_and_says_how_many_went(tmp_path):
    same = {"pos": "same", "neg": "same"}
    write_mvalue(tmp_path, "morality", "en", {"t": {"1": same, "2": sample(2), "3": same, "4": sample(4)}})
    pairs = load_pairs(tmp_path, drop=("identical",))
    assert [pair.item for pair in pairs] == ["t/2", "t/4"]
    assert pairs.notes == ("left out: 2 identical",)


def test_dropping_one_kind_of_problem_does_not_excuse_another(tmp_path):
    write_mvalue(tmp_path, "morality", "en", {"t": {"1": {"pos": "same", "neg": "same"}, "2": {"pos": "", "neg": "x"}}})
    with pytest.raises(InvalidPairsError, match="t/2, positive: found ''; expected a text") as caught:
        load_pairs(tmp_path, drop=("identical",))
    assert len(caught.value.problems) == 1


def test_what_is_no_sample_names_subset_and_key(tmp_path):
    write_mvalue(tmp_path, "morality", "en", {"t": {"1": "text", "2": {"pos": "good"}, "3": sample(3)}, "u": []})
    problems = [str(problem) for problem in check(tmp_path).problems]
    assert problems[0].startswith("morality/morality_en.json, t/1: found 'text'; expected an object")
    assert problems[1].startswith("morality/morality_en.json, u: found []; expected a list of objects, or the MVALUE")
    assert problems[2] == "morality/morality_en.json, t/2, negative: found nothing; expected a text"


def test_a_file_of_an_unknown_language_is_an_error_unless_others_are_asked_for(tmp_path):
    write_mvalue(tmp_path, "morality", "en", {"t": {"1": sample(1)}})
    write_mvalue(tmp_path, "morality", "xx", {"t": {"1": sample(1)}})
    (problem,) = check(tmp_path).errors
    assert str(problem).startswith("morality/morality_xx.json, language: found only item, pos, neg")


def test_the_reference_data_are_read_as_the_published_code_reads_them(shared_data):
    root = shared_data / "reference" / "data"
    pairs = load_pairs(root, drop=("identical",))
    for value in pairs.values:
        for language in pairs.languages:
            content = json.loads((root / value / f"{value}_{language}.json").read_text(encoding="utf-8"))
            theirs = [s for subset in content.values() for s in subset.values() if s["pos"] != s["neg"]]
            ours = list(pairs.select(values=[value], languages=[language]))
            random.Random(1).shuffle(theirs)
            random.Random(1).shuffle(ours)
            assert [(p.positive, p.negative) for p in ours] == [(s["pos"], s["neg"]) for s in theirs]


def test_the_reference_data_have_identical_sides_and_nothing_else_against_them(shared_data):
    report = check(shared_data / "reference" / "data")
    assert {problem.kind for problem in report.errors} == {"identical"}
    assert sum(report.pairs.values()) + len(report.errors) == 7 * 16 * 25
