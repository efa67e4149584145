"""Finished parts of a control experiment on disk, so that a killed one goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from polyethos.arrays import read_dataset, write_dataset
from polyethos.errors import StudyMismatchError


@dataclass(frozen=True)
class Parts:
    """Where parts are kept.

    Attributes:
        folder: one file for each part; None keeps nothing.
        record: what they are parts of; parts of anything else are refused.
        kind: how the names of the parts begin that are looked at before any work is done.

    Raises:
        StudyMismatchError: the folder holds parts of another experiment.
    """

    folder: Path | None
    record: Mapping[str, Any]
    kind: str = ""

    def __post_init__(self) -> None:
        for path in sorted(self.folder.glob(f"{self.kind}-*.nc"))[:1] if self.folder is not None else ():
            self._read(path)

    def kept_or_made(self, name: str, make: Callable[[], xr.Dataset]) -> xr.Dataset:
        """The part of this name from disk, or newly made and kept.

        Raises:
            StudyMismatchError: the folder holds parts of another experiment.
        """
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.nc"
        if path.exists():
            return self._read(path)
        made = make()
        write_dataset(path, made, self.record)
        return made

    def _read(self, path: Path) -> xr.Dataset:
        kept, provenance = read_dataset(path)
        if provenance != json.loads(json.dumps(dict(self.record))):
            raise StudyMismatchError(f"{path}: made by another control experiment; choose another folder or delete it")
        kept.attrs.pop("provenance")
        return kept
