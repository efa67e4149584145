"""`polyethos lab sweep`: train many small models whose mixtures differ in one thing each."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyethos.cli.judgements import judgement_table, plain, verdict_lines
from polyethos.cli.options import AsJson, Names, Quiet, names_of
from polyethos.cli.progress import quiet_libraries

if TYPE_CHECKING:
    from rich.console import Console

    from polyethos.lab.sweep import Sweep, SweepProgress


def sweep(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the sweep.")],
    experiments: Annotated[
        str | None,
        typer.Option(
            help="dominance-fixed-total, dominance-fixed-minority, balance, number-of-dominants.", show_default="all"
        ),
    ] = None,
    sizes: Annotated[str, typer.Option(help="tiny, small, pocket, large.")] = "small,tiny",
    seeds: Annotated[int, typer.Option(help="Runs per condition and size; the seed is the unit.")] = 3,
    tokens: Annotated[int, typer.Option(help="Training tokens of a run.")] = 400_000,
    languages: Annotated[
        str | None, typer.Option(help="Codes, dominant ones first; at least five.", show_default="en,zh,es,fi,sw,ta")
    ] = None,
    values: Names = "harmfulness",
    longest: Annotated[
        float | None,
        typer.Option(help="Leave out conditions of more than this many times the tokens.", show_default=False),
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="Train on this text instead of the small world.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Runs at the same time.")] = 1,
    measure_again: Annotated[
        bool, typer.Option("--measure-again", help="Measure finished runs anew, training nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train small models under mixtures that differ in one thing each, and judge the advice on pre-training data.

    A stopped sweep goes on with the same command; a failing run is reported, and the others go on.

    [bold]Examples[/bold]

      polyethos lab sweep --out sweep --longest 8 --jobs 2

      polyethos lab sweep --out mine --text my-texts --languages en,fi,hu,sw,ta --values morality,fairness
    """
    from rich.console import Console

    from polyethos.lab.sweep import sweep as run_sweep
    from polyethos.lab.sweep_plan import LANGUAGES, SweepPlan
    from polyethos.presentation.sweep_figures import write_sweep_figures

    named: dict[str, Any] = {"experiments": tuple(names_of(experiments) or ())} if experiments else {}
    plan = SweepPlan(
        **named,
        tokens=tokens,
        seeds=seeds,
        sizes=tuple(names_of(sizes) or ()),
        languages=tuple(names_of(languages) or LANGUAGES),
        values=tuple(names_of(values) or ()),
        longest=math.inf if longest is None else longest,
        text=None if text is None else str(text),
    )
    console = Console(stderr=True, quiet=quiet)
    with quiet_libraries(), console.status("preparing", spinner="line") as status:

        def tell(progress: SweepProgress) -> None:
            if progress.step is None:
                console.print(_finished_line(progress), highlight=False)
            status.update(_status_line(progress))

        done = run_sweep(plan, out, jobs=jobs, measure_again=measure_again, report=tell)
        write_sweep_figures(done.results, out / "figures")
    if as_json:
        _print_json(done)
    elif not quiet:
        _print_sweep(Console(), done, plan.left_out(), out)
    if done.failed:
        raise typer.Exit(1)


def _finished_line(progress: SweepProgress) -> str:
    what = f"failed: {progress.error}" if progress.error else "done"
    return f"{progress.done} of {progress.total}  {progress.run}: {what}{_left(progress)}"


def _status_line(progress: SweepProgress) -> str:
    step = progress.step
    now = f", step {step.step:,} of {step.steps:,}, {step.tokens_per_second:,.0f} tokens/s" if step else ""
    return f"{progress.done} of {progress.total} runs{_left(progress)}; {progress.run}{now}"


def _left(progress: SweepProgress) -> str:
    return "" if math.isnan(progress.seconds_left) else f", {progress.seconds_left / 60:.0f} min left"


def _print_json(done: Sweep) -> None:
    from polyethos.lab.judgement import OUTCOMES, judge_all, verdicts

    judged = judge_all(done.results)
    content = {
        "verdicts": verdicts(judged),
        "decided_by": OUTCOMES[0],
        "judgements": [vars(one) for one in judged],
        "runs": done.results.sizes["run"],
        "missing": done.missing,
        "failed": done.failed,
    }
    print(json.dumps(plain(content), indent=1))


def _print_sweep(console: Console, done: Sweep, left_out: tuple[str, ...], out: Path) -> None:
    from polyethos.lab.judgement import OUTCOMES, judge_all

    judged = judge_all(done.results)
    console.print(judgement_table(judged, by=OUTCOMES))
    console.print(verdict_lines(judged))
    if left_out:
        console.print(f"Left out as too long: {', '.join(left_out)}.")
    if done.missing:
        console.print(f"{len(done.missing)} runs are missing, for instance {done.missing[0]}; run the command again.")
    console.print(f"Results of {done.results.sizes['run']} runs, with figures: {out}", soft_wrap=True)
