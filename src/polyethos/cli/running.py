"""`polyethos run`: study a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from polyethos.cli.options import AsJson, Columns, Names, Quiet, columns_of, names_of
from polyethos.cli.progress import progress_bar, quiet_libraries


def run(
    study_file: Annotated[
        Path | None, typer.Argument(help="TOML file with the fields of polyethos.Study.", show_default=False)
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Hub id, folder, preset, series or pocket model; may be repeated."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="everyday, microworld, a file, a folder, or a hub id.", show_default="by model")
    ] = None,
    column: Columns = None,
    drop: Annotated[
        str | None, typer.Option(help="Kinds of problem to leave out instead of refusing, such as identical.")
    ] = None,
    values: Names = None,
    languages: Names = None,
    protocol: Annotated[str | None, typer.Option(help="corrected or paper.", show_default="corrected")] = None,
    direction: Annotated[
        str | None, typer.Option(help="How a concept vector is found.", show_default="difference-in-means")
    ] = None,
    position: Annotated[
        str | None,
        typer.Option(help="last, content-mean, before-answer, or a token index.", show_default="last"),
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="auto, chat, bare, or a text with {input}.", show_default="auto")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16 or float16.", show_default="auto")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...", show_default="auto")] = None,
    attention: Annotated[
        str | None, typer.Option(help="sdpa, eager, flash_attention_2, ...", show_default="the model's")
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Folds of the cross-fitting.", show_default="5")] = None,
    permutations: Annotated[
        int | None, typer.Option(help="Sign patterns of the tests; 0 leaves them out.", show_default="2000")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of folds, tests and bootstrap.", show_default="0")] = None,
    untrained: Annotated[
        bool | None, typer.Option("--untrained", help="Also ask the same architecture with random weights.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Memory for the analysis, such as 4GiB.", show_default="1GiB")
    ] = None,
    trust_remote_code: Annotated[
        bool | None, typer.Option("--trust-remote-code", help="Let the model's repository run its own code.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder.", show_default="polyethos-runs/...")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Study a model: is each value there, in which languages, how similar, how well does it transfer?

    Without arguments, studies the bundled pocket model. A killed run goes on with the same command.

    [bold]Examples[/bold]

      polyethos run

      polyethos run --model Qwen/Qwen2.5-0.5B-Instruct

      polyethos run --model llama2-chat-7b --protocol paper --data path/to/MVALUE

      polyethos run study.toml --out results
    """
    from polyethos.study import Study
    from polyethos.study import run as run_study

    with quiet_libraries():
        fields: dict[str, Any] = {
            "models": _with_template(model, template),
            "data": data,
            "columns": columns_of(column),
            "drop": names_of(drop),
            "values": names_of(values),
            "languages": names_of(languages),
            "protocol": protocol,
            "direction": direction,
            "position": position,
            "dtype": dtype,
            "device": device,
            "attention": attention,
            "folds": folds,
            "permutations": permutations,
            "seed": seed,
            "untrained": untrained,
            "memory": memory,
            "trust_remote_code": trust_remote_code,
        }
        given = {name: content for name, content in fields.items() if content is not None}
        study = Study.from_toml(study_file, **given) if study_file else Study(**given)
        with progress_bar(shown=not (quiet or as_json)) as observer:
            finished = run_study(study, out, observer=observer)
    if as_json:
        from polyethos.presentation.tables import summary

        print(json.dumps({"run": str(finished.path), **summary(finished.results)}, ensure_ascii=False, indent=1))
    elif not quiet:
        from rich.console import Console

        from polyethos.presentation.terminal import show_run

        show_run(Console(), finished.results, finished.path)


def _with_template(models: list[str] | None, template: str | None) -> list[Any] | None:
    if template is None:
        return list(models) if models else None
    return [{"name": name, "template": template} for name in models or ["pocket-balanced"]]
