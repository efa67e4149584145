"""Summary tables of one study, and of several models side by side, as data frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from polyethos.arrays import FOLD, LANGUAGE, LAYER, SOURCE, TARGET, VALUE
from polyethos.presentation.answers import answers
from polyethos.presentation.cells import Unit
from polyethos.presentation.comparing import Compared, compared, differences_table, languages_table, overall_table
from polyethos.presentation.evidence import gain_between, pairs_apart
from polyethos.presentation.labels import by_share, equal_shares, high_resource, model_name, share_words
from polyethos.presentation.protocols import claims_table, contrast_table
from polyethos.presentation.relation_table import linguistic_table
from polyethos.presentation.runs import by_model, run_names

_MEAN = "mean"


@dataclass(frozen=True)
class Table:
    """A data frame in its stored unit, with what a reader needs to read it.

    Attributes:
        name: file name without suffix.
        caption: what the numbers are; one or two sentences.
        frame: accuracies as fractions, labels as codes.
        unit: how numbers are shown to people: "percent" and "points" are multiplied by 100, "points" signed.
        pages: whether the table fits a printed page (long ones are for machines only).
    """

    name: str
    caption: str
    frame: pd.DataFrame
    unit: Unit = "plain"
    pages: bool = True

    def rows(self) -> Iterator[tuple[Hashable, tuple[Any, ...]]]:
        """Every row: its label and its cells."""
        return zip(self.frame.index, self.frame.itertuples(index=False, name=None), strict=True)


@dataclass(frozen=True)
class _Recipe:
    """How a table is made; `needs` is the beginning of the name of a variable it cannot do without."""

    name: str
    needs: str
    build: Callable[[xr.Dataset], pd.DataFrame]
    unit: Unit
    pages: bool
    caption: str


def recognition_table(results: xr.Dataset) -> pd.DataFrame:
    """Recognition accuracy as in the paper's table: a row per language, a column per value, means at the end.

    Returns:
        Fractions, chance 0.5; rows by share of pre-training. Means leave out what was not measured (NaN).
    """
    frame = _frame(results["recognition"], LANGUAGE, VALUE).reindex(by_share(results))
    frame[_MEAN] = frame.mean(axis=1)
    frame.loc[_MEAN] = frame.mean(axis=0)
    return frame


def recognition_details(results: xr.Dataset) -> pd.DataFrame:
    """Recognition accuracy in long form: value, language, accuracy, items and groups of items, interval and p's."""
    names = {"recognition": "accuracy", "n_items": "items", "n_groups": "groups"}
    names |= {f"recognition_{end}": end for end in ("low", "high", "p", "p_family")}
    known = [name for name in names if name in results]
    return results[known].to_dataframe()[known].rename(columns=names).reset_index()


def pair_table(results: xr.Dataset, name: str) -> pd.DataFrame:
    """The variable `name` (source, target) as a square frame: rows are sources, columns targets, by share.

    Languages for which nothing was measured are left out.
    """
    measured = results[name].notnull()
    used = measured.any(TARGET).rename({SOURCE: LANGUAGE}) | measured.any(SOURCE).rename({TARGET: LANGUAGE})
    order = [code for code in by_share(results) if bool(used.sel({LANGUAGE: code}))]
    return _frame(results[name], SOURCE, TARGET).reindex(index=order, columns=order)


def _symmetric(frame: pd.DataFrame) -> pd.DataFrame:
    """The same square where neither side is the source: both are languages."""
    return frame.rename_axis(index=LANGUAGE, columns=LANGUAGE)


def controls_table(results: xr.Dataset) -> pd.DataFrame:
    """Recognition accuracy of the concept vectors and of every control, mean over languages: a column per value."""
    own = results["recognition"].mean(LANGUAGE).to_series()
    controls = _frame(results["control_accuracy"].mean(LANGUAGE), "control", VALUE)
    frame = pd.concat([own.to_frame("concept vector").T, controls])
    frame[_MEAN] = frame.mean(axis=1)
    return frame.rename_axis(index="what is asked", columns=VALUE)


def reliability_table(results: xr.Dataset) -> pd.DataFrame:
    """Share of each vector's squared length that is no noise, at the layer where vectors are compared."""
    at_layer = results["reliability"].sel({LAYER: results["consistency_layer"]}).drop_vars(LAYER)
    return _frame(at_layer, LANGUAGE, VALUE).reindex(by_share(results))


def similarity_table(results: xr.Dataset, name: str) -> pd.DataFrame:
    """A noise-corrected similarity (value, source, target), mean over the values for which it is defined.

    Returns:
        Rows and columns by share; "undefined" where it is defined for no value.
    """
    order = by_share(results)
    frame = _frame(results[name].mean(VALUE), SOURCE, TARGET).reindex(index=order, columns=order)
    return _symmetric(frame.astype(object).where(frame.notna(), UNDEFINED))


def pair_details(results: xr.Dataset) -> pd.DataFrame:
    """Every ordered pair of languages per value in long form: accuracy of the vector, similarity of the directions."""
    names = {"transfer_accuracy": "accuracy", "similarity_by_value": "similarity", "consistency": "consistency"}
    ends = ("low", "high", "p", "identical_p", "raw", "whitened")
    names |= {f"consistency_{end}": f"consistency_{end}" for end in ends}
    known = [name for name in names if name in results and set(results[name].dims) == {VALUE, SOURCE, TARGET}]
    frame = results[known].to_dataframe()[known].rename(columns=names).reset_index()
    if "direction_defined" in results:
        defined = results["direction_defined"].to_series().astype(bool)
        sides = (defined.loc[pd.MultiIndex.from_frame(frame[[VALUE, side]])].to_numpy() for side in (SOURCE, TARGET))
        frame["defined"] = next(sides) & next(sides)
    return frame


def layers_table(results: xr.Dataset) -> pd.DataFrame:
    """Layer chosen on the training folds: a row per value, a column per fold (layers count from 1)."""
    frame = _frame(results["chosen_layer"], VALUE, FOLD)
    return frame.rename(columns=lambda fold: f"fold {fold}").rename_axis(columns=None)


def layer_curve_table(results: xr.Dataset) -> pd.DataFrame:
    """Mean similarity of two languages' directions: a row per layer, a column per value."""
    return _frame(results["layer_curve"], LAYER, VALUE)


def models_table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Recognition accuracy of several models: a row per model, a column per value, the mean at the end."""
    frame = pd.DataFrame([run["recognition"].mean(LANGUAGE).to_series() for run in runs], index=run_names(runs))
    frame[_MEAN] = frame.mean(axis=1)
    return frame.rename_axis(index="model", columns=VALUE)


def models_by_language_table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Recognition accuracy (mean over values) of several models: a row per model, a column per language, the mean."""
    frame = pd.DataFrame([run["recognition"].mean(VALUE).to_series() for run in runs], index=run_names(runs))
    frame[_MEAN] = frame.mean(axis=1)
    return frame.rename_axis(index="model", columns=LANGUAGE)


def models_transfer_table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Similarity and transfer of several models.

    Returns:
        A row per model; columns: `similarity` (mean cosine over pairs of languages), `high_to_low` and `low_to_high`
        (mean transfer gain as a difference of fractions), `high_resource` (their codes).
    """
    rows = []
    for run in runs:
        down, up = gain_between(run) if "transfer_gain" in run else (float("nan"), float("nan"))
        similar = float(pairs_apart(run["similarity"]).mean()) if "similarity" in run else float("nan")
        rows.append((similar, down, up, " ".join(high_resource(run))))
    columns = ["similarity", "high_to_low", "low_to_high", "high_resource"]
    return pd.DataFrame(rows, index=run_names(runs), columns=columns).rename_axis(index="model")


UNDEFINED = "undefined"
"""What a table says where nothing can be said, which is neither 0 nor missing."""

_RECIPES = (
    _Recipe("recognition", "recognition", recognition_table, "percent", True,
            "Recognition accuracy (percent, chance 50): how often the sentence of a pair that upholds the value "
            "projects higher on the language's own concept vector."),
    _Recipe("transfer_gain", "transfer_gain", lambda results: pair_table(results, "transfer_gain"), "points", True,
            "Transfer gain (percentage points): accuracy of the source language's vector in the target language, "
            "minus that of the target language's own vector; rows are source languages, columns target languages."),
    _Recipe("similarity", "similarity", lambda results: _symmetric(pair_table(results, "similarity")), "plain", True,
            "Similarity (cosine) of the concept vectors of two languages."),
    _Recipe("controls", "control_accuracy", controls_table, "percent", True,
            "What the concept vectors get right, and what needs no concept to come out right (percent, chance 50), on "
            "the same held-out pairs; mean over languages."),
    _Recipe("consistency", "consistency_p", lambda results: similarity_table(results, "consistency"), "plain", True,
            "Similarity of the concept vectors of two languages freed of estimation noise, which may exceed 1 by "
            "chance; mean over the values for which it is defined."),
    _Recipe("consistency_whitened", "consistency_whitened",
            lambda results: similarity_table(results, "consistency_whitened"), "plain", True,
            "The same after whitening, which takes out dimensions in which all differences vary; mean over the values "
            "for which it is defined."),
    _Recipe("reliability", "reliability", reliability_table, "percent", True,
            "Reliability: share of a vector's squared length that is no estimation noise (percent), at the layer where "
            "vectors are compared; below 0 by chance."),
    _Recipe("linguistic", "linguistic_", linguistic_table, "plain", True,
            "Vector similarity and linguistic distance, per kind of distance. Where tested: change of similarity per "
            "standard deviation of distance (below 0: related languages share more), with 95 % interval, p, and p "
            "corrected for the number of kinds. r: Pearson correlation with linguistic similarity, for which no p is "
            "valid."),
    _Recipe("chosen_layer", "chosen_layer", layers_table, "plain", True,
            "Layer chosen on the training folds (layers count from 1)."),
    _Recipe("layer_curve", "layer_curve", layer_curve_table, "plain", True,
            "Mean similarity (cosine) of two languages' concept vectors, per layer."),
    _Recipe("protocols", "paper_recognition", contrast_table, "plain", True,
            "The published method and the corrected statistics on the same activations."),
    _Recipe("claims", "one_way_claimed", claims_table, "plain", False,
            "The paper's claims: the corrected protocol's verdict, what each protocol finds, and why they differ."),
    _Recipe("recognition_details", "recognition", recognition_details, "plain", False,
            "Every recognition accuracy (fraction, chance 0.5) with its number of items and, where known, of groups of "
            "items that are independent of one another, interval, p, and p corrected for asking all combinations."),
    _Recipe("pairs", "similarity_by_value", pair_details, "plain", False,
            "Accuracy (fraction) of the source's vector in the target and similarity (cosine), per value."),
)  # fmt: skip


def study_tables(results: xr.Dataset) -> list[Table]:
    """Every table that the results of one model allow, in reading order."""
    order = "" if equal_shares(results) else f"; languages by {share_words(results)}"
    about = f"Model {model_name(results)}, protocol {results.attrs.get('protocol', 'not stated')}{order}."
    return [
        Table(recipe.name, f"{recipe.caption} {about}", recipe.build(results), recipe.unit, recipe.pages)
        for recipe in _RECIPES
        if any(str(name).startswith(recipe.needs) for name in results.data_vars)
    ]


def comparison_tables(runs: Sequence[xr.Dataset]) -> list[Table]:
    """The tables that put several models side by side."""
    found = compared(runs)
    return [*_side_by_side(runs), *(_compared(found) if isinstance(found, Compared) else [])]


def _compared(found: Compared) -> list[Table]:
    where = f"Shares of the pre-training data: {found.source}."
    same = "95 % intervals draw the same items for every model; they are about these languages."
    return [
        Table("comparison", f"Means over languages, and change per tenfold share. {same} {where}",
              overall_table(found)),
        Table("comparison_differences", f"The first model minus the other, means over languages. {same}",
              differences_table(found)),
        Table("comparison_by_language", f"Quantities of each language, with its share in percent. {same} {where}",
              languages_table(found), pages=False),
    ]  # fmt: skip


def _side_by_side(runs: Sequence[xr.Dataset]) -> list[Table]:
    return [
        Table("models", "Recognition accuracy (percent, chance 50), mean over languages.", models_table(runs),
              "percent"),
        Table("models_by_language", "Recognition accuracy (percent, chance 50), mean over values.",
              models_by_language_table(runs), "percent"),
        Table("models_transfer", "Mean cosine between languages, and mean transfer gain (fraction) from high-resource "
              "languages to the others and back.", models_transfer_table(runs)),
    ]  # fmt: skip


def summary(results: xr.Dataset) -> dict[str, Any]:
    """The results in brief as plain data, for `--json`.

    Args:
        results: of one model, or of several along a dimension `model`.

    Returns:
        Under "models", per model: name, protocol, data, the answer to each question, and every summary table as rows;
        numbers that were not measured are None.
    """
    return {"models": [_brief(run) for run in by_model(results)]}


def _frame(array: xr.DataArray, rows: str, columns: str) -> pd.DataFrame:
    array = array.transpose(rows, columns)
    labels = {dim: pd.Index(array[dim].values, name=dim) for dim in (rows, columns)}
    return pd.DataFrame(array.values, index=labels[rows], columns=labels[columns])


def _brief(results: xr.Dataset) -> dict[str, Any]:
    tables = {
        table.name: json.loads(table.frame.to_json(orient="index")) for table in study_tables(results) if table.pages
    }
    found = {
        answer.key: {"verdict": answer.verdict, "sentence": answer.sentence, "details": list(answer.details)}
        for answer in answers(results)
    }
    about = {key: str(results.attrs.get(key, "")) for key in ("model", "protocol", "data")}
    return {**about, "answers": found, "tables": tables}
