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
    """

    folder: Path | None
    record: Mapping[str, Any]

    def kept_or_made(self, name: str, make: Callable[[], xr.Dataset]) -> xr.Dataset:
        """The part of this name from disk, or newly made and kept.

        Raises:
            StudyMismatchError: the folder holds parts of another experiment.
        """
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.nc"
        if path.exists():
            kept, provenance = read_dataset(path)
            if provenance != json.loads(json.dumps(dict(self.record))):
                raise StudyMismatchError(
                    f"{path}: made by another control experiment; choose another folder or delete it"
                )
            kept.attrs.pop("provenance")
            return kept
        made = make()
        write_dataset(path, made, self.record)
        return made
