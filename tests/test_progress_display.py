"""The progress that `polyethos run` shows."""

import io

import pytest
from rich.console import Console

from polyethos.cli.progress import Step, drawing, progress_bar, study_bar
from polyethos.study.progress import Progress, Teller


def shown(*events, width=80):
    """What the bar looks like after the events."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    bar = study_bar(console)
    observe = drawing(bar)
    for event in events:
        observe(event)
    paper = Console(file=io.StringIO(), width=width, color_system=None)
    paper.print(bar.get_renderable())
    return paper.file.getvalue()


READING = Progress("pocket-balanced", "reading hidden states: utilitarianism", 6144, 21504, reading=True)
TESTING = Progress("pocket-balanced", "testing: utilitarianism", 6144, 21504)


def test_sentences_are_counted_while_they_are_read_and_only_then():
    assert "6,144/21,504" in shown(READING)
    assert "6,144" not in shown(READING, TESTING)
    assert "testing: utilitarianism" in shown(READING, TESTING)


@pytest.mark.parametrize("width", [80, 110])
def test_the_line_fits_the_terminal_and_the_step_is_not_cut(width):
    (line,) = shown(READING, width=width).splitlines()
    assert "reading hidden states: utilitarianism" in line
    assert len(line) <= width
    assert ("pocket-balanced: " in line) == (width == 110)


def test_the_rate_is_that_of_the_step_in_hand():
    seconds = iter([0.0, 0.0, 10.0, 100.0, 100.0, 104.0])
    step = Step(clock=lambda: next(seconds))
    at = [Progress("m", name, done, 900, reading=True) for name, done in [("a", 0), ("a", 300), ("b", 300), ("b", 500)]]
    assert [step.rate(event) for event in at] == [0, 30, 0, 50]


def test_a_log_file_counts_sentences_only_where_they_are_read(capsys):
    with progress_bar(shown=True) as observe:
        for event in (READING, READING, TESTING):
            observe(event)
    assert capsys.readouterr().err.splitlines() == [
        "pocket-balanced: reading hidden states: utilitarianism (6144 of 21504 sentences read)",
        "pocket-balanced: testing: utilitarianism",
    ]


def test_a_study_says_in_which_steps_it_reads():
    seen = []
    teller = Teller(seen.append, "m", total=10)
    teller.step("reading hidden states: morality", reading=True)
    teller.within_step(4)
    teller.step("testing: morality")
    assert [(event.done, event.reading) for event in seen] == [(0, True), (4, True), (4, False)]
