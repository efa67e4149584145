"""Figures of a sweep."""

import numpy as np
import pytest
import xarray as xr

from polyethos.presentation.sweep_figures import conditions_figure, dominance_figure, write_sweep_figures

DOMINANCE = ("dominance-fixed-minority", (0.2, 0.5, 0.9))
BALANCE = ("balance", (0.0, 1.0, 2.0))


def results(*experiments):
    """Two seeds and two sizes; transfer of the other languages is the level, that of the dominant one is 9."""
    rows = [
        (experiment, level, size, seed)
        for experiment, levels in experiments
        for level in levels
        for size in ("small", "tiny")
        for seed in (0, 1)
    ]
    values = np.array([[9.0, level, level] for _, level, _, _ in rows])
    names = ("experiment", "level", "size", "seed")
    return xr.Dataset(
        {"transfer": (("run", "language"), values), "control": (("run", "language"), np.full(values.shape, np.nan))},
        coords={"language": ["en", "fi", "sw"]}
        | {name: ("run", [row[place] for row in rows]) for place, name in enumerate(names)},
    )


def test_a_panel_shows_the_mean_over_the_languages_that_are_not_dominant():
    figure = dominance_figure(results(DOMINANCE))
    (panel,) = [axes for axes in figure.axes if axes.get_visible()]
    lines = {line.get_label(): line.get_ydata() for line in panel.lines if "held fixed" in str(line.get_label())}
    assert list(lines) == [f"{size}, tokens of the other languages held fixed" for size in ("small", "tiny")]
    for heights in lines.values():
        assert heights == pytest.approx([0.2, 0.5, 0.9])


def test_an_outcome_without_any_number_has_no_panel():
    titles = [axes.get_title() for axes in dominance_figure(results(DOMINANCE)).axes]
    assert titles == ["Transfer (probits)"]


def test_the_other_experiments_have_a_row_each():
    figure = conditions_figure(results(BALANCE, ("number-of-dominants", (1.0, 2.0, 4.0))))
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "Exponent of the other languages' shares",
        "Number of languages that share 80 %",
    ]


def test_only_figures_of_experiments_that_were_run_are_written(tmp_path):
    paths = write_sweep_figures(results(DOMINANCE), tmp_path)
    assert sorted(path.name for path in paths) == ["sweep_dominance.png", "sweep_dominance.svg"]
