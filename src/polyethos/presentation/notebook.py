"""How a run prints: a few lines in the terminal, a small page in a notebook."""

from __future__ import annotations

from html import escape
from pathlib import Path

import xarray as xr

from polyethos.presentation.answers import Answer, answers
from polyethos.presentation.cells import heading, shown
from polyethos.presentation.labels import languages, listed, model_name, values
from polyethos.presentation.plots import FIGURES
from polyethos.presentation.runs import by_model
from polyethos.presentation.tables import recognition_table

_ROWS = 24


def run_text(path: Path, results: xr.Dataset) -> str:
    """A finished run in a few lines: what was studied, the answers, where to go on."""
    lines = [f"<polyethos run {path}>"]
    for run in by_model(results):
        lines.append(f"{_about(run)}")
        lines += [f"  {question} {verdict}" for question, verdict in _verdicts(run)]
    several = "" if len(by_model(results)) == 1 else ".models[NAME]"
    figures = listed(f"{name}()" for name in FIGURES)
    lines.append(f"Go on with run{several}.results, .vectors, .plot ({figures})")
    return "\n".join(lines)


def run_html(path: Path, results: xr.Dataset) -> str:
    """A finished run for a notebook: the answers with their sentences and the recognition table, all escaped."""
    parts = [f"<p><b>polyethos run</b> <code>{escape(str(path))}</code></p>"]
    for run in by_model(results):
        parts.append(f"<p><b><bdi>{escape(_about(run))}</bdi></b></p>")
        lines = [
            f"<li>{escape(answer.question)} <b>{escape(answer.verdict)}.</b> <bdi>{escape(answer.sentence)}</bdi></li>"
            for answer in _answers(run)
        ]
        parts.append(f"<ul>{''.join(lines)}</ul>")
        if "recognition" in run:
            parts.append(_table(run))
    return f"<div>{''.join(parts)}</div>"


def _about(results: xr.Dataset) -> str:
    data, protocol = results.attrs.get("data", "unnamed"), results.attrs.get("protocol", "unknown")
    counts = f"{len(values(results))} values, {len(languages(results))} languages"
    return f"{model_name(results)}: {counts}, data {data}, protocol {protocol}"


def _answers(results: xr.Dataset) -> list[Answer]:
    return [answer for answer in answers(results) if answer.measured]


def _verdicts(results: xr.Dataset) -> list[tuple[str, str]]:
    return [(answer.question, answer.verdict) for answer in _answers(results)]


def _table(results: xr.Dataset) -> str:
    frame = recognition_table(results).iloc[:_ROWS]
    heads = "".join(f"<th>{escape(heading(frame.columns.name, name))}</th>" for name in frame.columns)
    rows = "".join(
        f'<tr><th style="text-align:left"><bdi>{escape(heading(frame.index.name, label))}</bdi></th>'
        + "".join(f"<td>{escape(shown(cell, 'percent'))}</td>" for cell in cells)
        + "</tr>"
        for label, cells in zip(frame.index, frame.itertuples(index=False, name=None), strict=True)
    )
    caption = "<caption>Recognition accuracy in percent; guessing gives 50</caption>"
    return f"<table>{caption}<thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
