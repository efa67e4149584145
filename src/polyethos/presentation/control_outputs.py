"""Everything a control study leaves to look at: tables, curves and example answers."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from polyethos.files import write_text
from polyethos.presentation.control_examples import to_jsonl, to_markdown
from polyethos.presentation.control_figures import control_matrix, dose_response
from polyethos.presentation.control_tables import PAIR, control_tables, measured_kinds
from polyethos.presentation.style import save
from polyethos.presentation.table_files import to_csv, to_latex

TABLES_FOLDER, FIGURES_FOLDER = "tables", "figures"


def write_control_outputs(folder: Path, results: xr.Dataset) -> None:
    """Write tables (CSV, LaTeX), figures (SVG, PNG) and example answers, each file whole or not at all."""
    for table in control_tables(results):
        write_text(folder / TABLES_FOLDER / f"{table.name}.csv", to_csv(table))
        if table.pages:
            write_text(folder / TABLES_FOLDER / f"{table.name}.tex", to_latex(table))
    kinds = measured_kinds(results)
    for kind in kinds:
        if kind != PAIR:
            save(dose_response(results, kind), folder / FIGURES_FOLDER, f"control_curves_{kind}")
    if PAIR in kinds:
        save(control_matrix(results), folder / FIGURES_FOLDER, "control_matrix")
    if "answer_text" in results:
        write_text(folder / "answers.jsonl", to_jsonl(results))
        write_text(folder / "answers.md", to_markdown(results))
