"""The report as a file: self-contained, escaped, valid."""

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from many_items_by_hand import analysed
from results_by_hand import HOSTILE, STUDY, hostile, study_of, study_with_tests, three_languages, with_intervals

from polyethos.analysis.beside import beside
from polyethos.dataset.languages import LANGUAGES
from polyethos.errors import RunError
from polyethos.presentation.report import render, write_report
from polyethos.presentation.studied import Example, described


class Page(HTMLParser):
    """Tags, text outside scripts, scripts, and the elements that hold right-to-left overrides."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.scripts, self.turned_in, self._inside = [], "", [], set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if "\u202e" in data:
            self.turned_in.add(self._inside)
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def links(self):
        return [attributes["href"] for _, attributes in self.tags if "href" in attributes]


def page(*runs):
    return Page(render([(run, STUDY) for run in runs]))


def test_a_report_of_one_model_answers_every_question_and_says_how_to_measure_the_rest():
    text = page(three_languages()).text
    assert "Human values in tiny_model" in text
    assert "In 4 of 5 combinations" in text
    assert "7.0 points better" in text
    assert "polyethos control RUN" in text
    assert "polyethos run study.toml" in text


def test_equal_shares_are_offered_as_the_fixed_order_they_are():
    equal = three_languages().assign(pretraining_share=("language", [25.0, 25.0, 25.0]))
    assert "fixed order (all shares equal)" in page(equal).text
    assert "fixed order" not in page(equal, three_languages()).text


def test_what_is_for_machines_alone_is_a_link_and_folds_nothing():
    made = page(with_intervals(study_of()))
    assert "CSV: recognition details" in made.text
    assert "Table: recognition details" not in made.text
    assert "recognition_details.csv" in {attributes.get("download") for _, attributes in made.tags}


def test_options_of_commands_are_kept_whole_and_nothing_else_is_touched():
    html = render([(study_of("a --b <code> --c"), STUDY)])
    assert '<code>polyethos run <span class="option">--protocol</span> paper</code>' in html
    assert "--b &lt;code&gt; --c" in html


def test_all_languages_are_named_in_their_own_script():
    text = page(study_of()).text
    assert all(entry.autonym in text for entry in LANGUAGES.values())


def test_autonyms_carry_their_language_so_that_the_right_font_is_chosen():
    marked = {attributes["lang"] for tag, attributes in page(study_of()).tags if tag == "span" and "lang" in attributes}
    assert marked == set(LANGUAGES)


def test_nothing_is_loaded_from_anywhere():
    made = page(study_of(), study_of("other", seed=1))
    assert all(link.startswith(("#", "data:")) for link in made.links())
    assert not [tag for tag, attributes in made.tags if "src" in attributes or tag in ("link", "iframe", "object")]
    assert "url(" not in render([(study_of(), STUDY)])


def test_only_the_page_s_own_script_may_run():
    made = page(three_languages())
    policy = next(a["content"] for tag, a in made.tags if tag == "meta" and "http-equiv" in a)
    digest = base64.b64encode(hashlib.sha256(made.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_every_table_can_be_saved():
    made = page(with_intervals(study_of(protocol="paper")))
    saved = {a["download"]: a["href"] for tag, a in made.tags if tag == "a" and "download" in a}
    assert {"recognition.csv", "similarity.csv", "transfer_gain.csv", "linguistic.csv", "pairs.csv"} <= set(saved)
    content = base64.b64decode(saved["recognition.csv"].split(",", 1)[1]).decode()
    assert content.startswith("language,morality,deontology")
    assert json.loads(base64.b64decode(saved["study.json"].split(",", 1)[1])) == STUDY


def test_strings_from_data_and_models_never_become_markup():
    html = render([(hostile(), {"study": {"data": HOSTILE}, HOSTILE: HOSTILE})])
    made = Page(html)
    assert len(made.scripts) == 2
    assert "img" not in {tag for tag, _ in made.tags}
    assert html.count("<script") == 2
    assert json.loads(made.scripts[0])["runs"][0]["name"] == HOSTILE
    assert "11106" not in made.text


def test_the_text_direction_of_data_stays_inside_it():
    made = page(hostile())
    # A preformatted block and the title are elements of their own, and the scripts isolate what they show.
    assert made.turned_in - {"bdi", "pre", "title", "script"} == set()
    assert "bdi" in made.turned_in


def test_several_models_stand_side_by_side_with_a_box_for_each():
    made = page(study_of("first"), study_of("second", seed=1))
    boxes = [a for tag, a in made.tags if tag == "input" and a.get("type") == "checkbox"]
    assert [box["value"] for box in boxes] == ["0", "1"]
    assert "The models side by side" in made.text
    assert "Paper against corrected" not in made.text


def test_models_tested_on_the_same_items_are_compared_with_intervals():
    made = page(study_with_tests("first"), study_with_tests("second", seed=1))
    assert "What differs beyond the luck of the items" in made.text
    charts = [a["aria-label"] for tag, a in made.tags if tag == "svg" and a.get("class") == "chart"]
    # The last one is about mixtures of languages, whatever the models.
    assert len(charts) == 8 + 1
    assert "Recognition accuracy (%) by share of the pre-training data" in charts
    assert "Source of the shares: share of public web pages" in made.text


def test_models_tested_on_other_items_are_not_compared_and_the_page_says_why():
    other = study_with_tests("second", seed=1)
    other["resampling_key"] = other["resampling_key"] + 1
    text = page(study_with_tests("first"), other).text
    assert "No intervals of differences: models: second has bootstrap samples" in text


def test_both_protocols_of_a_model_are_compared():
    text = page(study_of(), study_of(protocol="paper", seed=1)).text
    assert "Paper (Xu et al. 2024) against corrected" in text
    assert "why they differ" in text


def test_one_run_has_both_protocols_and_the_papers_claims_judged_in_words():
    results = study_with_tests()
    paper = beside(study_of(protocol="paper", languages=results["language"].values))
    text = page(results.assign(paper).assign_attrs(paper.attrs)).text
    assert "The claims of Xu et al. 2024, one by one" in text
    for words in (
        "“The concepts are inconsistent across languages.”",
        "each at the layer where it is largest",
        "Freed of noise",
    ):
        assert words in text


def test_figures_appear_only_where_there_is_something_to_draw():
    views = [a["data-view"] for _, a in page(three_languages().drop_vars("transfer_gain")).tags if "data-view" in a]
    assert views == ["recognition", "similarity"]


@pytest.mark.parametrize("variables", [["recognition", "n_items"], ["similarity"], []])
def test_incomplete_results_still_make_a_page(variables):
    results = three_languages()
    made = page(results[variables] if variables else results.drop_vars(list(results.data_vars)))
    assert "Not measured in this run" in made.text


@pytest.mark.slow
def test_nine_deep_models_stay_below_eight_megabytes():
    runs = [(study_of(f"model-{i}", layers=80, seed=i), STUDY) for i in range(9)]
    assert len(render(runs).encode()) < 8_000_000


def test_the_page_grows_with_languages_and_values_but_not_with_the_items_studied(tmp_path):
    few, many = (
        len(render([(analysed(tmp_path / str(items), items=items), STUDY)]).encode()) for items in (100, 10_000)
    )
    assert abs(many - few) < 2_000
    assert many < 8_000_000


def test_the_file_appears_whole_and_alone(tmp_path):
    write_report(tmp_path / "report.html", [(three_languages(), STUDY)])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_needs_a_run(tmp_path):
    with pytest.raises(RunError, match="at least one finished run"):
        write_report(tmp_path / "report.html", [])


@pytest.mark.parametrize("results", [three_languages(), hostile(("en", "ta", "zh"))])
def test_the_page_is_well_formed(results):
    html5lib = pytest.importorskip("html5lib", reason="needs html5lib, which reads HTML as browsers do")
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(render([(results, STUDY), (results, {})]))
    assert parser.errors == []


def test_every_id_is_used_once_and_every_link_inside_the_page_leads_somewhere():
    made = page(study_of())
    ids = [a["id"] for _, a in made.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in made.links() if link.startswith("#")} <= set(ids)


def test_what_was_studied_stands_before_the_answers_with_a_pair_of_each_value():
    pair = Example("fairness", "en", "Judged by <work>.", "Judged by origin.")
    html = render([(described(three_languages(), "A & toy.", "", (pair,)), STUDY)])
    assert html.index("A &amp; toy.") < html.index("Judged by &lt;work&gt;.") < html.index('id="short"')
    assert "rests on 100 pairs" in html


def test_commands_of_the_page_name_its_run_folder():
    html = render([(three_languages(), STUDY)], folders=[Path("runs/one")])
    assert "polyethos control runs/one" in html
    assert "polyethos explore runs/one" in html
    assert "RUN</code>" not in html


def test_a_verdict_with_a_reservation_says_so_beside_its_badge_and_numbers_stand_in_a_table():
    results = study_with_tests()
    page = Page(render([(results.assign(recognition_excess_low=results["recognition_excess_low"] * 0 - 0.1), STUDY)]))
    assert "length or words alone do as well" in page.text
    assert "smallest detectable" in page.text
