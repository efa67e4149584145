"""The explorer as a web application on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any

import gradio as gr

from polyethos.presentation.explorer import comparison_page, figures_page, playground_page, scoring_page
from polyethos.presentation.explorer.markup import text_html
from polyethos.presentation.explorer.workbench import ExploredRun, Workbench

# Events that wait; more are turned away with a message rather than kept for hours.
_LONGEST_QUEUE = 40
_FONTS = ["system-ui", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans Tamil", "Noto Sans Telugu", "Noto Sans CJK SC"]
_FILE_LIMIT = "2mb"


def blocks(runs: Sequence[ExploredRun]) -> gr.Blocks:
    """The whole page about the given runs, not yet served."""
    bench = Workbench(runs)
    page: gr.Blocks = gr.Blocks(title="polyethos explorer", analytics_enabled=False)
    with page:
        gr.HTML(_heading(runs))
        with gr.Tabs():
            with gr.Tab("Figures", id="figures"):
                figures_page.build(bench)
            with gr.Tab("Playground", id="playground"):
                playground_page.build(bench)
            with gr.Tab("Your sentences", id="sentences"):
                scoring_page.build(bench)
            with gr.Tab("Compare runs", id="compare"):
                comparison_page.build(bench)
    page.queue(max_size=_LONGEST_QUEUE, default_concurrency_limit=4, api_open=False)
    return page


def launch(page: gr.Blocks, *, port: int | None, host: str = "127.0.0.1", wait: bool = True) -> str:
    """Serve the page until the program is stopped, or, without `wait`, in the background.

    Args:
        page: from `blocks`.
        port: where to listen; None takes the first free one from 7860.
        host: the address to listen on; by default this machine only.
        wait: return only when the server stops.

    Returns:
        The page's address.
    """
    options: dict[str, Any] = {
        "theme": _theme(),
        "css": _source("explorer.css"),
        "head": f'<meta name="referrer" content="no-referrer"><script>{_source("explorer.js")}</script>',
        "footer_links": [],
    }
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=False,
        quiet=True,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        pwa=False,
        mcp_server=False,
        ssr_mode=False,
        max_file_size=_FILE_LIMIT,
        prevent_thread_lock=not wait,
        **options,
    )
    return str(address)


def _heading(runs: Sequence[ExploredRun]) -> str:
    names = ", ".join(f"<bdi>{text_html(run.name)}</bdi>" for run in runs[:4])
    more = f" and {len(runs) - 4} more" if len(runs) > 4 else ""
    return (
        f'<div class="pe-head"><h1>Human values in {names}{more}</h1><p>For each value and language, the model read '
        "pairs of sentences that differ in whether the value is upheld. A <b>vector</b> is the direction in which its "
        "hidden states move from violating to upholding. Here you can look at what was found, steer the model along a "
        "vector, and score sentences of your own. Everything runs on this machine.</p></div>"
    )


def _theme() -> gr.themes.Base:
    """Fonts of the reader's system, so that none is fetched, and blues that stand out enough."""
    blue, light = "#08519c", "#8cc8ff"
    theme: gr.themes.Base = gr.themes.Base(font=_FONTS, font_mono=["ui-monospace", "monospace"]).set(
        color_accent=blue,
        button_primary_background_fill=blue,
        button_primary_background_fill_hover="#063d76",
        button_primary_background_fill_dark=blue,
        button_primary_background_fill_hover_dark="#063d76",
        slider_color=blue,
        slider_color_dark=light,
    )
    return theme


def _source(name: str) -> str:
    return (resources.files("polyethos.presentation") / "templates" / name).read_text(encoding="utf-8")
