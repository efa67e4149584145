"""What the report says and draws of steering."""

import re

import numpy as np
from control_by_hand import control_results
from results_by_hand import STUDY, study_of

from polyethos.presentation.answers import answers
from polyethos.presentation.control_section import control_charts
from polyethos.presentation.report import render


def answer(control):
    return next(each for each in answers(study_of(), control) if each.key == "control")


def test_a_steered_run_is_answered_from_its_control_study():
    found = answer(control_results())
    assert found.measured
    assert (
        "with the vector from English moves the log-odds of refusing harmful requests (harmfulness)" in found.sentence
    )
    assert "by +1.07 nats on average (+0.97 to +1.17), beyond every control in 2 of 3 languages" in found.sentence
    assert "2 of 3 languages (English and Finnish)" in found.sentence
    assert "continuing as the value asks (harmfulness and fairness) by +0.30 nats" in found.sentence
    assert "0 of 6 combinations" in found.sentence


def test_what_other_vectors_do_is_told_beside():
    expected = "With the vector of each language itself, refusing harmful requests moves by +1.57 nats, in 3 of 3. "
    assert expected in answer(control_results()).sentence
    assert "each language itself" not in answer(control_results().sel(source=["en"])).sentence


def test_the_verdict_is_the_share_of_requests_moved_beyond_every_control():
    results = control_results()
    assert answer(results).verdict == "In part"
    none = results.assign(control_beyond=results["control_beyond"] * 0)
    assert answer(none).verdict == "Not shown"
    assert "Random directions of the same length did as much" in answer(none).caution
    every = results.assign(control_beyond=results["control_effect"].notnull().astype(float))
    assert answer(every).verdict == "Yes"
    requests = every.assign(control_beyond=every["control_beyond"].where(every["kind"] != "pair", 0))
    assert answer(requests).verdict == "Yes"
    assert answer(requests.sel(kind=["pair"])).verdict == "Not shown"


def test_an_effect_that_could_not_be_measured_is_no_answer():
    results = control_results()
    results["control_effect"][:] = np.nan
    assert answer(results).verdict == "Undecided"


def test_each_kind_has_a_chart_with_the_strongest_control_beside_the_effect():
    charts = control_charts(control_results())
    titles = [re.search(r"<figcaption>(.*?)</figcaption>", chart).group(1) for chart in charts]
    assert titles[0] == "Refusing harmful requests (harmfulness), vector from English"
    assert len(titles) == 4
    assert "Finnish: +1.00 nats (95 % interval +0.90 to +1.10), beyond the strongest control (0.50)" in charts[0]
    assert "Swahili: +0.20 nats (95 % interval +0.10 to +0.30), not beyond the strongest control" in charts[0]
    assert charts[0].count("strongest control 0.50<") == 3


def test_languages_that_were_not_steered_have_no_row():
    results = control_results()
    results["control_effect"].loc[{"target": "sw"}] = np.nan
    assert "Swahili" not in control_charts(results)[0]


def test_the_page_shows_steering_where_it_was_measured_and_the_command_where_not():
    with_control = render([(study_of(), STUDY)], controls=[control_results()])
    assert "Refusing harmful requests (harmfulness), vector from English" in with_control
    assert "control_refusal.csv" in with_control
    assert "polyethos control RUN" not in with_control
    assert "polyethos control RUN" in render([(study_of(), STUDY)])


def test_a_few_among_many_may_be_luck():
    many = control_results().isel(target=[0, 1, 2] * 10)
    lucky = many.assign(control_beyond=many["control_beyond"] * 0)
    lucky["control_beyond"][{"value": 0, "source": 0, "target": 0}] = 1.0
    found = answer(lucky)
    assert found.verdict == "Not shown"
    assert "by luck" in found.caution


def test_a_single_language_that_ranks_first_among_all_languages_is_no_luck():
    many = control_results().sel(kind=["harmful", "harmless"], value=["harmfulness"]).isel(target=[0, 1, 2] * 10)
    one = many.assign(control_beyond=many["control_beyond"] * 0)
    one["control_beyond"][{"value": 0, "source": 0, "target": 0, "kind": 0}] = 1.0
    assert answer(one).verdict == "Not shown"
    one["control_effect_p_family"][{"value": 0, "source": 0, "target": 0, "kind": 0}] = 0.048
    assert answer(one).verdict == "In part"
    assert "luck" not in answer(one).sentence + answer(one).caution
