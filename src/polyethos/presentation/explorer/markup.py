"""Text, tokens and tables as HTML for the explorer; everything that comes from users, data or models is escaped."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Characters that no HTML document may hold, and those that rearrange or hide the text around them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_WORDS = ' class="pe-words"'
# Numbers that are already written as text, with a dash for those that are missing.
_NUMBER = re.compile(r"[+−]?[\d.]+$|–$")
# Spreadsheets take cells that begin like this for formulas.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text_html(text: str) -> str:
    """Text as HTML that shows what it holds: control and direction characters become their code points."""
    seen = _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return escape(seen)


def whole_characters(text: str | None) -> str:
    """What a user typed, with a question mark for each half of a character, which neither tokenizers nor files take."""
    return (text or "").encode("utf-8", "replace").decode("utf-8")


def note(text: str, kind: str = "note") -> str:
    """A line of words for the user; `kind` "problem" says that something has to be changed."""
    return f'<p class="pe-{kind}" role="status"><bdi>{text_html(text)}</bdi></p>' if text else ""


def coloured_tokens(
    texts: Sequence[str],
    special: Sequence[bool],
    prompt: int,
    positions: Sequence[float] | NDArray[np.float64],
    *,
    reach: float,
    unit: str,
) -> str:
    """A text whose tokens are coloured: orange below 0, blue above, the stronger the closer to `reach`.

    Args:
        texts: what each token adds; an empty one shares the colour of the next.
        special: tokens of the template, shown small.
        prompt: how many tokens are the prompt.
        positions: one number per token; NaN is left without colour.
        reach: the number at which colours end.
        unit: of the numbers, for the words shown on pointing at a token.
    """
    parts: list[str] = []
    for at, (text, is_special, number) in enumerate(zip(texts, special, positions, strict=True)):
        if at == prompt:
            parts.append('</span><span class="pe-answer">')
        if text:
            parts.append(_token(text, is_special, float(number), reach, unit))
    return f'<div class="pe-text" dir="auto"><span class="pe-prompt">{"".join(parts)}</span></div>'


def legend(reach: float, unit: str, middle: str) -> str:
    """The colour scale in words."""
    ends = (f"−{reach:.3g} {unit}", f"0: {middle}", f"+{reach:.3g} {unit}")
    return '<div class="pe-legend">' + "".join(f"<span>{text_html(end)}</span>" for end in ends) + "</div>"


def table(frame: pd.DataFrame, caption: str, *, digits: int = 2, reach: float | None = None) -> str:
    """A data frame as an HTML table; with `reach`, numbers are coloured as tokens are."""
    heads = "".join(_head(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns))
    lines = []
    for label, cells in zip(frame.index, frame.itertuples(index=False, name=None), strict=True):
        shown = "".join(_cell(cell, digits, reach) for cell in cells)
        lines.append(f'<tr><th scope="row"><bdi dir="auto">{text_html(str(label))}</bdi></th>{shown}</tr>')
    corner = text_html(str(frame.index.name or ""))
    return (
        f'<div class="pe-scroll" role="region" tabindex="0" aria-label="{text_html(caption)}">'
        f'<table class="pe-table"><caption>{text_html(caption)}</caption>'
        f'<thead><tr><th scope="col">{corner}</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )


def csv_link(frame: pd.DataFrame, name: str) -> str:
    """A link that saves the data frame as CSV, without a trip to the server."""
    safe = frame if pd.api.types.is_numeric_dtype(frame.index) else frame.rename(index=_no_formula)
    text = safe.to_csv(lineterminator="\n")
    # The mark at the beginning tells spreadsheets that the file is UTF-8.
    data = base64.b64encode(text.encode("utf-8-sig", errors="replace")).decode("ascii")
    href = f"data:text/csv;charset=utf-8;base64,{data}"
    return f'<p><a class="pe-save" download="{name}.csv" href="{href}">Save as CSV</a></p>'


def reach_of(numbers: Sequence[float] | NDArray[np.float64], least: float) -> float:
    """Where colours end: beyond 95 % of the numbers, rounded up to one digit, at least `least`."""
    known = np.abs(np.asarray(numbers, dtype=float))
    known = known[np.isfinite(known)]
    if not known.size:
        return least
    far = max(float(np.quantile(known, 0.95)), least)
    step = 10.0 ** np.floor(np.log10(far))
    return float(np.ceil(far / step - 1e-9) * step)


def signed(number: float, digits: int = 2) -> str:
    """A number with its sign, and a dash for NaN; a rounded zero has no sign."""
    if not np.isfinite(number):
        return "–"
    text = f"{number:+.{digits}f}"
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def _token(text: str, special: bool, number: float, reach: float, unit: str) -> str:
    body = text_html(text).replace("\n", "↵\n")
    classes = ["pe-token", *(["pe-special"] if special else [])]
    if not np.isfinite(number):
        return f'<span class="{" ".join(classes)}">{body}</span>'
    classes.append("pe-up" if number > 0 else "pe-down")
    strength = min(1.0, abs(number) / reach)
    return (
        f'<span class="{" ".join(classes)}" style="--p:{100 * strength:.0f}%" '
        f'title="{signed(number)} {text_html(unit)}">{body}</span>'
    )


def _head(name: str, cells: pd.Series[Any]) -> str:
    """A column's heading, on the side where its cells stand."""
    return f'<th scope="col"{_WORDS if any(map(_is_words, cells)) else ""}><bdi>{text_html(name)}</bdi></th>'


def _is_words(cell: object) -> bool:
    return isinstance(cell, str) and not _NUMBER.match(cell)


def _cell(cell: object, digits: int, reach: float | None) -> str:
    if not isinstance(cell, (int, float, np.floating, np.integer)) or isinstance(cell, bool):
        return f'<td{_WORDS if _is_words(cell) else ""}><bdi dir="auto">{text_html(str(cell))}</bdi></td>'
    number = float(cell)
    words = signed(number, digits)
    if reach is None or not np.isfinite(number):
        return f"<td>{words if reach is not None else _plain(cell, digits)}</td>"
    side = "pe-up" if number > 0 else "pe-down"
    return f'<td class="{side}" style="--p:{100 * min(1.0, abs(number) / reach):.0f}%">{words}</td>'


def _plain(cell: float | np.floating[Any] | np.integer[Any], digits: int) -> str:
    if isinstance(cell, (int, np.integer)):
        return str(cell)
    return f"{cell:.{digits}f}".replace("-", "−") if np.isfinite(cell) else "–"


def _no_formula(label: object) -> str:
    text = str(label)
    return "'" + text if text.startswith(_FORMULA) else text
