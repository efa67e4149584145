"""Tables, figures, examples and the terminal of a control study say what the results hold."""

import io
import json

import numpy as np
import pytest
from control_by_hand import TARGETS, control_results, with_answers
from rich.console import Console

from polyethos.presentation.control_examples import to_jsonl, to_markdown
from polyethos.presentation.control_figures import control_matrix, dose_response
from polyethos.presentation.control_outputs import write_control_outputs
from polyethos.presentation.control_tables import (
    control_tables,
    curves_table,
    details_table,
    effect_table,
    matrix_table,
    measured_kinds,
    questions_table,
    refusal_table,
)
from polyethos.presentation.control_terminal import show_control, summary


@pytest.fixture
def results():
    return with_answers(control_results())


def test_refusal_rates_stand_down_plain_up_with_the_effect_beside_its_controls(results):
    table = refusal_table(results, "en")
    assert table.index.tolist() == TARGETS
    assert table.loc["fi", ["down", "plain", "up"]].tolist() == [0.25, 0.5, 0.75]
    assert table.loc["fi", ["effect", "low", "control", "p", "beyond"]].tolist() == [1.0, 0.9, 0.5, 0.1, 1.0]
    assert table["beyond"].tolist() == [1.0, 1.0, 0.0]


def test_effects_have_a_row_per_target_and_a_column_per_source(results):
    assert effect_table(results, "harmful").loc["sw"].tolist() == [0.2, 1.2]


def test_the_matrix_of_preferences_has_means_at_its_ends(results):
    table = matrix_table(results, "en")
    assert table.columns.tolist() == ["harmfulness", "fairness", "mean"]
    assert table.index.tolist() == [*TARGETS, "mean"]
    assert table.loc["mean", "mean"] == pytest.approx(0.3)


def test_representation_calibration_and_action_stand_apart(results):
    assert questions_table(results, "en").loc["sw"].tolist() == [0.9, 0.7, 0.8, 0.2]


def test_long_tables_hold_what_was_measured_and_nothing_else(results):
    # Refusals: 2 sources x 3 targets x 2 kinds; preferences: 2 values x 1 source x 3 targets.
    assert len(details_table(results)) == 12 + 6
    assert len(curves_table(results)) == (12 + 6) * 6
    assert {"family", "operator", "dose", "change", "rate"} <= set(curves_table(results).columns)


def test_without_refusals_only_preferences_are_shown(results):
    only = results.where(results["kind"] == "pair").sel(kind=["pair"])
    assert measured_kinds(only) == ["pair"]
    assert [table.name for table in control_tables(only)] == [
        "control_matrix", "control_matrix_beyond", "control_effects", "control_curves",
    ]  # fmt: skip


def test_every_output_is_a_file(results, tmp_path):
    write_control_outputs(tmp_path, results)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert {"tables/control_refusal.csv", "tables/control_refusal.tex", "tables/control_curves.csv"} <= written
    assert {"figures/control_curves_harmful.svg", "figures/control_matrix.png", "answers.md"} <= written
    assert not any("partial" in name for name in written)


def test_curves_have_a_panel_per_target_and_a_line_per_source(results):
    panels = [axes for axes in dose_response(results, "harmful").axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["English", "Finnish", "Swahili"]
    lines = {line.get_label(): line.get_xydata() for line in panels[1].get_lines()}
    np.testing.assert_allclose(lines["English"], [[-1, -1], [0, 0], [1, 1]])
    np.testing.assert_allclose(lines["each language itself"], [[-1, -1.5], [0, 0], [1, 1.5]])


def test_the_matrix_has_a_number_in_every_cell(results):
    axes = control_matrix(results).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.3"] * 6


def test_examples_are_one_json_object_per_line_with_their_control_beside_them(results):
    rows = [json.loads(line) for line in to_jsonl(results).splitlines()]
    assert len(rows) == 2 * 3 * 2 * 2
    first, second = rows[:2]
    assert (first["condition"], second["condition"]) == ("plain", "add +1")
    assert first["request"] == second["request"]
    assert (first["refuses"], second["refuses"]) == (0.0, 1.0)
    assert first["perplexity"] is None


def test_text_of_a_model_cannot_break_the_page_it_is_shown_on(results):
    page = to_markdown(results)
    assert "I cannot \\| help." in page
    assert "<b>" not in page.replace("\\<b", "")
    assert "## Finnish, vector from English" in page


def test_the_terminal_shows_rates_effects_and_what_is_beyond(results, tmp_path):
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    show_control(console, results, tmp_path)
    shown = console.file.getvalue()
    assert max(map(len, shown.replace(str(tmp_path), "").splitlines())) <= 80
    assert "25/50/75" in shown
    assert "+1.00 [+0.9 +1.1]*" in shown
    assert "+0.20 [+0.1 +0.3] " in shown


def test_no_number_is_cut_off_at_80_columns(results, tmp_path):
    results["control_rate"] = results["control_rate"] * 0 + 1.0
    for name in ("control_separability", "control_calibration"):
        results[name] = results[name] * 0 + 1.0
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    show_control(console, results, tmp_path)
    shown = console.file.getvalue()
    assert shown.count("100/100/100") == 2 * len(TARGETS)
    assert "100 100" in shown
    assert "…" not in shown


def test_the_summary_is_plain_data(results, tmp_path):
    told = json.loads(json.dumps(summary(results, tmp_path)))
    assert told["dominant"] == "en"
    assert told["tables"]["control_refusal"]["fi"]["effect"] == 1.0
    assert "control_curves" not in told["tables"]
