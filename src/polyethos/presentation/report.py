"""One self-contained HTML page that explains a study's results, opens offline and prints."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from polyethos.dataset.languages import LANGUAGES
from polyethos.dataset.values import VALUES
from polyethos.errors import RunError
from polyethos.files import write_text
from polyethos.presentation.answers import QUESTIONS, Answer, answers, in_folder
from polyethos.presentation.cells import heading, shown
from polyethos.presentation.comparing import AXES, Compared, compared, slope_sentences
from polyethos.presentation.comparing_charts import overall_chart, share_chart
from polyethos.presentation.composition_section import bundled_evidence, for_this_model
from polyethos.presentation.control_section import control_charts
from polyethos.presentation.control_tables import control_tables
from polyethos.presentation.labels import (
    autonym,
    by_share,
    equal_shares,
    high_resource,
    language_name,
    share_words,
    shares,
    typeset,
    unbroken,
    value_name,
    values,
)
from polyethos.presentation.protocols import claims, contrasts, paper_note
from polyethos.presentation.report_data import payload, script_json
from polyethos.presentation.report_text import facts, study_toml
from polyethos.presentation.runs import page_title, run_names
from polyethos.presentation.studied import studied
from polyethos.presentation.table_files import to_csv
from polyethos.presentation.tables import Table, comparison_tables, study_tables

# The tables folded below each question.
_TABLES_OF = {
    "existence": ("recognition", "controls", "recognition_details", "chosen_layer"),
    "consistency": ("consistency", "consistency_whitened", "similarity", "reliability", "layer_curve", "pairs"),
    "linguistics": ("linguistic",),
    "transfer": ("transfer_gain",),
    "control": (
        "control_refusal",
        "control_harmful",
        "control_harmless",
        "control_matrix",
        "control_matrix_beyond",
        "control_questions",
        "control_effects",
        "control_curves",
    ),
}
# Characters that no HTML document may hold, whatever the data hold.
_NOT_HTML = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_CODE, _OPTION = re.compile(r"<code>[^<]*</code>"), re.compile(r"(?<=\s)--[\w-]+")
_TEMPLATES = PackageLoader("polyethos.presentation", "templates")
_SCRIPTS = ("report_heatmap.js", "report_views.js", "report_curve.js", "report_page.js")


@dataclass(frozen=True)
class _Run:
    """One model's part of the page."""

    name: str
    results: xr.Dataset
    study: Mapping[str, Any]
    answers: Mapping[str, Answer]
    tables: Mapping[str, Table]
    control: xr.Dataset | None
    folder: Path | None


def write_report(
    path: Path,
    runs: Sequence[tuple[xr.Dataset, Mapping[str, Any]]],
    *,
    controls: Sequence[xr.Dataset | None] | None = None,
    folders: Sequence[Path] | None = None,
) -> None:
    """Write the report of one or several runs to `path`, whole or not at all.

    Args:
        path: of the HTML file.
        runs: per model its results and the content of its `study.json`.
        controls: per model the results of `polyethos control`, or None.
        folders: per model the run folder, for commands that can be copied as they stand.

    Raises:
        RunError: there is no run to report on.
    """
    if not runs:
        raise RunError(f"{path}: nothing to report; give at least one finished run")
    write_text(path, render(runs, controls=controls, folders=folders))


def render(
    runs: Sequence[tuple[xr.Dataset, Mapping[str, Any]]],
    *,
    controls: Sequence[xr.Dataset | None] | None = None,
    folders: Sequence[Path] | None = None,
) -> str:
    """The report as HTML; see `write_report`."""
    datasets = [results for results, _ in runs]
    nowhere: list[None] = [None] * len(runs)
    parts = zip(run_names(datasets), runs, controls or nowhere, folders or nowhere, strict=True)
    page = [_run(name, *run, steered, folder) for name, run, steered, folder in parts]
    environment = Environment(
        loader=_TEMPLATES,
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"data_uri": _data_uri, "to_csv": to_csv, "heading": heading, "shown": shown, "facts": facts}
    environment.globals |= {"overall_chart": overall_chart, "share_chart": share_chart, "quantities": list(AXES)}
    environment.globals |= {"slope_sentences": slope_sentences, "control_charts": control_charts}
    environment.globals |= {"for_this_model": for_this_model, "studied": studied, "in_folder": in_folder}
    environment.globals |= {"study_toml": study_toml, "tables_of": _TABLES_OF}
    environment.globals |= {"language_name": language_name, "autonym": autonym, "value_name": value_name}
    environment.globals["known_languages"] = LANGUAGES
    environment.filters |= {"typeset": typeset, "unbroken": unbroken, "studied": studied}
    script = "\n".join(_source(environment, name) for name in _SCRIPTS)
    found = compared(datasets)
    html = environment.get_template("report.html.j2").render(
        runs=page,
        questions=QUESTIONS,
        comparison=comparison_tables(datasets) if len(page) > 1 and _comparable(datasets) else [],
        compared=found if isinstance(found, Compared) else None,
        not_compared=found if isinstance(found, str) else "",
        composition=bundled_evidence(),
        contrasts=contrasts(datasets),
        paper_note=paper_note(datasets),
        claims=claims(datasets),
        title=page_title(datasets),
        languages=[(code, shares(datasets[0])[0][code]) for code in by_share(datasets[0])],
        share_source=shares(datasets[0])[1],
        share_words=_share_order(datasets),
        values=[(value, VALUES[value].definition if value in VALUES else "") for value in values(datasets[0])],
        high=[[language_name(code) for code in high_resource(results)] for results in datasets],
        data=script_json(payload(datasets)),
        style=_source(environment, "report.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return _NOT_HTML.sub("\ufffd", _CODE.sub(_unbroken, html))


def _unbroken(code: re.Match[str]) -> str:
    """A command whose options are not torn at their hyphens where lines are short."""
    return _OPTION.sub(r'<span class="option">\g<0></span>', code[0])


def _run(
    name: str, results: xr.Dataset, study: Mapping[str, Any], control: xr.Dataset | None, folder: Path | None
) -> _Run:
    found = {answer.key: answer for answer in answers(results, control, folder=folder)}
    tables = [*study_tables(results), *(control_tables(control) if control is not None else [])]
    return _Run(name, results, study, found, {table.name: table for table in tables}, control, folder)


def _share_order(datasets: Sequence[xr.Dataset]) -> str:
    return "fixed order (all shares equal)" if all(map(equal_shares, datasets)) else share_words(datasets[0])


def _comparable(datasets: Sequence[xr.Dataset]) -> bool:
    return all("recognition" in results for results in datasets)


def _source(environment: Environment, name: str) -> str:
    return _TEMPLATES.get_source(environment, name)[0]


def _data_uri(content: str | Mapping[str, Any], kind: str) -> str:
    text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False, default=str)
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode('ascii')}"
