"""The folder of a control study, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from polyethos.arrays import read_dataset
from polyethos.errors import RunError
from polyethos.study.folder import WORK_FOLDER as WORK_FOLDER

RECORD_FILE, RESULTS_FILE, ITEMS_FILE, CAPABILITY_FILE = "control.json", "control.nc", "items.nc", "capability.json"
VERDICTS_FILE = "verdicts.jsonl"


@dataclass(frozen=True)
class ControlRun:
    """A finished control study.

    Attributes:
        path: its folder.
        record: what is in `control.json`: the study, model, data, versions and hashes.
        results: the labelled results, see `docs/control.md`.
    """

    path: Path
    record: Mapping[str, Any]
    results: xr.Dataset = field(repr=False)

    @cached_property
    def items(self) -> xr.Dataset:
        """Log-odds of every item: `refusal` and `preference` (value, source, target, condition, kind, item)."""
        return read_dataset(self.path / ITEMS_FILE)[0]


def open_control(path: str | Path) -> ControlRun:
    """Open a finished control study, by its folder or by the folder of the run it belongs to.

    Raises:
        RunError: there is none, or it is unfinished.
        DataFormatError: a file in it is broken.
    """
    path = Path(path)
    inside = path / "control"
    folder = inside if (inside / RECORD_FILE).is_file() else path
    record = read_record(folder)
    if record is None:
        raise RunError(f"{path}: no control study there (no {RECORD_FILE}); make one with `polyethos control`")
    if not (folder / RESULTS_FILE).is_file():
        raise RunError(f"{folder}: the control study is unfinished; the command that started it takes it up again")
    return ControlRun(folder, record, read_dataset(folder / RESULTS_FILE)[0])


def read_record(folder: Path) -> dict[str, Any] | None:
    """The content of `control.json`, or None where there is none.

    Raises:
        RunError: the file is broken.
    """
    try:
        content = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / RECORD_FILE}: broken ({error}); delete the folder to start afresh") from error
    if not isinstance(content, dict) or "control" not in content:
        raise RunError(f"{folder / RECORD_FILE}: not the record of a control study; choose another folder")
    return content
