"""Doing a control study: loading, measuring, and leaving everything to look at in a folder."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from polyethos.arrays import write_dataset
from polyethos.control.experiment import run_control
from polyethos.control.judging import Judge
from polyethos.control.options import Outcome
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import StudyMismatchError
from polyethos.execution.locking import exclusive
from polyethos.files import remove_partial_files, write_json
from polyethos.interchange.lm_eval import known_tasks
from polyethos.presentation.control_outputs import write_control_outputs
from polyethos.representation.model import LanguageModel
from polyethos.study.capability import capability_of
from polyethos.study.control_folder import (
    CAPABILITY_FILE,
    ITEMS_FILE,
    RECORD_FILE,
    RESULTS_FILE,
    WORK_FOLDER,
    ControlRun,
    open_control,
    read_record,
)
from polyethos.study.control_material import Material, control_material
from polyethos.study.control_study import ControlStudy
from polyethos.study.control_tables import combined, judged
from polyethos.study.definition import ModelChoice, Study
from polyethos.study.folder import remove_work
from polyethos.study.running import load_chosen_model

Observer = Callable[[str, int, int], None]


def measure_control(
    study: ControlStudy, out: str | Path | None = None, *, judge: Judge | None = None, observer: Observer | None = None
) -> ControlRun:
    """Do a control study, or take it up where it was killed, or open it if it is finished.

    Args:
        study: what to do.
        out: the folder; by default `polyethos-runs/<model>-control-<fingerprint>`.
        judge: also asked about the example answers.
            A finished study can still be judged.
        observer: called with what is done, and the numbers of finished and of all parts of the current outcome.

    Returns:
        The finished study.

    Raises:
        StudyMismatchError: `out` holds another control study.
        RunError: `out` is in use.
        DataError, ModelError, ResourceError: prompts, model or judge cannot be used.
        MissingDependencyError: tasks were asked for and lm-evaluation-harness is not installed.
    """
    folder = Path(out) if out is not None else default_folder(study)
    with exclusive(folder):
        remove_partial_files(folder)
        if not _claimed(folder, study) or not (folder / RESULTS_FILE).is_file():
            _measure(study, folder, observer or (lambda _step, _done, _total: None))
        finished = open_control(folder)
        if judge is not None:
            results = judged(finished.results, judge)
            write_control_outputs(folder, results)
            write_dataset(folder / RESULTS_FILE, results, finished.record)
            return open_control(folder)
        return finished


def default_folder(study: ControlStudy) -> Path:
    """Where a control study goes when nobody says."""
    return Path("polyethos-runs") / f"{study.label}-control-{study.fingerprint()}"


def _claimed(folder: Path, study: ControlStudy) -> bool:
    """Whether the folder already belongs to this study; a new one is given to it."""
    found = read_record(folder)
    if found is None:
        write_json(folder / RECORD_FILE, {"control": study.record()})
        return False
    differing = [name for name, content in study.record().items() if found["control"].get(name) != content]
    if differing:
        raise StudyMismatchError(
            f"{folder}: holds another control study (differs in {', '.join(differing)}); choose another --out, or "
            "delete the folder"
        )
    return True


def _measure(study: ControlStudy, folder: Path, tell: Observer) -> None:
    if study.tasks:
        known_tasks(study.tasks, tasks_folder=None if study.tasks_folder is None else Path(study.tasks_folder))
    tell("loading the model", 0, 1)
    choice = ModelChoice(name=study.model, revision=study.revision)
    model = load_chosen_model(_loading(study, choice), choice)
    material = control_material(study, choice, model)
    tables = {
        outcome: _outcome(study, model, material, outcome, folder / WORK_FOLDER, tell) for outcome in study.outcomes
    }
    tell("writing the results", 0, 1)
    results, items = combined(tables)
    results.attrs.update(
        model=choice.label,
        data=f"{material.requests.name}; {material.pairs.name}",
        dominant=material.dominant,
        dominant_why=material.dominant_why,
        size=study.size,
        budget=study.budget,
        chance=0.5,
    )
    record = _record(study, model, material)
    write_json(folder / RECORD_FILE, record)
    write_dataset(folder / ITEMS_FILE, items, record)
    if study.tasks:
        tell("lm-evaluation-harness", 0, 1)
        write_json(
            folder / CAPABILITY_FILE, capability_of(study, model, results, _first_source(study, material), folder)
        )
    write_control_outputs(folder, results)
    # Last, because a folder with this file counts as finished.
    write_dataset(folder / RESULTS_FILE, results, record)
    remove_work(folder)


def _loading(study: ControlStudy, choice: ModelChoice) -> Study:
    # The same checks and the same loading as for any other study of this model.
    fields: dict[str, Any] = {"models": choice, "dtype": study.dtype}
    return Study(**fields, device=study.device, trust_remote_code=study.trust_remote_code)


def _outcome(
    study: ControlStudy, model: LanguageModel, material: Material, outcome: Outcome, work: Path, tell: Observer
) -> xr.Dataset:
    pairs = material.requests if outcome == "refusal" else material.pairs
    sources = study.sources_for(outcome, material.dominant)
    return run_control(
        model,
        _with_languages(pairs, sources, study.targets),
        sources=sources,
        targets=[code for code in study.targets or pairs.languages if code in pairs.languages],
        values=None if outcome == "refusal" else study.values,
        options=study.options(outcome, dialogue=material.dialogue, replies=material.replies),
        out=work,
        progress=lambda step, done, total: tell(f"{outcome}: {step}", done, total),
    )


def _with_languages(pairs: ContrastPairs, sources: Sequence[str], targets: Sequence[str] | None) -> ContrastPairs:
    """The pairs of the languages that are needed; a pooled vector is of all of them."""
    if targets is None or "pooled" in sources:
        return pairs
    needed = {*targets, *sources}
    return replace(pairs, pairs=tuple(pair for pair in pairs if pair.language in needed))


def _record(study: ControlStudy, model: LanguageModel, material: Material) -> dict[str, Any]:
    packages = ("polyethos", "torch", "transformers", "numpy", "xarray")
    return {
        "control": study.record(),
        "model": dict(model.identity),
        "requests": {"name": material.requests.name, "sha256": material.requests.content_hash()},
        "pairs": {"name": material.pairs.name, "sha256": material.pairs.content_hash()},
        "dialogue": material.dialogue,
        "replies": material.replies,
        "dominant": {"language": material.dominant, "why": material.dominant_why},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
    }


def _first_source(study: ControlStudy, material: Material) -> str:
    """The source whose vector the harness gets; "own" has one for every target, so it is no single vector."""
    sources = study.sources_for(study.outcomes[0], material.dominant)
    return next((source for source in sources if source != "own"), sources[0])
