"""Sentences generated from results."""

from pathlib import Path

import pytest
import xarray as xr
from results_by_hand import study_of, study_with_tests, three_languages, with_intervals

from polyethos.presentation.answers import QUESTIONS, answers
from polyethos.presentation.labels import language_name


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
    assert any("±3 points" in detail for detail in answer("transfer", with_intervals(study_of())).details)


def test_transfer_without_two_groups_is_told_over_all_pairs():
    results = three_languages().assign_attrs(high_resource=["en", "fr", "sw"])
    assert "Over all pairs" in answer("transfer", results).sentence


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
    assert "a change of similarity below 0.04 per standard deviation of distance" in found.caution


def test_a_relation_of_too_few_languages_is_undecided():
    assert answer("linguistics", with_relation(float("nan"), float("nan"))).verdict == "Undecided"


def test_what_needs_no_concept_is_said_beside_recognition():
    (told,) = (each for each in answer("existence", study_with_tests()).details if "comparison" in each)
    assert told == (
        "For comparison, on the same pairs: a random direction, its sign chosen on the training pairs, 55 %; labels "
        "shuffled 55 %; sentence length alone 55 %; word counts alone 55 %."
    )
    assert not any("comparison" in each for each in answer("existence", study_of()).details)


def test_a_random_direction_far_above_guessing_is_explained():
    results = study_with_tests()
    results["control_accuracy"] = results["control_accuracy"] * 0 + 0.79
    assert any("79 % for a random direction means" in each for each in answer("existence", results).details)
    assert not any("for a random direction means" in each for each in answer("existence", study_with_tests()).details)


def test_what_the_words_alone_recognise_as_well_is_a_reservation_of_the_answer():
    results = study_with_tests()
    assert (
        "reservation"
        not in answer(
            "existence", results.assign(recognition_excess_low=0.1 + results["recognition_excess_low"] * 0)
        ).verdict
    )
    alike = answer("existence", results.assign(recognition_excess_low=results["recognition_excess_low"] * 0 - 0.1))
    found = int((results["recognition_p_family"] <= 0.05).sum())
    assert alike.verdict.endswith(", with a reservation")
    assert f"in {found} of those {found}, sentence length or the words alone do about as well" in alike.sentence


def test_mean_recognition_has_the_interval_of_its_samples():
    results = study_with_tests()
    samples = xr.zeros_like(results["recognition_replicates"]) + xr.DataArray([0.8] * 25 + [0.9] * 25, dims="replicate")
    assert (
        "(95 % interval 80.0 % to 90.0 %; guessing"
        in answer("existence", results.assign(recognition_replicates=samples)).sentence
    )


def test_the_answer_says_how_many_pairs_and_independent_groups_one_number_rests_on():
    results = with_intervals(study_of())
    grouped = results.assign(n_groups=xr.where(results["n_items"] > 0, 16, 0))
    assert any(
        each.endswith("it rests on 96 pairs from 16 independent groups.")
        for each in answer("existence", grouped).details
    )
    assert any(each.endswith("it rests on 96 pairs.") for each in answer("existence", results).details)


def test_the_best_layer_of_the_paper_has_no_interval():
    assert not any("known to about" in each for each in answer("existence", study_of(protocol="paper")).details)


@pytest.mark.parametrize(("pairs", "warned"), [(6, True), (11, True), (12, False)])
def test_too_few_pairs_leave_existence_undecided_and_the_minimum_is_stated(pairs, warned):
    results = study_of()
    results["n_items"] = xr.where(results["n_items"] > 0, pairs, 0)
    found = answer("existence", results)
    assert (found.verdict == "Undecided") == warned
    assert (
        f"Only {pairs} independent pairs per value and language" in found.caution and "Below 12" in found.caution
    ) == warned


def apart(low: str, how_far: float):
    """Six languages that share 0.8, gain nothing and lose nothing, and one in which all of that is lower."""
    results = study_of(languages=("en", "fr", "zh", "es", "pt", "vi", "fi"))
    for name, usual in (("similarity", 0.8), ("transfer_gain", 0.0)):
        results[name] = xr.full_like(results[name], usual)
        touches = (results["source"] == low) | (results["target"] == low)
        results[name] = results[name].where(~touches, usual - how_far)
    return results.drop_vars("transfer_accuracy").assign_attrs(high_resource="")


def test_languages_that_stand_apart_are_named_with_what_the_others_have():
    lone = apart("fi", 0.5)
    assert (
        "Finnish 0.30 on average stands apart; the other 6 languages have 0.80" in answer("consistency", lone).sentence
    )
    assert "Finnish stands apart (50.0 points worse to and from it)" in answer("transfer", lone).sentence
    assert "among the other 6 the vector of another language does equally well" in answer("transfer", lone).sentence
    near = apart("fi", 0.01)
    assert "apart" not in answer("consistency", near).sentence + answer("transfer", near).sentence


def test_vectors_that_point_the_wrong_way_elsewhere_are_counted():
    results = study_of(languages=("en", "fr")).assign_attrs(high_resource="")
    results["transfer_accuracy"][:] = 0.9
    results["transfer_accuracy"].loc[{"source": "en", "target": "fr", "value": "morality"}] = 0.1
    told = answer("transfer", results).sentence
    assert "In 1 of 14 combinations of value, source and target (7 %) the vector points the wrong way" in told
    assert "(below 50 % right, the lowest 10 %)" in told


def test_the_mean_gain_has_both_accuracies_and_the_interval_of_its_samples():
    results = study_of(languages=("en", "fr")).assign_attrs(high_resource="")
    results["transfer_accuracy"][:] = [[0.9, 0.8], [0.8, 0.9]]
    results["transfer_gain"][:] = [[0, -0.1], [-0.1, 0]]
    drawn = xr.DataArray([-0.12] * 25 + [-0.08] * 25, dims="replicate") + xr.zeros_like(results["transfer_gain"])
    found = answer("transfer", results.assign(transfer_gain_replicates=drawn)).sentence
    assert (
        "10.0 points worse than the language's own (95 % interval −12.0 to −8.0; own vectors 90 % right, others' 80 %)"
        in found
    )


def test_consistency_says_how_it_comes_out_otherwise_and_what_is_undefined():
    whitened, raw, undefined = answer("consistency", study_with_tests()).details
    assert "(whitened) it is 0." in whitened
    assert "much of the likeness" not in whitened
    assert "the raw cosine of the same pairs is 0." in raw
    assert "of a vector's squared length is no noise" in raw
    assert undefined.startswith("7 of 56 vectors are left out of the comparison: the 95 % interval")


def test_likeness_that_whitening_takes_away_is_called_common_to_what_varies():
    results = study_with_tests()
    white = results.assign(consistency_whitened=results["consistency"] * 0.3)
    assert "much of the likeness is common to everything" in answer("consistency", white).details[0]


def test_few_vectors_too_noisy_to_compare_are_named():
    results = study_with_tests()
    defined = xr.ones_like(results["direction_defined"])
    defined.loc[{"value": "toxicity", "language": "id"}] = False
    told = answer("consistency", results.assign(direction_defined=defined)).details[-1]
    assert told.startswith("1 of 56 vectors (Indonesian toxicity) is left out")


def test_composition_points_to_the_bundled_evidence():
    found = answer("composition", study_of())
    assert found.command == "polyethos lab advise"
    assert "bundled" in found.sentence


def test_commands_name_the_run_folder_where_it_is_known():
    (control,) = (each for each in answers(three_languages(), folder=Path("runs/my run")) if each.key == "control")
    assert control.command == "polyethos control 'runs/my run'"


def test_one_language_has_no_best_and_weakest_and_one_question_no_correction_for_many():
    alone = study_with_tests().sel(language=["en"], source=["en"], target=["en"], value=["fairness"])
    said = answer("existence", alone).sentence
    assert "best in" not in said
    assert "corrected for asking" not in said
    assert "(at 5 %)" in said


def test_languages_that_share_the_best_number_are_all_named():
    results = study_with_tests()
    codes = results["language"].values.tolist()
    level = xr.full_like(results["recognition"], 0.9)
    level.loc[{"language": codes[1:3]}] = 0.996
    level.loc[{"language": codes[0]}] = 0.8
    said = answer("existence", results.assign(recognition=level)).sentence
    first, second, last = (language_name(code) for code in (*codes[1:3], codes[0]))
    assert f"best in {first} and {second} (100 % each), weakest in {last} (80 %)" in said


def test_a_random_direction_that_tells_much_stands_beside_guessing():
    results = study_with_tests()
    told = xr.full_like(results["control_accuracy"], 0.5)
    assert "a random direction" not in answer("existence", results.assign(control_accuracy=told)).sentence
    told.loc[{"control": "random direction"}] = 0.79
    said = answer("existence", results.assign(control_accuracy=told)).sentence
    assert "guessing: 50 %; a random direction, its sign chosen on the training pairs, 79 %)" in said
