"""Sentences generated from results."""

import pytest
from results_by_hand import study_of, study_with_tests, three_languages, with_intervals

from polyethos.presentation.answers import QUESTIONS, answers


def answer(key, results):
    return next(a for a in answers(results) if a.key == key)


def test_every_question_is_answered_in_order_and_what_was_not_measured_names_its_command():
    found = answers(three_languages())
    assert [a.key for a in found] == list(QUESTIONS)
    assert [a.key for a in found if not a.measured] == ["linguistics", "control", "composition"]
    assert answer("control", three_languages()).command == "polyethos control RUN"
    assert answer("control", three_languages()).verdict == "Not measured"


def test_existence_counts_combinations_above_chance_and_names_the_best_and_weakest_language():
    found = answer("existence", three_languages())
    assert found.verdict == "Mostly"
    assert "In 4 of 5 combinations" in found.sentence
    assert "70 % right on average (guessing: 50 %" in found.sentence
    assert "English (80 %)" in found.sentence
    assert "Swahili (50 %)" in found.sentence


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.9, "Yes"), (0.5, "Hardly")])
def test_existence_is_judged_by_the_share_of_combinations(accuracy, verdict):
    results = three_languages()
    results["recognition"][:] = accuracy
    results["n_items"][:] = 100
    assert answer("existence", results).verdict == verdict


def test_the_paper_protocol_is_answered_with_its_known_bias():
    assert "test pairs" in answer("existence", study_of(protocol="paper")).caution
    assert answer("existence", study_of()).caution == ""


def test_consistency_names_closest_and_farthest_pair_and_warns_of_raw_cosines():
    found = answer("consistency", three_languages())
    assert found.verdict == "In part"
    assert "0.47" in found.sentence
    assert "most alike: English and French (0.80)" in found.sentence
    assert "least alike: English and Swahili (0.20)" in found.sentence
    assert "noise" in found.caution


def test_noise_corrected_similarity_is_preferred_and_comes_with_its_uncertainty():
    found = answer("consistency", with_intervals(study_of()))
    assert "noise-corrected" in found.sentence
    assert "±0.10" in found.sentence
    assert found.caution == ""


def test_linguistic_relations_are_listed_with_the_strongest():
    found = answer("linguistics", study_of(protocol="paper"))
    assert "syntactic +0.42" in found.sentence
    assert "the largest is syntactic" in found.sentence
    assert "not independent" in found.caution


def test_transfer_says_how_much_better_or_worse_in_both_directions():
    found = answer("transfer", three_languages())
    assert found.verdict == "Better from high-resource languages"
    assert "1 high-resource language (English)" in found.sentence
    assert "7.0 points better" in found.sentence
    assert "11.0 points worse" in found.sentence
    assert "artefact" in found.caution


@pytest.mark.parametrize(
    ("down", "up", "verdict"),
    [
        (0.05, -0.005, "Both ways"),
        (0.0, -0.2, "Better from high-resource languages"),
        (-0.2, 0.0, "Better to high-resource languages"),
        (-0.2, -0.2, "With a loss"),
    ],
)
def test_transfer_works_where_it_costs_at_most_a_point(down, up, verdict):
    results = three_languages()
    results["transfer_gain"][:] = [[0, down, down], [up, 0, 0], [up, 0, 0]]
    assert answer("transfer", results).verdict == verdict


def test_where_nothing_was_recognised_transfer_is_undecided():
    results = three_languages()
    results["recognition"][:] = 0.5
    found = answer("transfer", results)
    assert found.verdict == "Undecided"
    assert "noise" in found.caution


def test_existence_tells_how_many_combinations_guessing_would_reach_unless_tests_account_for_it():
    assert "guessing alone would reach about 6" in answer("existence", study_of()).sentence
    assert "guessing alone" not in answer("existence", with_intervals(study_of())).sentence


def test_many_combinations_below_chance_raise_doubt_about_those_above():
    results = study_of()
    results["recognition"][0] = 0.3
    found = answer("existence", results)
    assert found.caution.startswith("16 combinations lie as far below guessing")
    assert answer("existence", study_of()).caution == ""


def test_transfer_intervals_are_told():
    assert "±3 points" in answer("transfer", with_intervals(study_of())).sentence


def test_transfer_without_two_groups_is_told_over_all_pairs():
    results = three_languages().assign_attrs(high_resource=["en", "fr", "sw"])
    assert "On average" in answer("transfer", results).sentence


def test_a_single_language_leaves_pairs_undecided():
    alone = three_languages().sel(language=["en"], source=["en"], target=["en"])
    assert answer("consistency", alone).verdict == "Undecided"
    assert answer("transfer", alone).verdict == "Undecided"


def with_relation(effect, p):
    """Results whose only kind of distance has this standardised effect and p-value."""
    dims = ("distance", "term")
    relation = {name: (dims, [[value]]) for name, value in (("relation", effect), ("relation_p", p))}
    coords = {"distance": ["genetic"], "term": ["distance"]}
    return three_languages().assign(relation).assign(relation_detectable=(dims, [[0.04]])).assign_coords(coords)


@pytest.mark.parametrize(
    ("effect", "p", "verdict"),
    [(-0.2, 0.001, "Yes"), (-0.01, 0.001, "Slightly"), (0.2, 0.001, "Not clearly"), (-0.2, 0.3, "Not clearly")],
)
def test_related_languages_share_more_only_if_similarity_falls_with_distance_beyond_chance(effect, p, verdict):
    found = answer("linguistics", with_relation(effect, p))
    assert found.verdict == verdict
    assert "less than 0.040 would mostly be missed" in found.caution


def test_a_relation_of_too_few_languages_is_undecided():
    assert answer("linguistics", with_relation(float("nan"), float("nan"))).verdict == "Undecided"


def test_what_needs_no_concept_is_said_beside_recognition():
    found = answer("existence", study_with_tests()).sentence
    assert (
        "For comparison, on the same pairs: random direction 55 %, shuffled labels 55 %, length 55 % and words" in found
    )
    assert "For comparison" not in answer("existence", study_of()).sentence


def test_consistency_says_how_it_comes_out_otherwise_and_what_is_undefined():
    found = answer("consistency", study_with_tests()).sentence
    assert "Beside it: raw cosine" in found
    assert "after whitening" in found
    assert "reliability of the vectors" in found
    assert "Undefined, since not told apart from noise: 7 of 56 vectors." in found


def test_composition_points_to_the_bundled_evidence():
    found = answer("composition", study_of())
    assert found.command == "polyethos lab advise"
    assert "bundled" in found.sentence
