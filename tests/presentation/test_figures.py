"""Figures: their content, their size and their files."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from results_by_hand import study_of, three_languages, with_intervals

from polyethos.presentation.figures import layer_curves, recognition_bars
from polyethos.presentation.heatmaps import (
    models_gain,
    models_recognition,
    models_similarity,
    models_transfer,
    similarity_heatmap,
    similarity_panels,
    transfer_heatmap,
)
from polyethos.presentation.outputs import write_comparison_figures, write_figures, write_outputs
from polyethos.presentation.style import COLUMN, PAGE, save


def heat(figure):
    return figure.axes[0].images[0]


def test_bars_stand_on_chance_and_end_at_the_accuracy():
    bars = recognition_bars(three_languages()).axes[0].patches
    assert [bar.get_y() for bar in bars] == [50] * 3
    assert [bar.get_y() + bar.get_height() for bar in bars] == pytest.approx([90, 80, 50])


def test_there_is_a_panel_per_value_and_one_for_the_mean():
    titles = [axes.get_title() for axes in recognition_bars(study_of()).axes if axes.get_visible()]
    assert titles == [
        "Morality", "Deontology", "Utilitarianism", "Fairness", "Truthfulness", "Toxicity", "Harmfulness",
        "Mean over values",
    ]  # fmt: skip


def test_bars_not_told_apart_from_chance_are_paler():
    first, _, last = recognition_bars(three_languages()).axes[0].patches
    assert sum(last.get_facecolor()[:3]) > sum(first.get_facecolor()[:3])


def test_whiskers_are_the_intervals():
    results = with_intervals(study_of())
    (whiskers,) = recognition_bars(results).axes[0].collections
    first = whiskers.get_segments()[0]
    own = float(results["recognition"].sel(value="morality", language="en"))
    assert first[:, 1] == pytest.approx([100 * (own - 0.06), min(100 * (own + 0.05), 100)])


def test_heatmaps_are_centred_at_zero_with_gains_in_points():
    image = heat(transfer_heatmap(three_languages()))
    assert -image.norm.vmin == image.norm.vmax == 20
    assert image.get_array()[0, 2] == pytest.approx(10)


def test_small_gains_are_not_blown_up_by_the_colour_scale():
    results = three_languages()
    results["transfer_gain"] *= 0.01
    assert heat(transfer_heatmap(results)).norm.vmax == 5


def test_what_was_not_measured_is_left_out_of_the_colours():
    results = three_languages()
    results["similarity"].loc[{"source": "en", "target": "sw"}] = np.nan
    assert heat(similarity_heatmap(results)).get_array().mask.sum() == 1


def test_wide_heatmaps_print_every_number_but_the_diagonal():
    texts = [text.get_text() for text in similarity_heatmap(three_languages(), width="page").axes[0].texts]
    assert texts == [".80", ".20", ".80", ".40", ".20", ".40"]


@pytest.mark.parametrize(("width", "inches"), [("column", COLUMN), ("page", PAGE)])
def test_figures_are_as_wide_as_a_column_or_a_page(width, inches):
    assert similarity_heatmap(three_languages(), width=width).get_figwidth() == inches


def test_layer_curves_mark_the_layer_chosen_most_often():
    axes = layer_curves(study_of()).axes[1]
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    layers, counts = np.unique(study_of()["chosen_layer"].sel(value="morality"), return_counts=True)
    assert dots[0] == layers[counts.argmax()]


def test_models_are_compared_on_one_scale_and_in_one_row_each():
    runs = [three_languages(), three_languages().assign_attrs(model="other")]
    runs[1]["transfer_gain"] = runs[1]["transfer_gain"] * 2
    assert {axes.images[0].norm.vmax for axes in models_gain(runs).axes[:2]} == {40}
    assert [t.get_text() for t in models_recognition(runs).axes[0].get_yticklabels()] == ["tiny_model", "other"]
    assert [axes.get_title() for axes in models_similarity(runs).axes[:2]] == ["tiny_model", "other"]
    down, up = models_transfer(runs).axes[0].collections[1:3]
    assert down.get_offsets()[:, 0].tolist() == pytest.approx([7, 14])
    assert up.get_offsets()[:, 0].tolist() == pytest.approx([-11, -22])


def test_svg_text_stays_text_and_equal_results_give_equal_files(tmp_path):
    svg, png = save(recognition_bars(three_languages()), tmp_path / "first", "bars")
    again, _ = save(recognition_bars(three_languages()), tmp_path / "second", "bars")
    words = {element.text for element in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"Morality", "en", "Recognition accuracy (%)"} <= words
    assert svg.read_bytes() == again.read_bytes()
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_names_are_not_read_as_mathematics(tmp_path):
    runs = [three_languages().assign_attrs(model=name) for name in ("$x^{", "</text><script>")]
    svg, _ = save(models_transfer(runs), tmp_path, "models")
    words = {element.text for element in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")}
    assert {"$x^{", "</text><script>"} <= words


def test_drawing_leaves_matplotlib_as_it_was(tmp_path):
    before = dict(mpl.rcParams)
    save(similarity_heatmap(three_languages()), tmp_path, "map")
    assert dict(mpl.rcParams) == before


def test_a_run_folder_gets_the_figures_and_tables_its_results_allow(tmp_path):
    write_outputs(tmp_path, [three_languages()[["recognition", "n_items", "layer_curve"]]])
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    assert drawn == {"recognition.svg", "recognition.png", "layers.svg", "layers.png"}
    assert (tmp_path / "tables" / "recognition.csv").is_file()


def test_a_folder_of_several_models_gets_comparisons(tmp_path):
    first = three_languages().drop_vars("similarity")
    write_outputs(tmp_path, [first, three_languages().assign_attrs(model="other")])
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {
        "models_recognition", "models_gain", "models_transfer",
    }  # fmt: skip
    assert (tmp_path / "tables" / "models.csv").is_file()


@pytest.mark.slow
def test_a_full_study_is_drawn_in_seconds(tmp_path):
    assert len(write_figures(with_intervals(study_of(layers=32)), tmp_path)) == 14
    titles = [axes.get_title() for axes in similarity_panels(study_of()).axes[:8]]
    assert titles[-1] == "Mean over values"
    assert len(write_comparison_figures([study_of("a"), study_of("b", seed=1)], tmp_path)) == 8
