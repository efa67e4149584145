"""The outcomes of a sweep's finished runs as one labelled data set, and as files that open anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from polyethos.arrays import LANGUAGE, write_dataset
from polyethos.files import write_text
from polyethos.lab.architecture import SIZES
from polyethos.lab.judgement import judge_all
from polyethos.lab.sweep_plan import SweepPlan
from polyethos.lab.sweep_run import OUTCOMES_FILE, RECIPE_FILE

RUN = "run"
RESULTS, TABLE, JUDGEMENTS = "sweep.nc", "sweep.csv", "judgements.csv"


def gather(plan: SweepPlan, out: Path) -> xr.Dataset | None:
    """The outcomes of the runs that are finished, or None if none is.

    Returns:
        Per (run, language): `share` of the tokens, `language_tokens`, and every outcome of `sweep_run.measure`, NaN
        where it is not defined. Coordinates of a run: experiment, condition, level (what the experiment varies), size,
        parameters (inside the blocks), seed, tokens.
    """
    finished = [run for run in plan.runs() if (out / run.folder / OUTCOMES_FILE).exists()]
    if not finished:
        return None
    tables = [json.loads((out / run.folder / OUTCOMES_FILE).read_text(encoding="utf-8")) for run in finished]
    recipes = [json.loads((out / run.folder / RECIPE_FILE).read_text(encoding="utf-8")) for run in finished]
    codes = list(plan.languages)
    shares = np.array([[recipe["mixture"]["shares"][code] for code in codes] for recipe in recipes])
    tokens = np.array([recipe["tokens"] for recipe in recipes])
    columns = {"share": shares, "language_tokens": shares * tokens[:, None]} | {
        name: np.array([[_number(table[name][code]) for code in codes] for table in tables]) for name in tables[0]
    }
    conditions = [run.condition for run in finished]
    described = {
        "experiment": [one.experiment for one in conditions],
        "condition": [one.name for one in conditions],
        "level": [float(one.level) for one in conditions],
        "size": [run.size for run in finished],
        "parameters": [SIZES[run.size].parameters for run in finished],
        "seed": [run.seed for run in finished],
        "tokens": tokens,
    }
    return xr.Dataset(
        {name: ((RUN, LANGUAGE), values) for name, values in columns.items()},
        coords={RUN: [run.name for run in finished], LANGUAGE: codes}
        | {name: (RUN, values) for name, values in described.items()},
    )


def write_results(results: xr.Dataset, plan: SweepPlan, out: Path) -> None:
    """Write `sweep.nc`, a row per run and language in `sweep.csv`, and what follows from it in `judgements.csv`."""
    write_dataset(out / RESULTS, results, plan.to_json())
    write_text(out / TABLE, results.to_dataframe().reset_index().to_csv(index=False, float_format="%.6g"))
    write_text(out / JUDGEMENTS, pd.DataFrame(map(vars, judge_all(results))).to_csv(index=False, float_format="%.6g"))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
