"""Tables as files: CSV for machines, LaTeX (booktabs) for papers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, SOURCE, TARGET, VALUE
from polyethos.files import write_text
from polyethos.presentation.labels import language_name, value_name
from polyethos.presentation.tables import Table, Unit, comparison_tables, study_tables

_NEEDS = "% Needs \\usepackage{booktabs}.\n"
_WIDE = 9
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''",
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
    header = [_heading(frame), *(_label(frame.columns.name, column, frame) for column in frame.columns)]
    rows = [
        " & ".join([_label(frame.index.name, label, frame), *(_cell(number, table.unit) for number in numbers)])
        + r" \\"
        for label, numbers in zip(frame.index, frame.itertuples(index=False), strict=True)
    ]
    if "mean" in frame.index:
        rows.insert(-1, r"\midrule")
    lines = [
        rf"\begin{{{float_name}}}[t]", r"\centering", r"\footnotesize", r"\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{l{'r' * frame.shape[1]}}}", r"\toprule", " & ".join(header) + r" \\", r"\midrule",
        *rows, r"\bottomrule", r"\end{tabular}", rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}", rf"\end{{{float_name}}}",
    ]  # fmt: skip
    return _NEEDS + "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """`text` with LaTeX's special characters escaped; letters outside its basic fonts as their code point."""
    return "".join(_escaped(char) for char in unicodedata.normalize("NFKD", text))


def _escaped(char: str) -> str:
    if _SETTABLE.match(char):
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


def _heading(frame: pd.DataFrame) -> str:
    return escape_latex(str(frame.index.name or "").capitalize())


def _label(axis: Hashable, label: Hashable, frame: pd.DataFrame) -> str:
    text = str(label)
    if axis == VALUE:
        text = value_name(text, short=axis == frame.columns.name)
    elif axis == frame.index.name and axis in (LANGUAGE, SOURCE) and text != "mean":
        text = f"{language_name(text)} ({text})"
    elif axis not in (LANGUAGE, TARGET):
        text = text.replace("_", " ")
    return escape_latex(text)


def _cell(number: object, unit: Unit) -> str:
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        return escape_latex(str(number))
    if number != number:
        return "--"
    if isinstance(number, int) or (unit == "plain" and float(number).is_integer() and abs(number) > 1):
        return str(int(number))
    text = {"percent": f"{100 * number:.1f}", "points": f"{100 * number:+.1f}", "plain": f"{number:.2f}"}[unit]
    return text.replace("-", "$-$")
