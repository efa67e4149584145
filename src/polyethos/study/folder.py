"""The run folder: what a study leaves behind, and reading it back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from polyethos.analysis.beside import published_beside
from polyethos.analysis.finding import Finding
from polyethos.arrays import read_dataset
from polyethos.errors import RunError, StudyMismatchError
from polyethos.execution.locking import LOCK_FILE
from polyethos.files import write_json
from polyethos.presentation.notebook import run_html, run_text
from polyethos.presentation.plots import RunPlots
from polyethos.presentation.protocols import claims
from polyethos.representation.vectors import load_vectors

FORMAT = 1
STUDY_FILE, RESULTS_FILE, VECTORS_FILE = "study.json", "results.nc", "vectors.safetensors"
COMPARISON_FILE = "comparison.nc"
REPORT_FILE, WORK_FOLDER = "report.html", ".work"


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: its folder.
        study: what is in `study.json`: the study, the model, the data, versions and hashes.
        results: the labelled results; with several models, a leading dimension `model` (layers a model lacks are NaN).
        models: the run of each model, by its label; empty for a run of one model.
    """

    path: Path
    study: Mapping[str, Any]
    results: xr.Dataset = field(repr=False)
    models: Mapping[str, Run] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return run_text(self.path, self.results)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return run_html(self.path, self.results)

    @property
    def plot(self) -> RunPlots:
        """Its figures for notebooks: `run.plot.transfer(value="morality")` and so on."""
        return RunPlots(self.results)

    @cached_property
    def paper(self) -> xr.Dataset | None:
        """What the published protocol makes of the same activations, where the run holds it beside the corrected."""
        return published_beside(self.results)

    @cached_property
    def claims(self) -> list[Finding]:
        """The paper's claims: what each protocol finds in this model, and why they differ; empty without tests.

        Raises:
            RunError: the run has several models; take the claims of one of `models`.
        """
        if self.models:
            raise RunError(f"{self.path}: several models; use run.models[{next(iter(self.models))!r}].claims")
        return [claim.finding for claim in claims([self.results])]

    @cached_property
    def vectors(self) -> xr.DataArray:
        """Concept vectors, float32 (value, language, layer, hidden).

        Raises:
            RunError: the run has several models; take the vectors of one of `models`.
        """
        if self.models:
            raise RunError(f"{self.path}: several models; use run.models[{next(iter(self.models))!r}].vectors")
        return load_vectors(self.path / VECTORS_FILE)[0]


def open_run(path: str | Path) -> Run:
    """Open a finished run folder.

    Raises:
        RunError: the folder is missing, is not a run, or is unfinished.
        DataFormatError: a file in it is broken.
    """
    path = Path(path)
    study = read_study_file(path)
    if study is None:
        raise RunError(f"{path}: not a run folder (no {STUDY_FILE})")
    if not (path / RESULTS_FILE).is_file():
        raise RunError(f"{path}: the run is unfinished; the command that started it takes it up again")
    results, _ = read_dataset(path / RESULTS_FILE)
    return Run(path, study, results, {label: open_run(path / label) for label in study.get("models", [])})


def read_study_file(path: Path) -> dict[str, Any] | None:
    """The content of `study.json` in `path`, or None where there is none.

    Raises:
        RunError: the file is broken or of another format.
    """
    file = path / STUDY_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise RunError(f"{path}: a file; expected a run folder") from error
    except (OSError, ValueError) as error:
        raise RunError(
            f"{file}: broken ({error}); choose another --out, or delete the folder to start afresh"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RunError(f"{file}: not of format {FORMAT}; it was written by another version of polyethos")
    return content


def claim_folder(path: Path, content: dict[str, Any]) -> None:
    """Write `study.json` into a new run folder, or check that the one there belongs to the same study.

    Raises:
        StudyMismatchError: the folder holds another study; the message lists every difference.
        RunError: the folder holds something that is not a run.
    """
    found = read_study_file(path)
    if found is None:
        strangers = [entry.name for entry in path.iterdir() if not entry.name.startswith(".")] if path.is_dir() else []
        if strangers:
            raise RunError(f"{path}: not empty (holds {strangers[0]!r}) and not a run folder; choose another --out")
        write_json(path / STUDY_FILE, content)
        return
    # Newer packages do not spoil a finished run; mixing them within one run would.
    compared = [key for key in content if key != "versions" or not (path / RESULTS_FILE).is_file()]
    _refuse_differences(path, {key: found.get(key) for key in compared}, {key: content[key] for key in compared})


def record_model(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Add the loaded model's identity to `study.json`, or check that it is the model the run was started with.

    Returns:
        The content of `study.json`.

    Raises:
        StudyMismatchError: the run was started with another model.
    """
    content = read_study_file(path)
    if content is None:
        raise RunError(f"{path}: {STUDY_FILE} vanished during the run")
    if "model" in content:
        _refuse_differences(path, {"model": content["model"]}, {"model": identity})
        return content
    content["model"] = identity
    write_json(path / STUDY_FILE, content)
    return content


def remove_work(path: Path) -> None:
    """Remove what only an unfinished run needs."""
    shutil.rmtree(path / WORK_FOLDER, ignore_errors=True)


def remove_empty_run(path: Path) -> None:
    """Remove a run folder in which nothing was computed yet, so that a mistyped model leaves nothing behind."""
    files = {entry.name for entry in path.rglob("*") if not entry.is_dir()}
    if files <= {STUDY_FILE, LOCK_FILE}:
        shutil.rmtree(path, ignore_errors=True)


def _refuse_differences(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if differences := _differences(found, json.loads(json.dumps(wanted))):
        raise StudyMismatchError(
            f"{path}: holds another study ({'; '.join(differences)}); choose another --out, or delete the folder"
        )


def _differences(found: Any, wanted: Any, where: str = "") -> list[str]:  # noqa: ANN401
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(set(found) | set(wanted))
        return [
            line for key in keys for line in _differences(found.get(key), wanted.get(key), f"{where}.{key}".lstrip("."))
        ]
    if found == wanted:
        return []
    return [f"{where}: there {json.dumps(found, ensure_ascii=False)}, now {json.dumps(wanted, ensure_ascii=False)}"]
