"""The report of finished runs, with what else was measured of their models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from polyethos.presentation.report import write_report
from polyethos.study.control_folder import RESULTS_FILE, open_control
from polyethos.study.folder import REPORT_FILE, Run

CONTROL_FOLDER = "control"
COMPARED_FILE = "compared.html"


def report_runs(runs: Sequence[Run], out: Path | None = None) -> Path:
    """Write the report of finished runs as one page; where a run was steered, with what came of it.

    Args:
        runs: each of one model or of several.
        out: of the page; by default `report.html` in the run's folder, or for several `compared.html` beside the first
            one's folder.

    Returns:
        Where the page is.

    Raises:
        RunError: there is no run.
        DataFormatError: the results of a control study are broken.
    """
    parts = [part for run in runs for part in (run.models.values() or [run])]
    path = out or (runs[0].path / REPORT_FILE if len(runs) == 1 else runs[0].path.parent / COMPARED_FILE)
    write_report(
        path,
        [(part.results, part.study) for part in parts],
        controls=[control_of(part) for part in parts],
        folders=[part.path for part in parts],
    )
    return path


def control_of(run: Run) -> xr.Dataset | None:
    """Results of the control study that `polyethos control` left in the folder of this run, if it did."""
    folder = run.path / CONTROL_FOLDER
    return open_control(folder).results if (folder / RESULTS_FILE).is_file() else None
