"""How the labels and numbers of a table are shown to people."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE
from polyethos.presentation.labels import language_name, value_name

Unit = Literal["percent", "points", "plain"]


def heading(axis: Hashable, label: Hashable, *, short: bool = False) -> str:
    """A row's or column's label in words.

    Args:
        axis: what the labels are: a dimension name, or anything else.
        label: one label, for instance "sw".
        short: for a column: "sw" instead of "Swahili (sw)", "utilit." instead of "Utilitarianism".
    """
    text = str(label)
    if text == "mean":
        return text
    if axis == VALUE:
        return value_name(text, short=short)
    if axis in (LANGUAGE, SOURCE, TARGET):
        return text if short else f"{language_name(text)} ({text})"
    return text.replace("_", " ") if axis is None else text


def shown(content: object, unit: Unit) -> str:
    """One cell: accuracies in percent, gains signed in points, counts whole, two decimals otherwise, a dash for NaN."""
    if not isinstance(content, (int, float)) or isinstance(content, bool):
        return str(content)
    if content != content:
        return "–"
    if unit == "plain" and (isinstance(content, int) or (content.is_integer() and abs(content) > 1)):
        return str(int(content))
    text = {"percent": f"{100 * content:.1f}", "points": f"{100 * content:+.1f}", "plain": f"{content:.2f}"}[unit]
    # A rounded zero has no sign.
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")
