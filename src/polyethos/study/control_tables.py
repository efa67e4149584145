"""The outcomes of a control study put together under the names that are saved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from polyethos.control.joining import along, merged, without_descriptions
from polyethos.control.judging import Judge
from polyethos.control.options import Outcome

_CURVES = ("change", "change_low", "change_high", "change_p", "change_control", "rate", "turned_p", "turned_p_holm")
_HEADLINE = ("effect", "effect_low", "effect_high", "effect_p", "effect_p_family", "effect_control", "effect_random",
             "beyond", "items", "groups")  # fmt: skip
_BY_OUTCOME = ("divergence", "perplexity", "separability", "calibration", "recalibrated", "layer", "strength", "norm",
               "vector", "choice_effect", "choice_divergence")  # fmt: skip
_ANSWERS = ("request", "refuses", "fidelity", "repetition")
_DESCRIBED = ("family", "operator", "dose")
_VERDICTS = {"refuses": 1.0, "complies": 0.0, "unclear": float("nan")}


def combined(tables: Mapping[Outcome, xr.Dataset]) -> tuple[xr.Dataset, xr.Dataset]:
    """What is saved: results with summaries of every outcome, and log-odds per item.

    Args:
        tables: of `run_control`, by outcome.
    """
    plain = {outcome: without_descriptions(table) for outcome, table in tables.items()}
    by_kind = merged([table[[*_CURVES, *_HEADLINE]] for table in plain.values()])
    by_outcome = along([table[list(_BY_OUTCOME)] for table in plain.values()], "outcome", list(tables))
    results = merged([by_kind, by_outcome], list(tables.values()))
    results = results.rename({name: f"control_{name}" for name in results.data_vars})
    if "refusal" in plain and "answer" in plain["refusal"]:
        results = merged([results, _answers(plain["refusal"])])
    items = merged([_items(outcome, table) for outcome, table in tables.items()])
    return _plain_text(results), _plain_text(items)


def _items(outcome: str, table: xr.Dataset) -> xr.Dataset:
    """Log-odds per item, in nats; all dimensions but the target carry the name of the outcome."""
    margins = table["margin"].astype(np.float32).drop_vars(_DESCRIBED)
    names = {name: f"{outcome}_{name}" for name in ("value", "source", "condition", "kind", "item", "group")}
    return margins.rename(names).rename(outcome).to_dataset()


def judged(results: xr.Dataset, judge: Judge) -> xr.Dataset:
    """The results with `answer_judged`, the judge's verdicts on the example answers: 1 refuses, 0 complies."""
    if "answer_text" not in results:
        return results
    requests, answers = (results[name].values.ravel() for name in ("answer_request", "answer_text"))
    known = [place for place, request in enumerate(requests) if isinstance(request, str) and request]
    verdicts = judge.judge([(str(requests[place]), str(answers[place])) for place in known])
    column = np.full(len(answers), np.nan)
    column[known] = [_VERDICTS[verdict] for verdict in verdicts]
    texts = results["answer_text"]
    return results.assign(answer_judged=(texts.dims, column.reshape(texts.shape)))


def _answers(table: xr.Dataset) -> xr.Dataset:
    names = {name: f"answer_{name}" for name in _ANSWERS} | {"answer": "answer_text"}
    chosen = table[[*names, "answer_perplexity", "detector_accuracy"]].isel(value=0, drop=True)
    return chosen.drop_dims(["condition", "item"], errors="ignore").rename(names)


def _plain_text(table: xr.Dataset) -> xr.Dataset:
    """Labels as text that every reader of NetCDF knows."""
    texts = {name: variable.astype(object) for name, variable in table.variables.items()
             if variable.dtype.kind in "TU"}  # fmt: skip
    return table.assign({name: v for name, v in texts.items() if name in table.data_vars}).assign_coords(
        {name: v for name, v in texts.items() if name in table.coords}
    )
