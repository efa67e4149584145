"""What steering costs in capability: tasks of lm-evaluation-harness, plain and steered both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from polyethos.control.requests import REQUEST_VALUE
from polyethos.interchange.lm_eval import evaluate_tasks
from polyethos.interchange.selection import Directions
from polyethos.interchange.tensor_files import write_lm_eval_file
from polyethos.representation.model import LanguageModel
from polyethos.study.control_study import ControlStudy

_FOLDER = "lm-eval"


def capability_of(
    study: ControlStudy, model: LanguageModel, results: xr.Dataset, source: str, folder: Path
) -> dict[str, Any]:
    """The metrics of the study's tasks for the plain model and steered at dose 1 and -1.

    The vector is the first rotation's, from `source`: for refusals, or where those were not measured for the first
    value's preferences. The harness steers at every position.

    Returns:
        "plain", "+1" and "-1", each by task and metric; "steered" says by what.

    Raises:
        MissingDependencyError, DataError: as for `evaluate_tasks`.
    """
    site = _site(results, source)
    tasks_folder = None if study.tasks_folder is None else Path(study.tasks_folder)
    options = {"dtype": model.dtype, "device": model.device.type}
    measured: dict[str, Any] = {
        "steered": {name: site[name] for name in ("outcome", "value", "source", "layer", "strength", "norm")},
        "plain": evaluate_tasks(study.tasks, pretrained=model.name, tasks_folder=tasks_folder, options=options),
    }
    unit = site["vector"] / np.linalg.norm(site["vector"])
    for name, sign in (("+1", 1), ("-1", -1)):
        vector = np.asarray(sign * site["strength"] * site["norm"] * unit, dtype=np.float32)
        directions = Directions(site["value"], source, {site["layer"]: vector}, model.n_layers, model.identity)
        path = write_lm_eval_file(folder / _FOLDER / f"{site['value']}-{source}{name}.pt", directions)
        measured[name] = evaluate_tasks(
            study.tasks, pretrained=model.name, steer_path=path, tasks_folder=tasks_folder, options=options
        )
    return measured


def _site(results: xr.Dataset, source: str) -> dict[str, Any]:
    outcome = str(results["outcome"].values[0])
    value = REQUEST_VALUE if outcome == "refusal" else str(results["value"].values[0])
    chosen = results.sel(outcome=outcome, value=value, source=source, rotation=0).isel(target=0)
    return {
        "outcome": outcome,
        "value": value,
        "source": source,
        "layer": int(chosen["control_layer"]),
        "strength": float(chosen["control_strength"]),
        "norm": float(chosen["control_norm"]),
        "vector": chosen["control_vector"].values,
    }
