"""What is printed after a run."""

import io
import re
from pathlib import Path

import pytest
import xarray as xr
from results_by_hand import study_of, study_with_tests, three_languages
from rich.cells import cell_len
from rich.console import Console

from polyethos.analysis.beside import beside
from polyethos.presentation.studied import described
from polyethos.presentation.terminal import RecognitionTable, comparison, show_run, summary


def printed(renderable, width=80, **options):
    console = Console(file=io.StringIO(), width=width, **options)
    console.print(renderable)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_nothing_is_wider_than_the_terminal(width):
    runs = [study_of(), study_of("a-very-long-model-name-that-will-not-fit-on-one-line-of-80-columns-70B-instruct")]
    text = printed(summary(study_of(protocol="paper")), width) + printed(comparison(runs), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_a_narrow_terminal_shows_all_values_and_languages_uncut():
    text = printed(RecognitionTable(study_of()))
    assert "…" not in text
    assert all(
        short in text for short in ("moral.", "deont.", "utilit.", "fairn.", "truthf.", "toxic.", "harmf.", "mean")
    )
    assert "Vietnamese vi" in text


@pytest.mark.parametrize("width", [80, 100, 110, 112, 114, 116, 118, 120])
def test_names_are_shown_whole_or_short_but_never_cut(width):
    text = printed(RecognitionTable(study_of()), width)
    assert "…" not in text
    assert "Portuguese pt" in text
    assert ("Utilitarianism" in text) != ("utilit." in text)


def test_a_wide_terminal_shows_full_names():
    assert "Utilitarianism" in printed(RecognitionTable(study_of()), 140)


def test_without_colour_brackets_mark_what_guessing_could_reach():
    text = printed(RecognitionTable(three_languages()), no_color=True)
    row = next(line for line in text.splitlines() if "Swahili" in line)
    assert row.split() == ["Swahili", "sw", "(50)", "–", "50"]
    assert "guessing gives 50" in text


def test_colour_grows_with_the_distance_from_chance():
    text = printed(RecognitionTable(three_languages()), force_terminal=True, color_system="standard")
    for colour, number in (("1;94", "90"), ("36", "60"), ("2", r"\(50\)")):
        assert re.search(rf"\x1b\[{colour}m *{number}", text)


def test_each_measured_question_has_its_line_and_the_others_their_command():
    text = " ".join(printed(summary(three_languages())).split())
    assert "Does the model hold these value concepts? Mostly." in text
    assert "high-resource -> others +7.0" in text
    assert "(polyethos control RUN)" in text


def test_markup_in_names_is_shown_not_obeyed():
    hostile = three_languages().assign_attrs(model="[bold]x[/bold] [link=http://a]b[/link]")
    assert "[bold]x[/bold]" in printed(summary(hostile))
    assert "[bold]x[/bold]" in printed(comparison([hostile, hostile]), 200)


def test_a_run_ends_with_where_its_report_is():
    console = Console(file=io.StringIO(), width=80)
    show_run(console, three_languages(), Path("runs/one"))
    assert str(Path("runs/one/report.html")) in console.file.getvalue()


def test_joined_results_of_several_models_are_compared():
    labels = xr.IndexVariable("model", ["a", "b"])
    joined = xr.concat([three_languages(), three_languages()], dim=labels, combine_attrs="drop_conflicts")
    console = Console(file=io.StringIO(), width=80)
    show_run(console, joined, Path("x"))
    rows = [line.split() for line in console.file.getvalue().splitlines()]
    assert ["b", "69", "0.47", "+7.0", "−11.0"] in rows


def test_both_protocols_and_the_verdict_on_each_claim_are_printed_short():
    results = study_with_tests()
    paper = beside(study_of(protocol="paper", languages=results["language"].values))
    text = printed(summary(results.assign(paper).assign_attrs(paper.attrs)))
    lines = [line.strip() for line in text.splitlines()]
    (recognised,) = (line.split() for line in lines if line.startswith("recognition accuracy, mean"))
    assert recognised[-4:][1] == recognised[-1] == "%"
    (one_way,) = (line for line in lines if line.startswith("Transfer runs one way"))
    assert one_way.split()[-1] in ("supported", "part", "contradicted", "open")
    assert "the paper's claim" not in printed(summary(three_languages()))


def test_the_terminal_says_what_was_studied_and_names_the_run_folder_in_commands():
    results = described(three_languages(), "tiny_model is a toy.", "", ())
    console = Console(file=io.StringIO(), width=200)
    show_run(console, results, Path("runs/one"))
    assert "tiny_model is a toy. The number of one value in one language rests on 100 pairs." in console.file.getvalue()
    assert "(polyethos control runs/one)" in console.file.getvalue()
