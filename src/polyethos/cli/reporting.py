"""`polyethos report`: one page about one or several finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The page.", show_default="report.html in the first run's folder"),
    ] = None,
) -> None:
    """Write the report of finished runs, several side by side, as one HTML file that opens offline.

    [bold]Examples[/bold]

      polyethos report polyethos-runs/my-run

      polyethos report corrected paper --out both.html
    """
    from polyethos.presentation.report import write_report
    from polyethos.study import open_run

    opened = [part for run in map(open_run, runs) for part in (run.models.values() or [run])]
    path = out or runs[0] / "report.html"
    write_report(path, [(run.results, run.study) for run in opened])
    print(path)
