"""The explorer without a browser: what is said, coloured and scored, and that nothing breaks out."""

import base64
import copy
import dataclasses
import re
import threading

import html5lib
import numpy as np
import pandas as pd
import pytest

pytest.importorskip("gradio", reason="needs the extra explore (pip install 'polyethos[explore]')")

from explored_by_hand import KNOWN, explored, pocket
from results_by_hand import HOSTILE, LANGUAGES, VALUES, hostile, study_of, three_languages, with_intervals

from polyethos.cli import exploring as command
from polyethos.control.generation import generate_answers
from polyethos.dataset.languages import LANGUAGES as TABLE
from polyethos.errors import DataError, MissingDependencyError, SteeringError, UnknownNameError
from polyethos.presentation.explorer import comparison_page, figures_page, playground_page, scoring_page
from polyethos.presentation.explorer.charts import curves, heatmap
from polyethos.presentation.explorer.markup import (
    coloured_tokens,
    csv_link,
    legend,
    note,
    reach_of,
    signed,
    table,
    text_html,
)
from polyethos.presentation.explorer.playing import (
    BY_MEAN,
    BY_PAIRS,
    DIALOGUE,
    TEXT,
    Wish,
    colouring,
    play,
    shown,
    template_for,
)
from polyethos.presentation.explorer.scoring import score, sentences_of, text_of_file
from polyethos.presentation.explorer.workbench import Workbench
from polyethos.presentation.views import view

NONSENSE = [
    HOSTILE,
    "\x00\x07\x1b[31m\u200b\u202e\u2066",
    "🙂🏳️‍🌈👩‍👩‍👧",
    "${alert(1)} {{7*7}} <%= 1 %>",
    "w" * 3999,
]


def valid(markup):
    html5lib.HTMLParser(strict=True).parseFragment(markup)
    return markup


def saved(markup):
    return base64.b64decode(re.search(r"base64,([^\"]+)", markup)[1]).decode("utf-8-sig")


@pytest.mark.parametrize("text", NONSENSE)
def test_whatever_is_typed_stays_text(text):
    frame = pd.DataFrame({text: [0.5], "words": [text]}, index=pd.Index([text], name=text))
    for markup in (
        note(text),
        table(frame, text),
        coloured_tokens([text], [False], 0, [1.0], reach=2, unit=text),
        legend(1, text, text),
    ):
        valid(markup)
        assert "<script" not in markup
        assert "<img" not in markup


def test_characters_that_turn_or_hide_text_are_shown_as_their_code():
    assert text_html("a\u202eb\x00<") == "a[U+202E]b[U+0000]&lt;"


def test_tokens_are_blue_above_nought_and_orange_below_and_strongest_at_the_reach():
    markup = valid(
        coloured_tokens(["<s>", "a", "b", "c"], [True, False, False, False], 2, [np.nan, 1, -4, 0.5], reach=2, unit="u")
    )
    assert 'class="pe-token pe-special">&lt;s&gt;' in markup
    assert 'class="pe-token pe-up" style="--p:50%" title="+1.00 u">a' in markup
    assert 'class="pe-token pe-down" style="--p:100%" title="−4.00 u">b' in markup
    assert markup.index("pe-answer") < markup.index(">b<")


def test_colours_end_beyond_most_numbers_and_never_below_the_least():
    assert reach_of([0.1, -0.2, np.nan], 2.0) == 2.0
    assert reach_of(np.linspace(-33, 33, 1001), 2.0) == 40.0
    assert reach_of([np.nan], 2.0) == 2.0


def test_a_rounded_nought_has_no_sign():
    assert [signed(x) for x in (-0.001, 0.5, -0.5, float("nan"))] == ["0.00", "+0.50", "−0.50", "–"]


def test_a_saved_table_starts_no_formula_in_a_spreadsheet():
    frame = pd.DataFrame({"score": [1.0, 2.0]}, index=pd.Index(['=HYPERLINK("x")', "plain"], name="sentence"))
    assert saved(csv_link(frame, "scores")).splitlines()[1:] == ['"\'=HYPERLINK(""x"")",1.0', "plain,2.0"]


def test_pointing_at_a_cell_tells_value_languages_layer_number_interval_and_count():
    results = with_intervals(study_of())
    told = heatmap(view(results, "recognition")).data[0].customdata
    assert re.fullmatch(
        r"Morality in English<br>every value, layer chosen in training<br>[\d.]+ %<br>"
        r"95 % interval [\d.]+ % to [\d.]+ %<br>96 sentence pairs",
        told[0][0],
    )
    assert told[0][-1].startswith("Mean over values in English")
    moved = heatmap(view(three_languages(), "transfer")).data[0].customdata
    assert moved[2][0].startswith("Swahili used in English<br>mean over values")
    assert "−20.0 points" in moved[2][0]


def test_hostile_labels_stay_text_in_the_figures():
    for kind in ("recognition", "similarity", "transfer"):
        text = heatmap(view(hostile(), kind)).to_json()
        assert "<img" not in text
        assert "\\u003cimg" not in text
        assert "\u202e" not in text
    assert "<img" not in curves(hostile(), "recognition").to_json()


def test_every_language_is_named_in_its_own_script_in_the_figure():
    names = " ".join(heatmap(view(study_of(), "recognition")).layout.yaxis.ticktext)
    assert all(TABLE[code].autonym in names for code in LANGUAGES)


def test_a_run_that_lacks_what_is_asked_for_says_so_and_the_others_are_drawn():
    runs = [explored("one"), explored("two", three_languages())]
    said, first, second, numbers = figures_page._drawn(
        runs, "Transfer: does one language's vector work in another?", "toxicity", "share of pre-training", "gain", 2,
        ["one", "two"],
    )  # fmt: skip
    assert "two: results: unknown value" in valid(said)
    assert (first["visible"], second["visible"]) == (True, False)
    assert numbers.count("<table") == 1


def test_layers_are_drawn_as_a_line_per_value():
    (_, plot, _) = figures_page._drawn(
        [explored()], "Layers: where in the model is the value read?", "", "share of pre-training", "accuracy", 0,
        ["pocket-balanced"],
    )  # fmt: skip
    assert len(plot["value"].data) == len(VALUES)


def test_two_runs_are_compared_by_their_differences():
    bench = Workbench([explored("one"), explored("two", study_of("two", seed=3, layers=4))])
    said, plot = comparison_page._compared(bench, "Similarity", "", "one", "two")
    assert "on average" in valid(said)
    assert "cosine of concept vectors" in said.lower()
    assert plot["visible"]
    assert comparison_page._overview(bench).count("<table") >= 3


WISH = Wish(prompt="Explain how to repair a car.", value=KNOWN, source="en", layers=(3,), strength=-0.3, tokens=8)


def played(wish, run=None):
    run = run or explored()
    return [*play(Workbench([run]), run, wish)]


def change(**fields):
    from dataclasses import replace

    return replace(WISH, **fields)


def test_both_answers_grow_token_by_token():
    outcomes = played(WISH)
    lengths = [len(outcome.plain.texts) for outcome in outcomes]
    assert lengths == sorted(lengths)
    assert len(outcomes) > 3
    assert outcomes[-1].plain.finished
    assert outcomes[-1].steered.projections[0, 2] == pytest.approx(outcomes[-1].plain.projections[0, 2] - 30, abs=0.01)


def test_strength_nought_is_said_to_change_nothing_and_changes_nothing():
    outcome = played(change(strength=0.0))[-1]
    plain, steered, said, numbers = shown(outcome, 3, BY_PAIRS)
    assert plain == steered
    assert "Strength 0 changes nothing" in said
    assert [*map(valid, (plain, said, numbers))]


@pytest.mark.parametrize("operator", ["add", "ablate", "clamp", "rotate"])
@pytest.mark.parametrize("scope", ["all", "generated"])
def test_every_operator_and_scope_can_be_played(operator, scope):
    outcome = played(change(operator=operator, scope=scope, strength=1.0, layers=(2, 3), tokens=2))[-1]
    assert outcome.steered.finished


def test_clamping_puts_the_projection_at_its_place_on_the_scale():
    outcome = played(change(operator="clamp", strength=1.0, target=-1.0, layers=(4,), tokens=1))[-1]
    colours = colouring(outcome, 4, BY_PAIRS)
    assert colours.steered[: outcome.steered.prompt] == pytest.approx(-1, abs=0.01)


def test_a_layer_that_tells_the_sides_badly_apart_has_no_scale_and_says_so():
    outcome = played(change(value="morality", tokens=1))[-1]
    colours = colouring(outcome, 1, BY_PAIRS)
    assert colours.unit == "% of the layer's mean length"
    content = ~np.array(outcome.plain.special)
    assert np.nanmean(colours.plain[content]) == pytest.approx(0, abs=1e-3)
    assert "guessing: 50 %" in colours.remark
    assert colouring(outcome, 1, BY_MEAN).remark == ""


def test_without_the_runs_sentences_the_playground_goes_on_without_a_scale():
    def gone():
        raise DataError("pairs.csv: cannot be read")

    run = explored(load_pairs=gone)
    outcome = played(change(tokens=1), run)[-1]
    assert "pairs.csv: cannot be read" in shown(outcome, 3, BY_PAIRS)[2]
    with pytest.raises(SteeringError, match="choose another operator"):
        played(change(operator="clamp"), run)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"prompt": " \n"}, "empty"),
        ({"prompt": "w" * 100_000}, "100,000 characters.*at most 4,000"),
        ({"layers": ()}, "No layer"),
    ],
)
def test_wishes_that_cannot_be_fulfilled_are_answered_with_what_to_change(wish, message):
    with pytest.raises((DataError, SteeringError), match=message):
        played(change(**wish))
    fields = change(**wish)
    *_, last = playground_page._answers(
        Workbench([explored()]), "pocket-balanced", fields.prompt, DIALOGUE, KNOWN, "en", list(fields.layers), "add",
        0.1, 0, "all", 4, 3, BY_PAIRS,
    )  # fmt: skip
    assert "pe-problem" in valid(last[3])


@pytest.mark.parametrize("prompt", [*NONSENSE[:4], "\ud800 half a character"])
def test_nonsense_is_answered_like_anything_else(prompt):
    outcome = played(change(prompt=prompt, tokens=2))[-1]
    for part in shown(outcome, 3, BY_PAIRS):
        assert "<script" not in valid(part)


def test_an_abandoned_stream_leaves_the_model_free_and_unchanged():
    run = explored()
    bench = Workbench([run])
    before = generate_answers(pocket(), ["Hello"], max_new_tokens=4)
    stream = play(bench, run, change(strength=3.0))
    next(stream)
    threading.Thread(target=stream.close).start()
    with bench.model(run) as model:
        assert generate_answers(model, ["Hello"], max_new_tokens=4) == before


def test_a_request_stands_in_the_models_form_for_requests_and_a_text_alone():
    assert template_for(pocket(), DIALOGUE)[0].around("Hi") == "<|user|>Hi<|assistant|>"
    assert template_for(pocket(), TEXT)[0].around("Hi") == "Hi"
    # A chat model whose run read bare sentences is still asked in its own form.
    chatting = copy.deepcopy(pocket().tokenizer)
    chatting.chat_template = "{% for message in messages %}[{{ message['content'] }}]{% endfor %}"
    asked = dataclasses.replace(pocket(), tokenizer=chatting)
    assert asked.reading_template.text == "{input}"
    assert template_for(asked, DIALOGUE)[0].around("Hi") == "[Hi]"


def test_the_sentences_of_a_file_are_put_below_those_that_were_written(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("\ufefffrom the file\r\n\n", encoding="utf-8")
    text, said = scoring_page._with_file("one\n\n two ", str(file))
    assert sentences_of(text) == ["one", "two", "from the file"]
    assert "added" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sentence yet"),
        ("x\n" * 201, "201 sentences.*at most 200"),
        ("ok\n" + "w" * 100_000, "Sentence 2 has 100,000"),
    ],
)
def test_too_much_or_nothing_to_score_is_said(text, message):
    with pytest.raises(DataError, match=message):
        sentences_of(text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="no text in UTF-8"):
        text_of_file(str(tmp_path / "image.png"))
    assert "pe-problem" in scoring_page._with_file("", str(tmp_path / "image.png"))[1]


def test_a_sentence_is_scored_on_every_value_and_known_sides_come_out_on_their_sides():
    run = explored()
    known = [pair for pair in run.load_pairs() if (pair.value, pair.language) == (KNOWN, "en")]
    texts = [known[0].positive, known[0].negative, known[1].positive, known[1].negative]
    found = score(Workbench([run]), run, texts, source="en", spoken="en", layer=4)
    scores = found.scores["Harmfulness"].to_numpy()
    assert list(found.scores.columns) == [value.capitalize() for value in VALUES]
    assert scores[0] > scores[1]
    assert scores[2] > scores[3]
    assert found.context.loc["Harmfulness", "single sentences told right"].endswith("of 32")


def test_a_value_whose_layer_cannot_tell_is_not_scored():
    run = explored(load_pairs=lambda: explored().load_pairs())
    found = score(Workbench([run]), run, ["anything"], source="sw", spoken="en", layer=1)
    badly = ["not scored" in words for words in found.context["single sentences told right"]]
    assert any(badly)
    assert np.isnan(found.scores.to_numpy()[0][badly]).all()


def test_protocol_paper_steers_no_layer_after_the_final_norm():
    run = explored(results=study_of("m", layers=4, protocol="paper"))
    assert run.layers == [1, 2, 3, 4]
    assert run.steerable_layers == [1, 2, 3]


def test_without_the_package_the_command_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'polyethos\[explore\]'"):
        command.explore([tmp_path])


def test_an_unknown_model_is_answered_with_the_known_ones(monkeypatch, tmp_path):
    import polyethos.study as study

    class Finished:
        results, models = three_languages(), {}

    monkeypatch.setattr(study, "open_run", lambda path: Finished())
    with pytest.raises(UnknownNameError, match="did you mean 'tiny_model'"):
        command.explored_runs([tmp_path], ["tiny_modl"])
