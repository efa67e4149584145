"""The report in a real browser: every control, every script, accessibility, hostile data, print.

Needs Debian's chromium and the package playwright; the accessibility check also needs axe-core's axe.min.js, whose path
is in the environment variable AXE_CORE (npm pack axe-core).
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from control_by_hand import control_results
from many_items_by_hand import analysed
from results_by_hand import STUDY, hostile, study_of, study_with_tests, three_languages, with_intervals

from polyethos.analysis.beside import beside
from polyethos.dataset.languages import LANGUAGES
from polyethos.presentation.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a report of the given runs; fails at the end if the page logged or threw anything, or asked the network."""
    contexts, said = [], []

    def open_report(*runs, controls=None, **options):
        write_report(tmp_path / "report.html", [(run, STUDY) for run in runs], controls=controls)
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}") or dialog.dismiss())
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or said.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector("html.ready")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert said == []


def figure(page, view):
    return page.locator(f"[data-view={view}]")


def rows(page, view, at=0):
    return figure(page, view).locator("table").nth(at).locator("tbody th").all_inner_texts()


def cell(page, view, row, column, at=0):
    return figure(page, view).locator("table").nth(at).locator("tbody tr").nth(row).locator("td").nth(column)


def slide(page, view, to):
    figure(page, view).locator("[name=layer]").fill(str(to))


def test_all_languages_are_there_in_their_own_script(opened):
    text = " ".join(rows(opened(study_of()), "recognition"))
    assert all(entry.autonym in text for entry in LANGUAGES.values())


def test_cells_show_the_numbers_of_the_results(opened):
    page = opened(three_languages())
    assert cell(page, "recognition", 0, 0).inner_text() == "90"
    assert cell(page, "recognition", 2, 0).inner_text() == "(50)"
    assert "not measured" in cell(page, "recognition", 2, 1).inner_text()
    assert cell(page, "similarity", 0, 1).inner_text() == ".80"
    assert cell(page, "transfer", 2, 0).inner_text() == "−20"


def test_pointing_at_a_cell_tells_value_language_layer_number_interval_and_count(opened):
    results = with_intervals(study_of())
    page = opened(results)
    cell(page, "recognition", 0, 0).hover()
    own = float(results["recognition"].sel(value="morality", language="en"))
    words = figure(page, "recognition").locator(".said").inner_text()
    assert words == page.locator(".tip").inner_text()
    assert re.fullmatch(
        rf"Morality in English, layers 6 to 10 \(chosen in training\): {100 * own:.1f} % recognised, "
        r"95 % interval \d+ % to \d+ %, 96 pairs",
        words,
    )


def test_what_is_undefined_is_a_question_mark_and_says_why(opened):
    page = opened(study_with_tests())
    row = rows(page, "similarity").index("Indonesian")
    assert cell(page, "similarity", row, 0).inner_text().startswith("?")
    cell(page, "similarity", row, 0).hover()
    assert "undefined: at least one vector is not told apart from noise" in page.locator(".tip").inner_text()
    figure(page, "similarity").locator("[name=measure]").select_option("raw")
    assert "?" not in cell(page, "similarity", row, 0).inner_text()
    figure(page, "similarity").locator("[name=measure]").select_option("consistency_whitened")
    cell(page, "similarity", 0, 1).hover()
    assert "noise-corrected similarity after whitening" in page.locator(".tip").inner_text()


def test_arrow_keys_move_through_the_cells_and_tell_the_same(opened):
    page = opened(three_languages())
    cell(page, "transfer", 0, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    words = figure(page, "transfer").locator(".said").inner_text()
    assert words.startswith("Vector from Swahili, used in English, mean over values")
    assert "gain −20.0 points" in words
    page.keyboard.press("ArrowUp")
    assert "French" in figure(page, "transfer").locator(".said").inner_text()


def test_languages_are_sorted_by_share_family_and_similarity(opened):
    page = opened(study_of())
    orders = {}
    for order in ("share", "family", "similarity"):
        page.select_option("#order", order)
        orders[order] = rows(page, "transfer")
    assert orders["share"][:3] == ["English", "Japanese", "Chinese"]
    assert orders["family"][:5] == ["English", "Spanish", "French", "Portuguese", "Catalan"]
    assert orders["similarity"] not in (orders["share"], orders["family"])
    assert all(sorted(order) == sorted(orders["share"]) for order in orders.values())


def test_a_value_a_number_and_a_layer_can_be_chosen(opened):
    results = with_intervals(study_of(layers=6))
    page = opened(results)
    pair = {"source": "en", "target": "ja"}
    transfer, similarity = figure(page, "transfer"), figure(page, "similarity")
    transfer.locator("[name=value]").select_option("fairness")
    transfer.locator("[name=measure]").select_option("accuracy")
    moved = float(results["transfer_accuracy"].sel(value="fairness", **pair))
    assert cell(page, "transfer", 0, 1).inner_text() == f"{100 * moved:.0f}"
    slide(page, "transfer", 6)
    deep = float(results["accuracy"].sel(value="fairness", layer=6, **pair))
    assert cell(page, "transfer", 0, 1).inner_text() == f"{100 * deep:.0f}"
    assert transfer.locator("output").inner_text() == "layer 6"
    assert transfer.locator("circle.here").count() == 1
    corrected = float(results["consistency"].sel(pair).mean())
    assert cell(page, "similarity", 0, 1).inner_text() == f"{corrected:.2f}"[1:]
    similarity.locator("[name=measure]").select_option("raw")
    assert cell(page, "similarity", 0, 1).inner_text() == f"{float(results['similarity'].sel(pair)):.2f}"[1:]
    assert similarity.locator("output").inner_text() == "layers 3 to 4, chosen in training"
    slide(page, "similarity", 3)
    raw = float(results["cosine"].sel(layer=3, **pair).mean())
    assert cell(page, "similarity", 0, 1).inner_text() == f"{raw:.2f}"[1:]
    slide(page, "recognition", 2)
    own = float(results["accuracy"].sel(value="morality", source="en", target="en", layer=2))
    assert cell(page, "recognition", 0, 0).inner_text() == f"{100 * own:.0f}"


def test_what_a_single_layer_lacks_cannot_be_chosen_there_and_returns_with_the_chosen_layer(opened):
    page = opened(study_with_tests())
    similarity = figure(page, "similarity")
    number = similarity.locator("[name=measure]")
    number.select_option("consistency_whitened")
    assert similarity.locator("output").inner_text() == "layer 7, chosen in training"
    for layer in (3, 7):
        slide(page, "similarity", layer)
        assert number.input_value() == "raw"
        assert number.locator("option:disabled").count() == 2
        assert "only the raw cosine" in similarity.locator(".about").inner_text()
        cell(page, "similarity", 0, 1).hover()
        assert f"layer {layer}: cosine" in page.locator(".tip").inner_text()
    slide(page, "similarity", 0)
    assert number.input_value() == "consistency_whitened"
    assert similarity.locator(".about").inner_text() == ""


def test_brackets_are_told_by_the_corrected_p_and_a_single_layer_has_none(opened):
    results = study_with_tests()
    results["recognition_p"] = results["recognition_p"].copy(data=[[0.0096] * 8] * 7)
    results["n_groups"] = results["n_items"].copy(data=[[16] * 8] * 7)
    results["recognition_p_family"].loc[{"value": "morality", "language": "en"}] = 0.152
    page = opened(results)
    assert "correcting for asking 55 times" in figure(page, "recognition").locator(".about").inner_text()
    cell(page, "recognition", 0, 0).hover()
    words = page.locator(".tip").inner_text()
    assert "96 pairs in 16 independent groups" in words
    assert "p 0.010 alone, 0.152 after correction for 55 combinations: not told apart from guessing" in words
    slide(page, "recognition", 1)
    assert "not tested" in figure(page, "recognition").locator(".about").inner_text()
    assert "(" not in cell(page, "recognition", 0, 0).inner_text()


def test_the_curve_over_layers_has_ticks_and_says_its_numbers(opened):
    page = opened(study_of(layers=3), study_of("deep", seed=1, layers=40))
    curves = figure(page, "recognition").locator(".curve")
    assert re.fullmatch(r"Recognised by layer, mean over languages: 1: \d+ %, 2: \d+ %, 3: \d+ %\.",
                        curves.nth(0).inner_text().splitlines()[-1].replace("\u00a0", " "))  # fmt: skip
    ticks = curves.nth(0).locator("text").all_text_contents()
    assert {"1", "2", "3", "layer"} <= set(ticks)
    assert sum(tick.endswith("%") for tick in ticks) >= 3
    assert {"10", "20", "30", "40"} <= set(curves.nth(1).locator("text").all_text_contents())
    below = curves.nth(0).bounding_box()["y"]
    table = figure(page, "recognition").locator("table").nth(0).bounding_box()
    assert below >= table["y"] + table["height"]


def test_a_gain_near_zero_for_want_of_recognition_is_said_to_be_so(opened):
    caption = figure(opened(study_of(layers=6)), "transfer").locator("figcaption")
    assert re.search(r"At layer 1 own vectors recognise only \d+ %, so that little can be lost", caption.inner_text())


def test_single_values_have_a_colour_scale_as_wide_as_their_gains(opened):
    results = three_languages()
    accuracy = [[[0.99, 0.9, 0.9], [0.9, 0.9, 0.9], [0.02, 0.9, 0.9]]] * 2
    results["transfer_accuracy"] = (("value", "source", "target"), accuracy)
    page = opened(results)
    figure(page, "transfer").locator("[name=value]").select_option("fairness")
    assert "−100 points" in figure(page, "transfer").locator(".legend").inner_text()
    assert cell(page, "transfer", 2, 0).inner_text() == "−97"
    cell(page, "transfer", 2, 0).hover()
    assert page.locator(".tip").inner_text().endswith("gain −97.0 points: 2.0 %; its own vector 99.0 %, 100 pairs")


def test_the_words_on_a_cell_leave_the_header_of_its_column_in_sight(opened):
    page = opened(study_of())
    head = figure(page, "transfer").locator("thead th").nth(5)
    place = "(one, top) => scrollBy({ top: one.getBoundingClientRect().top - top, behavior: 'instant' })"
    # With room below, and where the first row is the last thing on the screen.
    for row, top in ((0, 300), (1, 300), (15, 300), (0, 840)):
        head.evaluate(place, top)
        cell(page, "transfer", row, 4).hover()
        tip, header = page.locator(".tip").bounding_box(), head.bounding_box()
        apart = tip["y"] >= header["y"] + header["height"] or tip["y"] + tip["height"] <= header["y"]
        beside = tip["x"] >= header["x"] + header["width"] or tip["x"] + tip["width"] <= header["x"]
        assert apart or beside


def test_a_table_that_goes_on_sideways_says_so_until_its_end(opened):
    page = opened(study_of(), viewport=PHONE, is_mobile=True)
    box = figure(page, "similarity").locator(".scroll")
    assert "more" in box.get_attribute("class")
    assert "Tap a cell" in figure(page, "similarity").locator(".said").inner_text()
    box.evaluate("(box) => { box.scrollLeft = box.scrollWidth; }")
    page.wait_for_function("box => !box.classList.contains('more')", arg=box.element_handle())
    narrow = opened(three_languages()).locator("[data-view=transfer] .scroll")
    assert "wide" not in narrow.get_attribute("class")


def test_reasons_stand_below_their_numbers_and_options_stay_whole_on_a_phone(opened):
    results = study_with_tests()
    paper = beside(study_of(protocol="paper", languages=results["language"].values))
    page = opened(results.assign(paper).assign_attrs(paper.attrs), viewport=PHONE, is_mobile=True)
    number, reason = (page.locator(f".contrast td.{kind}").first.bounding_box() for kind in ("number", "why"))
    assert reason["y"] >= number["y"] + number["height"]
    assert reason["x"] + reason["width"] <= PHONE["width"]
    assert all(option.evaluate("(one) => one.getClientRects().length") == 1 for option in page.locator(".option").all())


def test_models_can_be_hidden_and_shown(opened):
    page = opened(study_of("first"), study_of("second", seed=1, layers=6))
    captions = figure(page, "recognition").locator("caption")
    assert captions.all_inner_texts() == ["first", "second"]
    page.locator("[name=run]").nth(0).uncheck()
    assert captions.all_inner_texts() == ["second"]
    page.locator("[name=run]").nth(1).uncheck()
    assert captions.count() == 0
    page.locator("[name=run]").nth(0).check()
    assert captions.all_inner_texts() == ["first"]


def test_a_layer_that_a_model_lacks_is_shown_as_not_measured(opened):
    page = opened(study_of("deep", layers=12), study_of("shallow", layers=6))
    slide(page, "recognition", 12)
    assert "not measured" in cell(page, "recognition", 0, 0, at=1).inner_text()
    assert "not measured" not in cell(page, "recognition", 0, 0, at=0).inner_text()


def test_colours_follow_the_chosen_theme(opened):
    page = opened(three_languages(), color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.select_option("#theme", "light")
    assert page.evaluate(background) != dark
    page.select_option("#theme", "dark")
    assert page.evaluate(background) == dark


def test_everything_folded_opens_and_tables_can_be_saved(opened, tmp_path):
    page = opened(study_of(protocol="paper"))
    for part in page.locator("summary").all():
        part.click()
    assert page.locator("details:not([open])").count() == 0
    with page.expect_download() as started:
        page.locator("a[download='recognition.csv']").click()
    started.value.save_as(tmp_path / "saved.csv")
    assert (tmp_path / "saved.csv").read_text(encoding="utf-8").startswith("language,morality")


def test_every_question_of_the_summary_leads_to_its_answer(opened):
    page = opened(three_languages())
    for link in page.locator("#short a").all():
        link.click()
        assert page.locator(page.evaluate("location.hash")).is_visible()


@pytest.mark.parametrize("runs", [1, 3])
def test_a_phone_scrolls_down_but_never_sideways(opened, runs):
    models = [study_of(f"an-organisation/model-{i}-with-a-long-name-70B-instruct", seed=i) for i in range(runs)]
    page = opened(*models, viewport=PHONE, is_mobile=True)
    for part in page.locator("summary").all():
        part.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_negative_number_on_the_page_has_a_true_minus(opened):
    negative = study_with_tests("first")
    for name in ("transfer_gain", "consistency", "similarity", "relation", "one_way_excess", "transfer_excess"):
        negative[name] = -abs(negative[name]) - 0.01
    paper = beside(study_of(protocol="paper", languages=negative["language"].values))
    page = opened(negative.assign(paper).assign_attrs(paper.attrs), study_with_tests("second", seed=1),
                  controls=[control_results(), None])  # fmt: skip
    for part in page.locator("summary").all():
        part.click()
    page.locator("#provenance").evaluate("(record) => record.remove()")
    shown = page.locator("body").inner_text()
    assert re.findall(r".{20}(?<![\w-])-\.?\d.{10}", shown) == []
    assert len(re.findall(r"−\.?\d", shown)) > 50


def test_print_opens_what_is_folded_and_folds_it_again(opened, tmp_path):
    page = opened(study_of(), color_scheme="dark")
    folded = "document.querySelectorAll('details:not([open])').length"
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.folded = {folded}; }})")
    page.pdf(path=tmp_path / "report.pdf", format="A4", print_background=True)
    assert page.evaluate("window.folded") == 0
    assert page.locator("details:not([open])").count() > 0
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("items", [96, 10_000])
def test_hostile_data_open_safely_in_less_than_two_seconds(opened, tmp_path, items):
    # Seven values in 16 languages by hand, and a study that has all its items.
    results = hostile() if items == 96 else analysed(tmp_path, items=items)
    page = opened(results)
    # Processor time of the page, because other work on the machine makes the clock run away.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    spent = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    assert spent["ProcessTime"] < 2
    assert page.title().startswith("Human values in </script>")
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
    cell(page, "recognition", 0, 0).hover()
    assert f"{items} pairs" in page.locator(".tip").inner_text()
    for control in page.locator("select").all():
        for at in range(control.locator("option").count()):
            control.select_option(index=at)


@pytest.mark.parametrize(
    "options",
    [{}, {"color_scheme": "dark"}, {"viewport": PHONE, "is_mobile": True}],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_no_barrier(opened, options):
    axe = Path(os.environ.get("AXE_CORE", ""))
    if not axe.is_file():
        pytest.skip("needs the path of axe-core's axe.min.js in AXE_CORE (npm pack axe-core)")
    runs = with_intervals(study_of(protocol="paper")), study_with_tests("first"), study_with_tests("second", seed=1)
    page = opened(*runs, controls=[None, control_results(), None], **options)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    page.evaluate(axe.read_text(encoding="utf-8") + "; null")
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then((result) => result.violations)")
    assert [(barrier["id"], barrier["nodes"][0]["html"][:200]) for barrier in found] == []
