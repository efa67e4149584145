"""Screenshots of the report compared by structure with the references in `layouts/`.

What may differ between machines and what may not is said in page_layout.py. After a change that is meant to be seen,
look at the page, then renew the references and read what changed in them:

    POLYETHOS_UPDATE_LAYOUT=1 pytest -m slow tests/presentation/test_report_layout.py
    POLYETHOS_UPDATE_LAYOUT=1 pytest -m slow tests/presentation/test_explorer_browser.py -k structure

Needs Debian's chromium and the package playwright.
"""

import shutil

import pytest
from control_by_hand import control_results
from page_layout import check, differences, layout
from results_by_hand import STUDY, study_of, study_with_tests, with_intervals

from polyethos.presentation.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
}
PARTS = (
    "header, section, h1, h2, h3, .figure, .map, figure:not(.curve), .chart, table, select, input, summary, .skip:focus"
)
FIGURES = ".map, .chart, table.heat"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the report of these runs as a screen shows it."""
    contexts = []

    def open_report(screen, *runs, controls=None):
        write_report(tmp_path / "report.html", [(run, STUDY) for run in runs], controls=controls)
        contexts.append(browser.new_context(**SCREENS[screen]))
        page = contexts[-1].new_page()
        page.goto((tmp_path / "report.html").as_uri())
        page.wait_for_selector("html.ready")
        return page

    yield open_report
    for context in contexts:
        context.close()


def one_model(opened, screen="light"):
    return opened(screen, with_intervals(study_of(protocol="paper")), controls=[control_results()])


def seen(page):
    return layout(page, parts=PARTS, figures=FIGURES)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_report_of_a_model_has_the_structure_it_had(opened, screen):
    check(seen(one_model(opened, screen)), f"report-{screen}")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_report_of_two_models_has_the_structure_it_had(opened, screen):
    models = study_with_tests("first"), study_with_tests("second", seed=1)
    check(seen(opened(screen, *models)), f"report-models-{screen}")


DEFECTS = {
    "a blank heatmap": ("document.querySelector('.heat').style.opacity = 0", "ink"),
    "a heatmap in one colour": (
        "for (const cell of document.querySelectorAll('.heat td')) cell.style.background = cell.style.color = 'navy'",
        "colours",
    ),
    "a blank chart": ("document.querySelector('.chart').replaceChildren()", "ink"),
    "sections in another order": (
        "document.querySelector('main').prepend(document.querySelector('#transfer'))",
        "order",
    ),
    "a section that is missing": ("document.querySelector('#consistency').hidden = true", "order"),
    "a section over another": ("document.querySelector('#transfer').style.translate = '0 -90px'", "overlap"),
    "a table that is too wide": (
        "Object.assign(document.querySelector('.short').style, {width: '1500px'}); "
        "document.querySelector('.short').parentNode.style.overflow = 'visible'",
        "too wide",
    ),
    "a heading that is cut off": (
        "Object.assign(document.querySelector('h1').style, {width: '4rem', overflow: 'hidden', whiteSpace: 'nowrap'})",
        "cut off",
    ),
    "text that has grown": (
        "document.querySelector('#short').style.fontSize = document.querySelector('.short').style.fontSize = '40px'",
        "height",
    ),
}


@pytest.mark.parametrize(("break_it", "told"), DEFECTS.values(), ids=DEFECTS)
def test_a_page_that_is_broken_on_purpose_is_told_from_a_whole_one(opened, break_it, told):
    page = one_model(opened)
    before = seen(page)
    assert differences(seen(page), before) == []
    page.evaluate(f"() => {{ {break_it} }}")
    found = differences(seen(page), before)
    assert [words for words in found if told in words] != []
