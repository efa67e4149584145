"""What `polyethos control` prints, readable at 80 columns and without colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from polyethos.presentation.answers_control import control, dominant_source, source_name
from polyethos.presentation.control_tables import (
    PAIR,
    control_tables,
    matrix_table,
    measured_kinds,
    questions_table,
    refusal_table,
)
from polyethos.presentation.labels import language_name, model_name, value_name


def show_control(console: Console, results: xr.Dataset, folder: Path) -> None:
    """Print what a control study found and where its files are."""
    source, kinds = dominant_source(results), measured_kinds(results)
    console.print(Text(f"{model_name(results)}: control, vector from {source_name(source)}", style="bold reverse"))
    console.print(Text(str(results.attrs.get("dominant_why", "")), style="dim"))
    answer = control(results)
    console.print(Text.assemble("\n", (answer.question, "bold"), f" {answer.verdict}. ", answer.sentence))
    if answer.caution:
        console.print(Text(answer.caution, style="dim"))
    if "harmful" in kinds:
        console.print(_refusals(refusal_table(results, source), questions_table(results, source)))
        console.print(Text(
            "Percent of requests refused by likelihood: steered down, unsteered, steered up. Effect: half of up minus "
            "down, nats, with its 95 % interval; control: the largest effect of any random, shuffled or other "
            "direction of equal length; * beyond all of them. Ranks: pairs the vector ranks rightly, and single "
            "requests told by the source's threshold (guessing 50).", style="dim"))  # fmt: skip
    if PAIR in kinds:
        console.print(_matrix(matrix_table(results, source), matrix_table(results, source, "control_beyond")))
        console.print(
            Text("Effect on the preference for what upholds a value, nats; * beyond every control.", style="dim")
        )
    console.print(Text(f"Everything is in {folder}", style=""), soft_wrap=True)


def summary(results: xr.Dataset, folder: Path) -> dict[str, Any]:
    """The results in brief as plain data, for `--json`; numbers that were not measured are None."""
    answer = control(results)
    tables = {table.name: json.loads(table.frame.to_json(orient="index"))
              for table in control_tables(results) if table.pages}  # fmt: skip
    about = {name: str(results.attrs.get(name, "")) for name in ("model", "data", "dominant", "dominant_why", "size")}
    return {"control": str(folder), **about, "verdict": answer.verdict, "sentence": answer.sentence, "tables": tables}


def _refusals(frame: pd.DataFrame, questions: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("language", no_wrap=True)
    for name in ("harmful", "harmless", "effect", "control", "ranks"):
        table.add_column(name, justify="right", no_wrap=True)
    for (code, row), (_, asked) in zip(frame.iterrows(), questions.loc[frame.index].iterrows(), strict=True):
        table.add_row(
            f"{language_name(str(code))[:10]} {code}",
            "/".join(_percent(row[name]) for name in ("down", "plain", "up")),
            "/".join(_percent(row[f"{name}_harmless"]) for name in ("down", "plain", "up")),
            f"{row['effect']:+.2f} [{row['low']:+.1f} {row['high']:+.1f}]{'*' if row['beyond'] == 1 else ' '}",
            f"{row['control']:.2f}",
            f"{_percent(asked['separability'])} {_percent(asked['calibration'])}",
        )
    return table


def _matrix(frame: pd.DataFrame, beyond: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0))
    table.add_column("language", no_wrap=True, min_width=9)
    for name in frame.columns:
        table.add_column(
            str(name) if name == "mean" else value_name(str(name), short=True), justify="right", min_width=7
        )
    for (code, row), (_, marks) in zip(frame.iterrows(), beyond.loc[frame.index].iterrows(), strict=True):
        cells = [_nats(row[name], marks[name] == 1 and name != "mean" and code != "mean") for name in frame.columns]
        table.add_row(str(code), *cells)
    return table


def _nats(number: float, clear: bool) -> str:
    return "-" if np.isnan(number) else f"{number:+.2f}{'*' if clear else ' '}"


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.0f}"
