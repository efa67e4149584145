"""What `polyethos run` prints: recognition, transfer and consistency, readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from polyethos.arrays import LANGUAGE, VALUE
from polyethos.presentation.answers import Answer, answers
from polyethos.presentation.evidence import above_chance, gain_between, pairs_apart
from polyethos.presentation.labels import by_share, chance, language_name, model_name, typeset, value_name, values
from polyethos.presentation.protocols import claims, contrasts
from polyethos.presentation.runs import by_model
from polyethos.presentation.studied import studied
from polyethos.presentation.tables import models_table, models_transfer_table

_WIDE = 110
_MODEL_WIDTH = 30
# Distance above chance at which a colour begins; blue and yellow stay apart for colour-blind readers.
_VERDICTS = {"supported": "bold bright_blue", "in part": "bright_blue", "contradicted": "bold yellow", "open": "dim"}
_STYLES = ((0.35, "bold bright_blue"), (0.2, "bright_blue"), (0.08, "cyan"))


def show_run(console: Console, results: xr.Dataset, folder: Path) -> None:
    """Print what a run found and where its files are.

    Args:
        console: where to print.
        results: of one model, or of several along a dimension `model`.
        folder: the run folder.
    """
    runs = by_model(results)
    console.print(summary(runs[0], folder) if len(runs) == 1 else comparison(runs))
    console.print(
        Text(f"Everything is in {folder}; the report with all figures: {folder / 'report.html'}"), soft_wrap=True
    )


def summary(results: xr.Dataset, folder: Path | None = None) -> Group:
    """Everything a newcomer needs after a run: an answer per question, with its small table below it."""
    tables: dict[str, Callable[[xr.Dataset], RenderableType]] = {
        "existence": RecognitionTable,
        "consistency": _similarities,
        "transfer": _gains,
    }
    found = answers(results, folder=folder)
    about = studied(results)
    parts: list[RenderableType] = [_title(results), Text(f"{about.model} {about.data}".strip(), style="dim")]
    for answer in found:
        if answer.measured:
            parts += ["", _line(answer)]
            parts += [tables[answer.key](results)] if answer.key in tables else []
    parts += _protocols(results)
    missing = [f"{answer.question} ({answer.command})" for answer in found if not answer.measured]
    return Group(*parts, *([Text(f"\nNot measured in this run: {' '.join(missing)}", style="dim")] if missing else []))


@dataclass(frozen=True)
class RecognitionTable:
    """Recognition accuracy in percent, a row per language and a column per value; adapts to the terminal's width."""

    results: xr.Dataset

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, then how to read it."""
        named = {code: f"{language_name(code)[:12]} {code}" for code in by_share(self.results)}
        first = max(map(cell_len, ["language", *named.values()]), default=0)
        full = [value_name(value) for value in values(self.results)]
        # Full names only where every one of them fits, so that none is cut; a number takes six columns.
        wide = 1 + first + sum(3 + max(6, cell_len(name)) for name in [*full, "mean"]) <= options.max_width
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1 if options.max_width >= _WIDE else 0))
        table.add_column("language", no_wrap=True, min_width=first)
        for value in values(self.results):
            table.add_column(value_name(value, short=not wide), justify="right", no_wrap=True, min_width=6)
        table.add_column("mean", justify="right", no_wrap=True, min_width=6)
        clear = above_chance(self.results)
        for code in by_share(self.results):
            row, sure = self.results["recognition"].sel({LANGUAGE: code}), clear.sel({LANGUAGE: code})
            cells = [self._cell(float(row.sel({VALUE: v})), bool(sure.sel({VALUE: v}))) for v in values(self.results)]
            table.add_row(named[code], *cells, self._cell(float(row.mean()), sure=True))
        yield table
        asked = int(self.results["recognition"].count())
        corrected = f", corrected for asking {asked} times" if "recognition_p_family" in self.results else ""
        yield Text(
            f"Percent of held-out pairs told apart; guessing gives {100 * chance(self.results):.0f}. In brackets: not "
            f"told apart from guessing{corrected}.",
            style="dim",
        )

    def _cell(self, accuracy: float, sure: bool) -> Text:
        if np.isnan(accuracy):
            return Text("–")
        number = f"{100 * accuracy:.0f}"
        above = accuracy - chance(self.results)
        if not sure:
            return Text(f"({number})", style="yellow" if above < 0 else "dim")
        style = next((style for least, style in _STYLES if above >= least), "")
        return Text(f"{number} ", style=style)


def _similarities(results: xr.Dataset) -> Table:
    """Mean similarity of two languages' vectors, a row per value."""
    name = "consistency" if "consistency" in results else "similarity_by_value"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("value")
    for heading in ("mean similarity", "lowest", "highest"):
        table.add_column(heading, justify="right")
    for value in values(results) if name in results else ():
        matrix = pairs_apart(results[name].sel({VALUE: value}))
        table.add_row(
            value_name(value),
            *(typeset(f"{float(number):.2f}") for number in (matrix.mean(), matrix.min(), matrix.max())),
        )
    return table


def _gains(results: xr.Dataset) -> Table:
    """Mean transfer gain in percentage points: over all pairs, and to and from high-resource languages."""
    down, up = gain_between(results)
    overall = float(pairs_apart(results["transfer_gain"]).mean())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("vector from -> used in")
    table.add_column("gain, points", justify="right")
    table.add_row("any language -> any other", _points(overall))
    for label, gain in (("high-resource -> others", down), ("others -> high-resource", up)):
        if not np.isnan(gain):
            table.add_row(label, _points(gain))
    return table


def _protocols(results: xr.Dataset) -> list[RenderableType]:
    """Both protocols' numbers, and what the corrected one makes of each of the paper's claims."""
    parts: list[RenderableType] = []
    if rows := contrasts([results]):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("the same activations, by protocol")
        for protocol in ("paper", "corrected"):
            table.add_column(protocol, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(row.quantity, typeset(row.paper), typeset(row.corrected))
        parts += ["", table]
    if found := claims([results]):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("the paper's claim")
        table.add_column("corrected", no_wrap=True)
        for claim in found:
            table.add_row(claim.finding.claim, Text(claim.finding.verdict, style=_VERDICTS[claim.finding.verdict]))
        parts += [table, Text("Reasons and numbers: report.html, tables/claims.csv.", style="dim")]
    return parts


def comparison(runs: Sequence[xr.Dataset]) -> Group:
    """Several models side by side: recognition per value, similarity and transfer."""
    return Group(
        Text("Recognition accuracy, percent (guessing gives 50), mean over languages", style="bold"),
        _ModelsTable(tuple(runs)),
        Text("Gains: accuracy of another language's vector minus that of the language's own, points.", style="dim"),
    )


@dataclass(frozen=True)
class _ModelsTable:
    runs: tuple[xr.Dataset, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        recognised, moved = models_table(self.runs), models_transfer_table(self.runs)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("model", overflow="fold", min_width=_MODEL_WIDTH)
        shown = list(recognised.columns) if options.max_width >= _WIDE else ["mean"]
        for column in shown:
            table.add_column(value_name(str(column), short=True), justify="right", no_wrap=True)
        for column in ("cosine", "high->low", "low->high"):
            table.add_column(column, justify="right", no_wrap=True)
        for name in recognised.index:
            row = moved.loc[name]
            cells = [f"{100 * recognised.loc[name, column]:.0f}" for column in shown]
            table.add_row(
                Text(str(name)), *cells, f"{row.similarity:.2f}", _points(row.high_to_low), _points(row.low_to_high)
            )
        yield table


def _title(results: xr.Dataset) -> Text:
    about = f"{len(values(results))} values, {len(by_share(results))} languages"
    data, protocol = results.attrs.get("data", "unnamed"), results.attrs.get("protocol", "unknown")
    return Text(f"{model_name(results)}: {about}, data {data}, protocol {protocol}", style="bold reverse")


def _line(answer: Answer) -> Text:
    caution = f" {answer.caution}" if answer.caution else ""
    return Text.assemble(
        (answer.question, "bold"), " ", (f"{answer.verdict}. ", "bold cyan"), answer.sentence, (caution, "dim")
    )


def _points(gain: float) -> str:
    return "–" if np.isnan(gain) else typeset(f"{100 * gain:+.1f}")
