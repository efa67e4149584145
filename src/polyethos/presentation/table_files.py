"""Tables as files: CSV for machines, LaTeX (booktabs) for papers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from polyethos.files import write_text
from polyethos.presentation.cells import heading, shown
from polyethos.presentation.tables import Table, comparison_tables, study_tables

_NEEDS = "% Needs \\usepackage{booktabs}.\n"
_WIDE, _WIDEST = 8, 12
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "−": "$-$", "–": "--",
}  # fmt: skip
# What the Latin fonts that every LaTeX has can set; the rest would stop the run.
_SETTABLE = re.compile(r"[\x20-\x7e]")


def write_tables(results: xr.Dataset, folder: Path) -> list[Path]:
    """Write every table of one model's results to `folder`, each file whole or not at all.

    Returns:
        The paths written: `<name>.csv` for each table, `<name>.tex` for those that fit a page.
    """
    return _write(study_tables(results), folder)


def write_comparison_tables(runs: Sequence[xr.Dataset], folder: Path) -> list[Path]:
    """Write the tables that put several models side by side to `folder`; paths as in `write_tables`."""
    return _write(comparison_tables(runs), folder)


def to_csv(table: Table) -> str:
    """The table as CSV: codes as labels, accuracies as fractions, an empty field where nothing was measured."""
    return table.frame.to_csv(index=not isinstance(table.frame.index, pd.RangeIndex), lineterminator="\n")


def to_latex(table: Table) -> str:
    """The table as a LaTeX float that needs only booktabs; wide ones span both columns of a paper."""
    frame = table.frame
    float_name = "table*" if frame.shape[1] >= _WIDE else "table"
    gap = "3pt" if frame.shape[1] < _WIDEST else "2.5pt"
    row_axis, column_axis = frame.index.name, frame.columns.name
    header = [str(row_axis or "").capitalize(), *(heading(column_axis, column, short=True) for column in frame.columns)]
    rows = [_row(header)]
    for label, numbers in table.rows():
        rows.append(_row([heading(row_axis, label), *(shown(number, table.unit) for number in numbers)]))
    if "mean" in frame.index:
        rows.insert(-1, r"\midrule")
    lines = [
        rf"\begin{{{float_name}}}[t]", r"\centering", r"\footnotesize", rf"\setlength{{\tabcolsep}}{{{gap}}}",
        rf"\begin{{tabular}}{{l{'r' * frame.shape[1]}}}", r"\toprule", rows[0], r"\midrule",
        *rows[1:], r"\bottomrule", r"\end{tabular}", rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}", rf"\end{{{float_name}}}",
    ]  # fmt: skip
    return _NEEDS + "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """`text` with LaTeX's special characters escaped; letters outside its basic fonts as their code point."""
    return "".join(_escaped(char) for char in unicodedata.normalize("NFKD", text))


def _escaped(char: str) -> str:
    if char in _SPECIAL or _SETTABLE.match(char):
        return _SPECIAL.get(char, char)
    return "" if unicodedata.combining(char) else f"[U+{ord(char):04X}]"


def _write(tables: Sequence[Table], folder: Path) -> list[Path]:
    paths = []
    for table in tables:
        texts = {"csv": to_csv(table)} | ({"tex": to_latex(table)} if table.pages else {})
        for suffix, text in texts.items():
            paths.append(folder / f"{table.name}.{suffix}")
            write_text(paths[-1], text)
    return paths


def _row(cells: Sequence[str]) -> str:
    return " & ".join(escape_latex(cell) for cell in cells) + r" \\"
