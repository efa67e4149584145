"""A run prints and draws itself."""

import re

import html5lib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from results_by_hand import HOSTILE, hostile, study_of, three_languages, with_intervals

from polyethos.errors import LabelMismatchError, RunError, UnknownNameError
from polyethos.presentation.notebook import run_html, run_text
from polyethos.presentation.plots import FIGURES, RunPlots


def test_a_run_prints_what_was_studied_the_verdicts_and_where_to_go_on(tmp_path):
    text = run_text(tmp_path, with_intervals(study_of()))
    assert str(tmp_path) in text
    assert "7 values, 16 languages, data everyday, protocol corrected" in text
    assert "Does the model hold these value concepts?" in text
    assert "transfer()" in text


def test_the_notebook_page_is_valid_and_holds_the_table(tmp_path):
    page = run_html(tmp_path, three_languages())
    parser = html5lib.HTMLParser(strict=True)
    parser.parseFragment(page)
    assert "<td>90.0</td>" in page
    assert "Swahili" in page


def test_nothing_in_the_results_becomes_markup(tmp_path):
    page = run_html(tmp_path / "<b>", hostile())
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert HOSTILE in run_text(tmp_path, hostile())


def plots(results=None):
    return RunPlots(with_intervals(study_of()) if results is None else results)


def image(figure):
    return figure.axes[0].images[0].get_array()


def test_a_heatmap_shows_the_numbers_that_were_asked_for():
    results = study_of()
    figure = plots(results).transfer(value="morality", layer=3, languages=["en", "sw"], measure="accuracy")
    expected = 100 * results["accuracy"].sel(value="morality", layer=3, source="en", target="sw")
    assert image(figure).shape == (2, 2)
    assert image(figure)[0, 1] == pytest.approx(float(expected), abs=1e-3)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["en", "sw"]


@pytest.mark.parametrize("name", ["recognition", "similarity", "transfer", "layers"])
def test_every_figure_takes_an_axes_to_draw_into(name):
    figure, axes = plt.subplots()
    assert getattr(plots(), name)(value="fairness", ax=axes) is figure
    assert axes.has_data()
    plt.close(figure)


def test_without_arguments_recognition_is_the_papers_bars():
    titles = [axes.get_title() for axes in plots().recognition().axes if axes.get_visible()]
    assert "Morality" in titles
    assert "Mean over values" in titles


def test_layers_draws_the_mean_of_the_languages_asked_for():
    results = study_of()
    line = plots(results).layers(value="toxicity", languages=["en"]).axes[0].lines[0]
    own = 100 * results["accuracy"].sel(value="toxicity", source="en", target="en")
    assert line.get_ydata() == pytest.approx(own.values, abs=1e-3)


def test_linguistics_draws_a_bar_per_distance_or_says_what_is_missing():
    bars = plots(study_of(protocol="paper")).linguistics().axes[0].patches
    assert sorted(bar.get_width() for bar in bars) == [-0.05, 0.12, 0.31, 0.42]
    with pytest.raises(LabelMismatchError, match="study more languages"):
        plots().linguistics()


def test_wrong_names_are_answered_with_the_nearest_right_one():
    with pytest.raises(UnknownNameError, match="did you mean 'fairness'"):
        plots().similarity(value="fairnes")
    with pytest.raises(UnknownNameError, match="did you mean 'fairness'"):
        plots().layers(value="fairnes")


def test_of_several_models_one_must_be_chosen():
    results = study_of().expand_dims(model=["one", "two"])
    with pytest.raises(RunError, match=r"run\.models\['one'\]\.plot"):
        plots(results).transfer()


def test_a_notebook_shows_a_figure_that_pyplot_does_not_know():
    assert plots().transfer(languages=["en", "sw"])._repr_png_().startswith(b"\x89PNG")


def test_the_figures_are_found_by_completion():
    assert set(FIGURES) <= set(dir(plots()))
    assert all(re.search(rf"\b{name}\(\)", repr(plots())) for name in FIGURES)
    assert np.all([getattr(RunPlots, name).__doc__ for name in FIGURES])
