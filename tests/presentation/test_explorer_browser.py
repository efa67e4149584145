"""The explorer in a real browser: every control, every script, nonsense, two users at once, accessibility.

Needs Debian's chromium, the package playwright and the extra `explore`; see test_report_browser.py for axe-core.
"""

import os
import re
import shutil
import socket
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="needs the extra explore (pip install 'polyethos[explore]')")
pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")

from explored_by_hand import KNOWN, explored
from page_layout import check, differences, layout
from playwright import sync_api as playwright
from results_by_hand import HOSTILE, study_of

from polyethos.dataset.languages import LANGUAGES
from polyethos.presentation.explorer.app import blocks, launch

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Other work on the machine makes the clock run away; a page that answers never waits this long.
PATIENCE = 120_000


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def reached():
    """Addresses beyond this machine that the server tries to reach."""
    outside, connect = [], socket.socket.connect

    def watched(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):
            outside.append(address)
            raise OSError("tests reach nothing outside")
        return connect(self, address)

    socket.socket.connect = watched
    yield outside
    socket.socket.connect = connect


@pytest.fixture(scope="module")
def address(browser, reached):
    runs = [explored(), explored("second", study_of("second", seed=1, layers=4))]
    page = blocks(runs)
    yield launch(page, port=None, wait=False)
    page.close(verbose=False)


@pytest.fixture
def opened(browser, address, reached):
    """Opens the explorer anew; fails at the end if a page logged or threw anything, or anything asked the network."""
    contexts, said = [], []

    def open_explorer(tab="Figures", **options):
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}") or dialog.dismiss())
        page.on("request", lambda sent: sent.url.startswith((address, "data:", "blob:")) or said.append(sent.url))
        page.goto(address)
        page.wait_for_selector(".heatmaplayer .hm", state="attached")
        if tab != "Figures":
            choose_tab(page, tab)
        return page

    yield open_explorer
    for context in contexts:
        context.close()
    assert said == []
    assert reached == []


def choose_tab(page, name):
    # On a phone the tabs that do not fit stand in a menu.
    rest = page.locator(".overflow-dropdown button", has_text=name)
    if rest.count():
        page.get_by_role("button", name="More tabs").click()
        rest.click()
    else:
        page.get_by_role("tab", name=name).click()
    page.locator("[role=tab][aria-selected=true]:visible", has_text=name).first.wait_for()


def choose(page, control, option):
    """Choose from one of the drop-down lists."""
    page.locator(f"#{control} input").click()
    page.get_by_role("option", name=option).first.click()


def slide(page, control, to):
    number = page.locator(f"#{control} input[type=number]")
    number.fill(str(to))
    number.press("Tab")


def ask(page, prompt):
    """Ask something new, and wait for the whole answer or the word that there is none."""
    page.locator("#prompt textarea").fill(prompt)
    # A problem with what was asked before is no answer to this.
    page.evaluate("document.querySelector('#play-said .pe-problem')?.classList.remove('pe-problem')")
    page.locator("#go").click()
    page.wait_for_function(
        """(beginning) => {
          const said = document.querySelector("#play-said");
          const read = document.querySelector("#plain .pe-prompt")?.textContent ?? "";
          const answered = read.includes(beginning) && !/Answering|Waiting/.test(said.textContent);
          return answered || said.querySelector(".pe-problem") !== null;
        }""",
        arg=prompt[:12],
    )


def wait_for(page, selector, pattern):
    playwright.expect(page.locator(selector).first).to_contain_text(
        re.compile(pattern, re.IGNORECASE), timeout=PATIENCE
    )


def answer(page, side):
    tokens = page.locator(f"#{side} .pe-answer .pe-token:not(.pe-special)").all_text_contents()
    return "".join(tokens)


def test_every_control_of_the_figures_works_once(opened):
    page = opened()
    said = "#figure-said"
    wait_for(page, said, "every value, layer chosen in training")
    choose(page, "figure-value", "Fairness")
    wait_for(page, said, "Fairness, layer chosen")
    slide(page, "figure-layer", 2)
    wait_for(page, said, "Fairness, layer 2")
    choose(page, "figure", re.compile("Transfer"))
    wait_for(page, said, "gain over the target")
    choose(page, "measure", "accuracy")
    wait_for(page, said, "pairs recognised by the source")
    choose(page, "order", "language family")
    order = page.locator(".ytick text").all_text_contents()
    first = "[...document.querySelectorAll('.ytick text')].slice(0, 3).map((text) => text.textContent)"
    page.wait_for_function(f"{first}.join() === 'English,Spanish,French'")
    assert len(order) == 32
    page.locator("#shown label", has_text="second").click()
    playwright.expect(page.locator(".js-plotly-plot:visible")).to_have_count(1, timeout=PATIENCE)
    choose(page, "figure", re.compile("Layers"))
    wait_for(page, said, "first block of the model")
    choose(page, "figure", re.compile("Similarity"))
    page.get_by_role("button", name="The numbers as a table").click()
    wait_for(page, "#figure-numbers", "Chichewa|ny")
    with page.expect_download() as started:
        page.locator("#figure-numbers .pe-save").first.click()
    assert Path(started.value.path()).read_text(encoding="utf-8-sig").startswith("source,en,")


def test_pointing_at_a_cell_tells_its_number(opened):
    page = opened()
    page.locator(".nsewdrag").first.hover(position={"x": 20, "y": 8})
    wait_for(page, ".hoverlayer", r"Morality in English.*95 % interval.*96 sentence pairs")


def test_all_languages_are_there_in_their_own_script(opened):
    page = opened()
    names = " ".join(page.locator(".ytick text").all_text_contents())
    assert [entry.autonym for entry in LANGUAGES.values() if entry.autonym not in names] == []
    choose_tab(page, "Playground")
    page.locator("#source input").click()
    offered = " ".join(page.get_by_role("option").all_text_contents())
    assert [entry.autonym for entry in LANGUAGES.values() if entry.autonym not in offered] == []


def test_every_control_of_the_playground_works_once(opened):
    page = opened("Playground")
    choose(page, "play-run", "second")
    choose(page, "play-run", "pocket-balanced")
    choose(page, "play-value", KNOWN.capitalize())
    page.locator("#layers label", has_text="3").click()
    slide(page, "strength", 0)
    ask(page, "Explain how to repair a car.")
    wait_for(page, "#play-said", "Strength 0 changes nothing")
    assert answer(page, "plain") == answer(page, "steered") != ""
    slide(page, "strength", -1)
    ask(page, "Describe how to repair a car.")
    wait_for(page, "#play-said", r"average of the answer: plain \S+, steered")
    playwright.expect(page.locator("#play-said")).not_to_contain_text("Strength 0", timeout=PATIENCE)
    before = page.locator("#steered").inner_html()
    slide(page, "colour-layer", 1)
    wait_for(page, "#play-said", "output of layer 1")
    page.locator("#zero label", has_text="average token").click()
    wait_for(page, "#play-said", "% of the layer's mean length")
    assert page.locator("#steered").inner_html() != before
    page.get_by_role("button", name="Operator, tokens, length").click()
    for name in ("ablate", "clamp", "rotate"):
        page.locator("#operator label", has_text=f"{name}:").click()
    slide(page, "target", 2)
    page.locator("#scope label", has_text="the answer's tokens").click()
    slide(page, "tokens", 5)
    page.locator("#form label", has_text="a text to go on with").click()
    choose(page, "source", re.compile("Chinese"))
    ask(page, "The teacher helped the")
    # The token that begins every text remains.
    playwright.expect(page.locator("#plain .pe-special")).to_have_count(1, timeout=PATIENCE)
    wait_for(page, "#play-said", "Chinese vector")
    page.locator("#stop").click()
    page.get_by_role("button", name="Every token in numbers").click()
    wait_for(page, "#play-numbers", "Tokens of the steered text")


def test_nonsense_gets_an_answer_or_a_clear_word_and_stays_text(opened):
    page = opened("Playground")
    page.locator("#go").click()
    wait_for(page, "#play-said .pe-problem", "prompt is empty")
    ask(page, "w" * 100_000)
    wait_for(page, "#play-said .pe-problem", "100,000 characters")
    slide(page, "strength", 0)
    for prompt in (f"{HOSTILE}\x07\u200b🙂", "${alert(1)} {{7*7}}"):
        ask(page, prompt)
        wait_for(page, "#play-said", "Strength 0")
        assert page.locator("#plain img, #plain script").count() == 0
    assert "${alert(1)} {{7*7}}" in page.locator("#plain .pe-prompt").text_content()
    choose_tab(page, "Your sentences")
    page.get_by_role("button", name="Score").click()
    wait_for(page, "#scores .pe-problem", "no sentence yet")
    page.locator("#sentences textarea").fill("ok\n" * 201)
    page.get_by_role("button", name="Score").click()
    wait_for(page, "#scores .pe-problem", "at most 200")


def test_sentences_and_files_are_scored_and_saved(opened, tmp_path):
    page = opened("Your sentences")
    page.locator("#sentences textarea").fill(f"The nurse helped the old man.\n{HOSTILE}\n老师帮助了邻居。")
    (tmp_path / "mine.txt").write_text("பூனை\n=1+1\n", encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.locator("#file").click()
    chooser.value.set_files(tmp_path / "mine.txt")
    wait_for(page, "#scores", "sentences were added")
    choose(page, "score-source", re.compile("English"))
    choose(page, "score-spoken", re.compile("Chinese"))
    slide(page, "score-layer", 4)
    page.get_by_role("button", name="Score").click()
    wait_for(page, "#scores", "threshold from Chinese sentences")
    assert page.locator("#scores table").first.locator("tbody tr").count() == 5
    assert page.locator("#scores img").count() == 0
    with page.expect_download() as started:
        page.locator("#scores .pe-save").click()
    text = Path(started.value.path()).read_text(encoding="utf-8-sig")
    assert text.startswith("sentence,Morality,")
    assert "\n'=1+1," in text
    assert "பூனை" in text


def test_runs_are_compared(opened):
    page = opened("Compare runs")
    for kind in ("Transfer", "Similarity"):
        choose(page, "compare-kind", kind)
    choose(page, "compare-value", "Toxicity")
    wait_for(page, "#compare-said", r"Toxicity, layer chosen in training: on average .* in second")
    choose(page, "compare-first", "second")
    choose(page, "compare-second", "pocket-balanced")
    wait_for(page, "#compare-said", "Blue: more in pocket-balanced")


def test_two_users_wait_for_each_other_and_keep_their_own_answers(opened):
    first, second = opened("Playground"), opened("Playground")
    for page, strength in ((first, 0), (second, -1)):
        slide(page, "strength", strength)
    for page, prompt in ((first, "Explain how to repair a car."), (second, "怎样修理汽车?")):
        page.locator("#prompt textarea").fill(prompt)
        page.locator("#go").click()
    wait_for(first, "#play-said", "Strength 0 changes nothing")
    wait_for(second, "#play-said", r"average of the answer: plain \S+, steered \S+")
    playwright.expect(second.locator("#plain .pe-prompt")).to_contain_text("怎样修理汽车", timeout=PATIENCE)
    assert "repair" in first.locator("#plain .pe-prompt").text_content()
    slide(first, "colour-layer", 2)
    wait_for(first, "#play-said", "output of layer 2")
    assert "repair" in first.locator("#steered .pe-prompt").text_content()


def test_a_user_who_leaves_keeps_nobody_waiting(opened):
    leaving = opened("Playground")
    leaving.locator("#form label", has_text="a text to go on with").click()
    leaving.locator("#prompt textarea").fill("The teacher")
    leaving.locator("#go").click()
    leaving.wait_for_selector("#steered .pe-token")
    leaving.close()
    page = opened("Playground")
    ask(page, "Explain how to repair a car.")
    wait_for(page, "#play-said", "average of the answer")


SCREENS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "is_mobile": True},
    "phone-dark": {"viewport": PHONE, "is_mobile": True, "color_scheme": "dark"},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_every_tab_has_the_structure_it_had_and_axe_finds_no_barrier(opened, screen):
    """A walk through all tabs, one for both because opening takes longest; test_report_layout.py tells of renewing."""
    axe = Path(os.environ.get("AXE_CORE", ""))
    page = opened(**SCREENS[screen])
    # Gradio makes up the other ids anew each time.
    named = 'main [id]:not([id=""], [id^=component], [id^=html-], [id^=range_id])'
    parts = f"h1, h2, .pe-plot, .js-plotly-plot, .pe-text, .pe-table, [role=tab], button, {named}"
    barriers = []
    for tab in ("Figures", "Playground", "Your sentences", "Compare runs"):
        choose_tab(page, tab)
        if tab == "Playground":
            ask(page, "Explain how to repair a car.")
            wait_for(page, "#play-said", "average of the answer")
        if tab in ("Figures", "Compare runs"):
            page.wait_for_function("[...document.querySelectorAll('.xtick')].some((tick) => tick.checkVisibility())")
        found = layout(page, parts=parts, figures=".js-plotly-plot, .pe-text")
        check(found, f"explorer-{tab.split()[0].lower()}-{screen}")
        if axe.is_file():
            page.evaluate(axe.read_text(encoding="utf-8") + "; null")
            violations = page.evaluate("axe.run().then((result) => result.violations)")
            barriers += [(tab, barrier["id"], barrier["nodes"][0]["html"][:160]) for barrier in violations]
    assert barriers == []
    page.locator("#difference .main-svg").first.evaluate("(drawn) => { drawn.style.opacity = 0; }")
    blank = layout(page, parts=parts, figures=".js-plotly-plot")
    assert [words for words in differences(blank, found) if "ink" in words] != []
    if not axe.is_file():
        pytest.skip("the structure is right; needs the path of axe-core's axe.min.js in AXE_CORE (npm pack axe-core)")
