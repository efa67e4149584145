"""The look shared by all figures: widths of a paper's columns, colours that colour-blind readers tell apart, files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from polyethos.files import whole_file

# Inches; the column and the text width of the ACL style, which NeurIPS and ICLR pages also hold.
COLUMN, PAGE = 3.03, 6.30
PNG_DOTS_PER_INCH = 220
_SCREEN_DOTS_PER_INCH = 144

# Okabe and Ito's palette, without its yellow, which is too light for thin lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
DIVERGING = "RdBu"
GREY, PALE = "#8a8a8a", "#b9d3e6"

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "lines.linewidth": 1.1,
    "hatch.linewidth": 0.4,
    # Text stays text in SVG, and equal results give equal files.
    "svg.fonttype": "none",
    "svg.hashsalt": "polyethos",
    # Names of models are shown as they are, not read as mathematics.
    "text.parse_math": False,
}


@contextmanager
def settings() -> Iterator[None]:
    """Draw and save with these settings, and leave matplotlib's own as they were."""
    with mpl.rc_context(_SETTINGS):
        yield


class PaperFigure(Figure):
    """A figure that notebooks show although pyplot, which would tell them how, knows nothing of it."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        with settings():
            self.savefig(content, format="png", dpi=_SCREEN_DOTS_PER_INCH)
        return content.getvalue()


def blank(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, independent of matplotlib's global state."""
    figure = PaperFigure(figsize=(width, height), dpi=PNG_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write the figure as `<name>.svg` and `<name>.png` to `folder`, each whole or not at all."""
    paths = [folder / f"{name}.svg", folder / f"{name}.png"]
    with settings():
        # The layout is found twice, because tick labels may change with the size of the axes, and then kept.
        for _ in range(2):
            figure.draw_without_rendering()
        # With any engine, even one that does nothing, matplotlib would draw everything once more for each file.
        figure.set_layout_engine(None)
        for path in paths:
            metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            with whole_file(path) as temporary:
                figure.savefig(temporary, dpi="figure", metadata=metadata)
    return paths


def hide_frame(axes: Axes) -> None:
    """Take away the frame and the tick marks, which a heatmap does not need."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
