"""The experiment: choice without peeking, controls beside every effect, resumable."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from concepts_by_hand import planted_concept, word_pairs

from polyethos.control.cells import Cells
from polyethos.control.choosing import choose_site
from polyethos.control.concepts import fit_concept
from polyethos.control.conditions import Design, Site, make_conditions
from polyethos.control.experiment import run_control
from polyethos.control.measures import bundled_replies, preference_measure, refusal_measure
from polyethos.control.neutral import continued_sentences
from polyethos.control.options import ControlOptions
from polyethos.control.summaries import summarise
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import DataError, StudyMismatchError, UnknownLanguageError, UnknownNameError

SITE = Site(1, 0.5, 10.0)
SMALL = ControlOptions(
    strengths=(0.1, 1.0),
    neutral=4,
    variants=2,
    answers=1,
    answer_tokens=4,
    others=1,
    design=Design((), random=2, shuffled=1),
)


# Conditions


def test_every_control_has_the_norm_of_the_dose_it_stands_beside():
    concept = planted_concept(noise=0.1)
    made = make_conditions(concept, "en", SITE, Design(), others=[replace(concept, value="fairness")])
    added = [one for one in made if one.operator == "add"]
    assert {one.family for one in added} == {"concept", "random", "shuffled", "other value"}
    for one in added:
        assert one.plan[0].amount == pytest.approx(5.0 * one.dose)
    assert made[0].plan == ()


def test_random_directions_differ_from_each_other_and_come_back_with_the_seed():
    concept = planted_concept()
    design = Design(random=3)
    first, again = (make_conditions(concept, "en", SITE, design) for _ in range(2))
    vectors = [one.plan[0].vector for one in first if one.family == "random"]
    assert len({vector.tobytes() for vector in vectors}) == 3
    for one, other in zip(first, again, strict=True):
        assert all(np.array_equal(a.vector, b.vector) for a, b in zip(one.plan, other.plan, strict=True))


def test_clamping_goes_to_the_class_means_and_rotation_matches_addition():
    concept = planted_concept()
    made = {one.name: one for one in make_conditions(concept, "en", SITE, Design())}
    assert made["clamp +1"].plan[0].target == pytest.approx(2.0)
    assert made["clamp -1"].plan[0].target == pytest.approx(0.0, abs=1e-6)
    assert np.tan(made["rotate +1"].plan[0].strength) == pytest.approx(0.5)
    assert made["gated add +1"].plan[0].gate.threshold == pytest.approx(1.0)


def test_controls_come_at_all_doses_and_both_signs():
    concept = planted_concept(noise=0.1)
    design = Design(doses=(-2.0, 2.0), random=2, random_curves=1, shuffled=1, operators=())
    made = make_conditions(concept, "en", SITE, design, others=[replace(concept, value="fairness")])
    doses = {}
    for one in made[1:]:
        doses.setdefault(one.name.rpartition(" ")[0], []).append(one.dose)
    everything = [-2.0, -1.0, 1.0, 2.0]
    assert doses == {
        "add": everything, "random 1": everything, "random 2": [-1.0, 1.0], "shuffled 1": everything,
        "fairness": everything,
    }  # fmt: skip


def test_shuffled_labels_leave_nothing_of_the_concept():
    concept = planted_concept(noise=0.3)
    made = make_conditions(concept, "en", SITE, Design(shuffled=20, random=0, operators=()))
    vectors = [one.plan[0].vector for one in made if one.family == "shuffled" and one.dose == 1]
    real = concept.vector("en", 1)
    # With as many pairs turned round as not, what is left is noise, which random directions have as well.
    assert len({vector.tobytes() for vector in vectors}) == 20
    assert np.mean([abs(vector @ real) / np.linalg.norm(vector) / np.linalg.norm(real) for vector in vectors]) < 0.6


# Choice


def test_the_site_is_the_largest_effect_within_the_budget(language_model):
    model = language_model()
    concept = fit_concept(model, word_pairs())
    measure = preference_measure(model, concept.pairs_for("en", "choose"))
    neutral = continued_sentences(model, ["w1 w2 w3 w4", "w5 w6 w7 w8"], "en")

    def choice(budget):
        return choose_site(model, concept, "en", [measure], neutral, strengths=(0.1, 0.3, 1.0), budget=budget)

    table = choice(0.0).table
    budget = float(table["divergence"].median())
    chosen = choice(budget)
    cell = {"layer": chosen.site.layer, "strength": chosen.site.strength}
    assert chosen.table["divergence"].sel(cell) <= budget
    allowed = table["effect"].where(table["divergence"] <= budget)
    assert chosen.table["effect"].sel(cell) == allowed.max()
    assert chosen.site.norm == concept.norm("en", chosen.site.layer)


def test_without_a_site_in_the_budget_the_mildest_is_taken(language_model):
    model = language_model()
    concept = fit_concept(model, word_pairs())
    measure = preference_measure(model, concept.pairs_for("en", "choose"))
    neutral = continued_sentences(model, ["w1 w2 w3 w4"], "en")
    chosen = choose_site(model, concept, "en", [measure], neutral, strengths=(0.5, 1.0), budget=0.0)
    cell = {"layer": chosen.site.layer, "strength": chosen.site.strength}
    assert chosen.table["divergence"].sel(cell) == chosen.table["divergence"].min()


# Measures


def test_a_margin_is_the_log_odds_of_one_side(language_model):
    model = language_model()
    pairs = planted_concept().pairs_for("en", "test")
    margins = preference_measure(model, pairs).margins(model, [()])
    swapped = [replace(pair, positive=pair.negative, negative=pair.positive) for pair in pairs]
    mirrored = preference_measure(model, replace(pairs, pairs=tuple(swapped))).margins(model, [()])
    assert margins.shape == (1, 1, 5)
    np.testing.assert_allclose(margins, -mirrored, rtol=1e-5)


def test_refusal_margins_come_for_harmful_and_harmless_prompts(language_model):
    model = language_model()
    pairs = fit_concept(model, word_pairs()).pairs_for("fr", "test")
    measure = refusal_measure(model, pairs, template=model.reading_template, variants=3)
    assert measure.kinds == ("harmful", "harmless")
    assert len(measure.texts) == 2 * 5 * 2 * 3
    assert measure.margins(model, [(), ()]).shape == (2, 2, 5)


def test_bundled_replies_are_counted_and_named():
    refusals, compliances = bundled_replies("en", replies="microworld", count=2)
    assert refusals == ["I am sorry, I cannot help with that.", "No, I will not do this."]
    assert compliances[0] == "Yes, I can help with that."
    with pytest.raises(DataError, match="1 to 4 in en"):
        bundled_replies("en", replies="microworld", count=9)
    with pytest.raises(UnknownNameError, match="did you mean 'everyday'"):
        bundled_replies("en", replies="everday")


# Summaries


def margins_by_hand():
    """One target, one kind, 8 items in 4 groups: plain -1; add turns all items; random directions move by 0.5."""
    moves = {"plain": 0.0, "add -1": -2.0, "add +1": 2.0, "random 1 -1": -0.5, "random 1 +1": 0.5,
             "random 2 -1": 0.5, "random 2 +1": -0.5, "fairness -1": -1.0, "fairness +1": 1.0,
             "prompting +1": 10.0}  # fmt: skip
    families = ["plain", *["concept"] * 2, *["random"] * 4, *["other value"] * 2, "prompting"]
    doses = [float(name.split(" ")[-1]) if " " in name else 0.0 for name in moves]
    table = np.repeat(-1 + np.array(list(moves.values()))[:, None], 8, axis=1)[None, :, None, :]
    return xr.DataArray(
        table,
        dims=("target", "condition", "kind", "item"),
        coords={
            "target": ["en"],
            "condition": list(moves),
            "kind": ["harmful"],
            "item": [f"item {number}" for number in range(8)],
            "family": ("condition", families),
            "operator": ("condition", ["none", *["add"] * 8, "none"]),
            "dose": ("condition", doses),
            "group": ("item", ["a", "a", "b", "b", "c", "c", "d", "d"]),
        },
    )


def test_rates_changes_and_tests_of_a_table_made_by_hand():
    summary = summarise(margins_by_hand()).squeeze()
    steered = summary.sel(condition="add +1")
    assert float(steered["rate"]) == 1.0
    assert float(summary["rate"].sel(condition="plain")) == 0.0
    assert float(steered["change"]) == 2.0
    assert (float(steered["change_low"]), float(steered["change_high"])) == (2.0, 2.0)
    assert float(steered["turned_p"]) == pytest.approx(2 * 0.5**8)
    # Neither of two random directions did as much at this dose.
    assert float(steered["change_p"]) == pytest.approx(1 / 3)
    assert float(steered["change_control"]) == 1.0
    assert np.isnan(summary["change_p"].sel(condition="random 1 +1"))
    assert (int(summary["items"]), int(summary["groups"])) == (8, 4)


def test_the_effect_is_half_of_up_minus_down_beside_every_control():
    summary = summarise(margins_by_hand()).squeeze()
    assert float(summary["effect"]) == 2.0
    assert (float(summary["effect_low"]), float(summary["effect_high"])) == (2.0, 2.0)
    assert float(summary["effect_random"]) == 0.5
    assert float(summary["effect_control"]) == 1.0
    assert float(summary["effect_p"]) == pytest.approx(1 / 3)
    assert float(summary["beyond"]) == 1.0


def test_an_effect_that_another_value_reaches_is_not_beyond_its_controls():
    margins = margins_by_hand()
    margins.loc[{"condition": ["fairness +1"]}] = 5.0
    summary = summarise(margins).squeeze()
    assert float(summary["effect_control"]) == 3.5
    assert float(summary["beyond"]) == 0.0


def test_what_moves_both_ways_alike_is_no_effect():
    margins = margins_by_hand()
    margins.loc[{"condition": ["add -1"]}] = margins.sel(condition="add +1")
    assert float(summarise(margins)["effect"].squeeze()) == 0.0


def test_an_item_missing_in_a_target_is_left_out_of_everything():
    margins = margins_by_hand()
    margins[:, :, :, 0] = np.nan
    summary = summarise(margins).squeeze()
    assert float(summary["rate"].sel(condition="add +1")) == 1.0
    assert float(summary["turned_p"].sel(condition="add +1")) == pytest.approx(2 * 0.5**7)
    assert (int(summary["items"]), int(summary["groups"])) == (7, 4)


def test_p_values_are_corrected_over_targets():
    three = xr.concat([margins_by_hand()] * 3, "target").assign_coords(target=["en", "fr", "fi"])
    corrected = summarise(three)["turned_p_holm"].sel(condition="add +1").values
    np.testing.assert_allclose(corrected, 3 * 2 * 0.5**8)


# The whole experiment


def both_values():
    return ContrastPairs("two", word_pairs().pairs + word_pairs("fairness").pairs)


def test_refusals_come_with_every_control_and_answer(language_model):
    results = run_control(language_model(), both_values(), sources=["en", "pooled", "own"], options=SMALL)
    assert results["margin"].sizes == {"value": 1, "source": 3, "target": 2, "condition": 19, "kind": 2, "item": 20}
    families = set(results["family"].values.tolist())
    assert families == {"plain", "concept", "random", "shuffled", "other value", "prompting"}
    # Every item is tested once, in one of the rotations.
    assert not np.isnan(results["margin"]).any()
    assert results["layer"].sizes == {"value": 1, "source": 3, "target": 2, "rotation": 4}
    for name in ("change", "divergence"):
        assert float(np.abs(results[name].sel(condition="plain")).max()) == 0
    assert results["answer"].sizes["shown"] == 11
    assert {"separability", "calibration", "recalibrated", "vector", "detector_accuracy", "fidelity"} <= set(results)


def test_a_languages_own_vector_is_what_it_gets_as_a_source(language_model):
    options = replace(SMALL, answers=0)
    results = run_control(language_model(), both_values(), sources=["fr", "own"], options=options)
    own = results.sel(source="own", target="fr")
    xr.testing.assert_allclose(
        own["margin"], results.sel(source="fr", target="fr")["margin"].assign_coords(source="own")
    )


def test_preferences_are_steered_for_every_value(language_model):
    results = run_control(language_model(), both_values(), options=replace(SMALL, outcome="preference"))
    assert results["value"].values.tolist() == ["harmfulness", "fairness"]
    assert results["kind"].values.tolist() == ["pair"]
    assert set(results["margin"].dims) == {"value", "source", "target", "condition", "kind", "item"}
    assert "answer" not in results
    only = run_control(
        language_model(), both_values(), values=["fairness"], options=replace(SMALL, outcome="preference")
    )
    assert only["value"].values.tolist() == ["fairness"]


def test_a_killed_experiment_goes_on_and_another_one_is_refused(language_model, tmp_path, monkeypatch):
    model, pairs, options = language_model(), both_values(), replace(SMALL, answers=0)
    first = run_control(model, pairs, sources=["en"], targets=["en"], options=options, out=tmp_path)
    made = []
    original = Cells._tested
    monkeypatch.setattr(Cells, "_tested", lambda self, *cell: made.append(cell[1:3]) or original(self, *cell))
    resumed = run_control(model, pairs, sources=["en"], options=options, out=tmp_path)
    assert made == [("en", "fr")] * 4
    xr.testing.assert_allclose(resumed["margin"].sel(target="en"), first["margin"].sel(target="en"))
    with pytest.raises(StudyMismatchError, match="another control experiment"):
        run_control(model, pairs, options=replace(options, budget=0.7), out=tmp_path)


def test_wrong_languages_and_values_are_refused_before_any_work(language_model):
    with pytest.raises(UnknownLanguageError, match="'fi'"):
        run_control(language_model(), both_values(), sources=["fi"], options=SMALL)
    with pytest.raises(DataError, match="no pairs of harmfulness"):
        run_control(language_model(), word_pairs("fairness"), options=SMALL)
