"""The report's figures on steering: what the vector does in every language, beside the strongest of its controls."""

from __future__ import annotations

import numpy as np
import xarray as xr
from markupsafe import Markup

from polyethos.arrays import SOURCE, TARGET, VALUE
from polyethos.presentation.answers_control import dominant_source, kind_name, source_name
from polyethos.presentation.charts import Point, Series, rows_chart
from polyethos.presentation.control_tables import PAIR, REQUEST_VALUE, measured_kinds
from polyethos.presentation.labels import language_name, typeset, value_name

_AXIS = "Steering up against down, change of the log-odds (nats)"


def control_charts(results: xr.Dataset) -> list[Markup]:
    """A chart per kind of outcome: rows are languages, with the vector's effect and the strongest control's.

    Args:
        results: of `polyethos control`.
    """
    here = results.sel({SOURCE: dominant_source(results)})
    charts = []
    for kind in measured_kinds(results):
        of_kind = here.sel(kind=kind)
        names = [REQUEST_VALUE] if kind != PAIR else [str(value) for value in of_kind[VALUE].values]
        charts += [_chart(of_kind.sel({VALUE: name}), kind, name, dominant_source(results)) for name in names]
    return [chart for chart in charts if chart]


def _chart(here: xr.Dataset, kind: str, value: str, source: str) -> Markup:
    here = here.dropna(TARGET, subset=["control_effect"])
    codes = [str(code) for code in here[TARGET].values]
    if not codes:
        return Markup("")
    effects, controls = [], []
    for row, code in enumerate(codes):
        one = here.sel({TARGET: code})
        effect, low, high = (float(one[f"control_effect{end}"]) for end in ("", "_low", "_high"))
        strongest, beyond = float(one["control_effect_control"]), float(one["control_beyond"]) > 0
        words = f"{language_name(code)}: {effect:+.2f} nats (95 % interval {low:+.2f} to {high:+.2f})"
        words += f", {'beyond' if beyond else 'not beyond'} the strongest control ({strongest:.2f})"
        effects.append(Point(row, effect, low, high, typeset(words)))
        told = f"{language_name(code)}: strongest control {strongest:.2f}"
        controls.append(Point(row, strongest, np.nan, np.nan, typeset(told)))
    title = f"{kind_name(kind).capitalize()} ({value_name(value).lower()}), vector from {source_name(source)}"
    series = [Series("the concept vector, with 95 % interval", effects), Series("strongest of all controls", controls)]
    chart = rows_chart([language_name(code) for code in codes], series, axis=_AXIS, title=title)
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(title, chart)
