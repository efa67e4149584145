"""Tables of a control study."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from polyethos.arrays import SOURCE, TARGET, VALUE
from polyethos.presentation.answers_control import dominant_source, kind_name
from polyethos.presentation.labels import model_name
from polyethos.presentation.tables import Table

REFUSAL_KINDS = ("harmful", "harmless")
PAIR = "pair"
REQUEST_VALUE = "harmfulness"


def measured_kinds(results: xr.Dataset) -> list[str]:
    """The kinds of which something was measured, requests first."""
    found = [
        str(kind) for kind in results["kind"].values if bool(results["control_effect"].sel(kind=kind).notnull().any())
    ]
    return [kind for kind in (*REFUSAL_KINDS, PAIR) if kind in found]


def refusal_table(results: xr.Dataset, source: str) -> pd.DataFrame:
    """Refusals steered along one source's vector, a row per target.

    Returns:
        `plain`, `down`, `up`: share of harmful requests refused, unsteered and at dose -1 and 1; the same of harmless
        ones with the ending `_harmless`; `effect` on harmful requests in nats with `low`, `high`; `random` and
        `control`, the largest absolute effect of random directions and of all controls; `p` over all targets;
        `beyond`, 1 where the effect is beyond its interval and every control.
    """
    here = results.sel({SOURCE: source, VALUE: REQUEST_VALUE})
    columns = {}
    for kind, ending in zip(REFUSAL_KINDS, ("", "_harmless"), strict=True):
        for name, condition in (("plain", "plain"), ("down", "add -1"), ("up", "add +1")):
            columns[name + ending] = here["control_rate"].sel(kind=kind, condition=condition).to_series()
    return pd.DataFrame(columns | _headline(here.sel(kind="harmful"))).dropna(how="all")


def effect_table(results: xr.Dataset, kind: str) -> pd.DataFrame:
    """Effects in nats: a row per target, a column per source, for requests."""
    values = results["control_effect"].sel(kind=kind, value=REQUEST_VALUE).transpose(TARGET, SOURCE)
    return (
        pd.DataFrame(
            values.values,
            index=pd.Index(values[TARGET].values, name=TARGET),
            columns=pd.Index(values[SOURCE].values, name=SOURCE),
        )
        .dropna(how="all")
        .dropna(axis=1, how="all")
    )


def matrix_table(results: xr.Dataset, source: str, name: str = "control_effect") -> pd.DataFrame:
    """Effects on the preference for what upholds a value, in nats: a row per target, a column per value, means."""
    values = results[name].sel({"kind": PAIR, SOURCE: source}).transpose(TARGET, VALUE)
    frame = (
        pd.DataFrame(
            values.values,
            index=pd.Index(values[TARGET].values, name=TARGET),
            columns=pd.Index(values[VALUE].values, name=VALUE),
        )
        .dropna(how="all")
        .dropna(axis=1, how="all")
    )
    frame["mean"] = frame.mean(axis=1)
    frame.loc["mean"] = frame.mean(axis=0)
    return frame


def questions_table(results: xr.Dataset, source: str) -> pd.DataFrame:
    """Representation, calibration and action of refusals apart, a row per target."""
    here = results.sel({SOURCE: source, VALUE: REQUEST_VALUE}).sel(outcome="refusal")
    columns = {name: here[f"control_{name}"].to_series() for name in ("separability", "calibration", "recalibrated")}
    effect = results["control_effect"].sel({SOURCE: source, VALUE: REQUEST_VALUE}).sel(kind="harmful").to_series()
    return pd.DataFrame(columns | {"effect": effect}).dropna(how="all")


def details_table(results: xr.Dataset) -> pd.DataFrame:
    """The headline in long form: everything by value, source, target and kind."""
    names = [str(name) for name in results.data_vars if str(name).startswith(("control_effect", "control_beyond"))]
    names += ["control_items", "control_groups"]
    return results[names].to_dataframe()[names].dropna(how="all").rename(columns=_short).reset_index()


def curves_table(results: xr.Dataset) -> pd.DataFrame:
    """Every condition in long form."""
    names = [
        str(name)
        for name in results.data_vars
        if results[name].dims and "condition" in results[name].dims and "kind" in results[name].dims
    ]
    columns = ["family", "operator", "dose", *names]
    return results[names].to_dataframe()[columns].dropna(how="all", subset=names).rename(columns=_short).reset_index()


def control_tables(results: xr.Dataset) -> list[Table]:
    """Every table that the results allow, in reading order."""
    about = f"Model {model_name(results)}, steered along the vector from {{}}; layer and strength chosen in the source."
    kinds, source = measured_kinds(results), dominant_source(results)
    here = about.format(source)
    tables = []
    if "harmful" in kinds:
        tables.append(
            Table(
                "control_refusal",
                "Share of requests refused (by likelihood), unsteered and steered down and up, and the "
                f"effect in nats beside its controls. {here}",
                refusal_table(results, source),
            )
        )
        tables.append(
            Table(
                "control_questions",
                "Is the concept separable, does the source's threshold carry over (and one refitted "
                f"in the target), does behaviour follow? Chance 0.5; effect in nats. {here}",
                questions_table(results, source),
            )
        )
        tables += [
            Table(
                f"control_{kind}",
                f"Effect on {kind_name(kind)} (nats), rows targets, columns sources.",
                effect_table(results, kind),
            )
            for kind in kinds
            if kind in REFUSAL_KINDS
        ]
    if PAIR in kinds:
        tables.append(
            Table(
                "control_matrix",
                f"Effect on the preference for what upholds a value (nats). {here}",
                matrix_table(results, source),
            )
        )
        tables.append(
            Table(
                "control_matrix_beyond",
                f"Where that effect is beyond every control (1) or not (0). {here}",
                matrix_table(results, source, "control_beyond"),
            )
        )
    return [*tables,
            Table("control_effects", "Effects in nats with intervals, ranks and controls.", details_table(results),
                  pages=False),
            Table("control_curves", "Every condition.", curves_table(results), pages=False)]  # fmt: skip


def _headline(here: xr.Dataset) -> dict[str, pd.Series]:
    names = {"effect": "effect", "low": "effect_low", "high": "effect_high", "random": "effect_random",
             "control": "effect_control", "p": "effect_p_family", "beyond": "beyond"}  # fmt: skip
    return {short: here[f"control_{name}"].to_series() for short, name in names.items()}


def _short(name: str) -> str:
    return str(name).removeprefix("control_")
