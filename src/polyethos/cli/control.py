"""`polyethos control`: steer every language from the dominant one, and measure what it does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from polyethos.cli.options import AsJson, Columns, Names, Quiet, columns_of, names_of, numbers_of
from polyethos.cli.progress import quiet_libraries

_KEY = "POLYETHOS_JUDGE_KEY"


def control(
    run: Annotated[
        Path | None,
        typer.Argument(help="Folder of a finished run, whose model and data are taken.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Hub id, folder, preset or pocket model.", show_default="pocket-balanced"),
    ] = None,
    values: Names = None,
    sources: Annotated[
        str | None,
        typer.Option(
            help="Languages of the vectors; also dominant, pooled, own.",
            show_default="dominant; for refusals also own, with --full all three",
        ),
    ] = None,
    targets: Annotated[str | None, typer.Option(help="Languages to measure.", show_default="all")] = None,
    outcome: Annotated[str | None, typer.Option(help="refusal, preference.", show_default="both")] = None,
    prompts: Annotated[
        str | None,
        typer.Option(help="JSONL or CSV file with the columns harmful and harmless.", show_default="bundled"),
    ] = None,
    column: Columns = None,
    data: Annotated[str | None, typer.Option(help="Contrast pairs for preferences.", show_default="by model")] = None,
    operator: Annotated[
        str | None, typer.Option(help="Beside add: ablate, clamp, rotate, gated add.", show_default="by size")
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(help="Candidates, shares of the residual norm, as 0.1,0.2.", show_default="by size")
    ] = None,
    layers: Annotated[str | None, typer.Option(help="Candidate blocks, as 10-20.", show_default="all")] = None,
    budget: Annotated[float, typer.Option(help="Most divergence on neutral text, nats per token.")] = 0.1,
    dialogue: Annotated[
        str | None,
        typer.Option(
            help="Template around requests: a text with {input}.", show_default="the run's or the model's own"
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer items, no curves.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All items, more controls.")] = False,
    judge: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server.", show_default=False)
    ] = None,
    judge_model: Annotated[str, typer.Option(help="Name of the judging model there.")] = "default",
    tasks: Annotated[
        str | None, typer.Option(help="Tasks of lm-evaluation-harness, plain and steered.", show_default=False)
    ] = None,
    tasks_folder: Annotated[
        str | None, typer.Option(help="Folder with task definitions of your own.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits, controls and bootstrap.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Let the model's repository run its own code.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder.", show_default="RUN/control or polyethos-runs/...")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Steer every language along the dominant language's vectors, and measure what that does beside its controls.

    Without arguments, steers the bundled pocket model: some minutes with --quick, a quarter of an hour or more
    without. A killed study goes on with the same command. The key of a
    judge is read from the environment variable POLYETHOS_JUDGE_KEY.

    [bold]Examples[/bold]

      polyethos control --quick

      polyethos control my-run --sources en,own --targets fi,sw

      polyethos control --model Qwen/Qwen2.5-0.5B-Instruct --prompts requests.csv --column language==en
    """
    from polyethos.study.control_study import ControlStudy
    from polyethos.study.controlling import default_folder, measure_control

    if quick and full:
        raise typer.BadParameter("--quick and --full: choose one of them")
    fields: dict[str, Any] = {
        "model": model,
        "dialogue": dialogue,
        "outcomes": names_of(outcome),
        "values": names_of(values),
        "sources": names_of(sources),
        "targets": names_of(targets),
        "prompts": prompts,
        "columns": columns_of(column),
        "data": data,
        "operators": names_of(operator),
        "strengths": _decimals(strengths),
        "layers": numbers_of(layers),
        "tasks": names_of(tasks),
        "tasks_folder": tasks_folder,
        "size": "quick" if quick else "full" if full else None,
    }
    given = _of_run(run) if run is not None else {}
    for name, content in fields.items():
        if content is not None:
            given[name] = tuple(content) if isinstance(content, list) else content
    with quiet_libraries(), _progress(shown=not (quiet or as_json)) as observer:
        study = ControlStudy(**given, budget=budget, seed=seed, device=device, trust_remote_code=trust_remote_code)
        folder = out or (run / "control" if run is not None else default_folder(study))
        asked = _judge(judge, judge_model, folder)
        finished = measure_control(study, folder, judge=asked, observer=observer)
    if as_json:
        from polyethos.presentation.control_terminal import summary

        print(json.dumps(summary(finished.results, finished.path), ensure_ascii=False, indent=1))
    elif not quiet:
        from rich.console import Console

        from polyethos.presentation.control_terminal import show_control

        show_control(Console(), finished.results, finished.path)


def _of_run(run: Path) -> dict[str, Any]:
    """What a finished run decides: its model, the template it gave, and data, values and languages of preferences."""
    from polyethos.errors import RunError
    from polyethos.study import Study, open_run

    finished = open_run(run)
    if finished.models:
        names = ", ".join(finished.models)
        raise RunError(f"{run}: several models; give the folder of one of them ({names})")
    study = Study(**finished.study["study"])
    choice = study.models[0]
    taken = {"model": choice.name, "revision": choice.revision, "data": study.data_source, "dtype": study.dtype,
             "values": study.values, "targets": study.languages,
             "dialogue": choice.template if "{input}" in choice.template else None}  # fmt: skip
    return {name: content for name, content in taken.items() if content is not None}


def _judge(endpoint: str | None, name: str, folder: Path) -> Any:  # noqa: ANN401
    from polyethos.control.judging import Judge
    from polyethos.study.control_folder import VERDICTS_FILE

    return None if endpoint is None else Judge(endpoint, name, folder / VERDICTS_FILE, key=os.environ.get(_KEY))


def _decimals(text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected numbers such as 0.1,0.2") from None


@contextmanager
def _progress(*, shown: bool) -> Iterator[Any]:
    """An observer that draws a bar per outcome on standard error with the time left; None if nothing is shown."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A language may take minutes, and its speed is only known when it is done.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=24 * 3600)
    with bar:
        begun: dict[str, Any] = {}

        def tell(step: str, done: int, total: int) -> None:
            outcome = step.partition(":")[0]
            if outcome not in begun:
                begun[outcome] = bar.add_task(outcome, total=total)
            bar.update(begun[outcome], description=step, completed=done, total=total)

        yield tell
