"""`polyethos report`: one page about one or several finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The page.",
            show_default="report.html in the run's folder; of several runs compared.html beside the first",
        ),
    ] = None,
) -> None:
    """Write the report of finished runs, several side by side, as one HTML file that opens offline.

    What `polyethos control` left in a run's folder is part of it.

    [bold]Examples[/bold]

      polyethos report polyethos-runs/my-run

      polyethos report corrected paper --out both.html
    """
    from polyethos.study import open_run
    from polyethos.study.reporting import report_runs

    print(report_runs([open_run(run) for run in runs], out))
