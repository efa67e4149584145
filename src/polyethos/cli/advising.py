"""`polyethos lab advise`: what a planned mixture of languages is likely to bring."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from polyethos.cli.judgements import judgement_table, plain, verdict_lines
from polyethos.cli.options import AsJson

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from polyethos.lab.advice import Advice, Forecast
    from polyethos.lab.evidence import Study
    from polyethos.lab.judgement import Judgement
    from polyethos.study import Run

_COLUMNS = {
    "loss": "loss,\nnats",
    "verdict_accuracy": "ver-\ndicts",
    "recognition": "recog-\nnition",
    "consistency": "consis-\ntency",
    "transfer": "trans-\nfer,\nprobits",
    "control": "con-\ntrol,\nnats",
    "transfer_accuracy": "transfer accuracy",
}
_READING = (
    "Loss in nats per token; verdicts and recognition as shares of 1, chance 0.5; consistency as cosine, 0 by chance; "
    "transfer in probits, 0 by chance, 1 is 84 % right; control: nats by which another language's direction moves "
    "refusals beyond random ones. Intervals are for one new run."
)


def advise(
    mixture: Annotated[
        str | None,
        typer.Option(
            "--mixture",
            "-m",
            help="The plan: en=0.6,zh=0.2,fi=0.2, a file, or a pocket model's name.",
            show_default="none: only what the evidence says",
        ),
    ] = None,
    sweep: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a sweep, or its sweep.nc; may be repeated.", show_default="the bundled sweep"),
    ] = None,
    study: Annotated[
        list[str] | None,
        typer.Option(
            help="Finished run of a real model; RUN@SHARES where the run does not know its shares: a column of the "
            "table of shares, a file, or en=0.9,zh=0.1. May be repeated.",
            show_default=False,
        ),
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Training tokens, on the lab's scale.", show_default="as most runs had")
    ] = None,
    size: Annotated[str | None, typer.Option(help="Of the lab's models.", show_default="the largest")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the evidence says of the advice on mixtures, and what to expect of a planned one, per language.

    Without a mixture there is no forecast. Forecasts come with 95 % intervals for a new run; what lies outside the
    evidence is marked, and far outside there is no number.

    [bold]Examples[/bold]

      polyethos lab advise

      polyethos lab advise --mixture en=0.5,zh=0.1,es=0.1,fi=0.1,sw=0.1,ta=0.1

      polyethos lab advise --mixture plan.toml --sweep my-sweep --study runs/llama@llama2_pct_documents --json
    """
    from rich.console import Console

    from polyethos.lab.advice import advise as give_advice
    from polyethos.lab.evidence import bundled_sweep, joined, read_sweep
    from polyethos.lab.judgement import judge_all
    from polyethos.lab.mixture import read_mixture

    evidence = joined([read_sweep(path) for path in sweep]) if sweep else bundled_sweep()
    if mixture is None:
        if study or tokens or size:
            raise typer.BadParameter("--study, --tokens and --size belong to a plan; add --mixture")
        _evidence(Console(), judge_all(evidence), as_json=as_json)
        return
    plan = read_mixture(mixture)
    studies = [_study(text) for text in study or ()]
    advice = give_advice(plan, evidence, studies=studies, tokens=tokens, size=size)
    if as_json:
        print(json.dumps(plain(advice.to_json()), indent=1))
    else:
        _print(Console(), advice)


def _evidence(console: Console, judged: tuple[Judgement, ...], *, as_json: bool) -> None:
    from polyethos.lab.advice import LIMITS
    from polyethos.lab.judgement import STATEMENTS, verdicts

    if as_json:
        content = {"statements": STATEMENTS, "verdicts": verdicts(judged), "limits": LIMITS}
        print(json.dumps(plain(content | {"judgements": [asdict(one) for one in judged]}), indent=1))
        return
    _print_judgements(console, judged, LIMITS)
    console.print(
        "For what to expect of a mixture of your own, name it: --mixture en=0.5,zh=0.1,es=0.1,fi=0.1,sw=0.1,ta=0.1"
    )


def _study(text: str) -> Study:
    from polyethos.errors import RunError
    from polyethos.lab.evidence import Study
    from polyethos.lab.given_shares import given_shares
    from polyethos.study import open_run

    folder, at, given = text.partition("@")
    run = open_run(folder)
    if run.models:
        raise RunError(
            f"{folder}: holds several models; give the folder of one, such as {next(iter(run.models))!r} in it"
        )
    shares, source = (given_shares(given), given) if at else _own_shares(run, folder)
    return Study(str(run.results.attrs.get("model", folder)), run.results, shares, source)


def _own_shares(run: Run, folder: str) -> tuple[dict[str, float], str]:
    from polyethos.dataset.languages import share_sources
    from polyethos.errors import LabError

    if "pretraining_share" not in run.results:
        raise LabError(
            f"{folder}: the shares its model was trained on are not known; give {folder}@SHARES, a file or one of "
            f"{', '.join(share_sources())}"
        )
    found: xr.DataArray = run.results["pretraining_share"].dropna("language")
    shares = {str(code): float(share) / 100 for code, share in zip(found["language"].values, found.values, strict=True)}
    return shares, str(found.attrs.get("source", "the run"))


def _print(console: Console, advice: Advice) -> None:
    console.print(
        f"Forecast for models of size {advice.size} and {advice.tokens:,} tokens, from {advice.runs} runs with "
        f"{advice.seeds} seeds of the lab"
    )
    for basis in dict.fromkeys(one.basis for one in advice.forecasts):
        forecasts = [one for one in advice.forecasts if one.basis == basis]
        if basis == "studies":
            console.print(f"From real models, by share alone: {'; '.join(advice.studies)}")
        console.print(_table(forecasts, advice))
    console.print(f"  {_READING}")
    for reason in dict.fromkeys(reason for one in advice.forecasts for reason in one.outside):
        console.print(f"  ! outside the evidence: {reason}")
    for fit in advice.quality:
        worth = "better than" if fit.error < fit.plain_error else "[red]no better than[/]"
        console.print(
            f"  {fit.outcome.replace('_', ' ')}: on mixtures left out, wrong by {fit.error:.2f} on average, {worth} "
            f"expecting the mean ({fit.plain_error:.2f})"
        )
    _print_judgements(console, advice.judgements, advice.limits)


def _print_judgements(console: Console, judged: Sequence[Judgement], limits: Sequence[str]) -> None:
    from polyethos.lab.judgement import OUTCOMES

    console.print(verdict_lines(judged))
    console.print(judgement_table(judged, by=OUTCOMES[:1]))
    console.print("What small models cannot show:")
    for limit in limits:
        console.print(f"  - {limit}")


def _table(forecasts: list[Forecast], advice: Advice) -> Table:
    outcomes = list(dict.fromkeys(one.outcome for one in forecasts))
    table = Table("", *(_COLUMNS.get(outcome, outcome) for outcome in outcomes), box=SIMPLE_HEAD, pad_edge=False)
    cells: dict[tuple[str, str], Forecast] = {(one.language, one.outcome): one for one in forecasts}
    for code, share in advice.mixture.items():
        table.add_row(f"{code} {share:.1%}", *(_cell(cells[code, outcome]) for outcome in outcomes))
    return table


def _cell(forecast: Forecast) -> str:
    if math.isnan(forecast.value):
        return "too far\naway !"
    mark = " !" if forecast.outside else ""
    interval = "" if math.isnan(forecast.low) else f"\n{_short(forecast.low)} to {_short(forecast.high)}"
    return f"{_short(forecast.value)}{mark}{interval}"


def _short(number: float) -> str:
    return f"{number:.2f}" if abs(number) < 2 else f"{number:.1f}"
