"""The command line: one thin command per step."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from polyethos.errors import PolyethosError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How large language models represent human values across languages.",
)
data_app = typer.Typer(no_args_is_help=True, help="Look at data and check your own.")
app.add_typer(data_app, name="data")

Names = Annotated[str | None, typer.Option(help="Comma-separated names.")]


def main() -> None:
    """Run the command line; a user error is one line on standard error and exit code 2, never a traceback."""
    try:
        app()
    except PolyethosError as error:
        print(f"polyethos: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("polyethos: stopped; the same command goes on from here", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        from polyethos import __version__

        print(__version__)
        raise typer.Exit


@app.command()
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
    column: Annotated[
        list[str] | None, typer.Option(help="Name of a column in your data, as positive=NAME; may be repeated.")
    ] = None,
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
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ... or balanced.", show_default="auto")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the folds.", show_default="0")] = None,
    trust_remote_code: Annotated[
        bool | None, typer.Option("--trust-remote-code", help="Let the model's repository run its own code.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder.", show_default="polyethos-runs/...")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
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

    with _quiet_libraries():
        fields: dict[str, Any] = {
            "models": _with_template(model, template),
            "data": data,
            "columns": _columns(column),
            "drop": _names(drop),
            "values": _names(values),
            "languages": _names(languages),
            "protocol": protocol,
            "direction": direction,
            "position": position,
            "dtype": dtype,
            "device": device,
            "seed": seed,
            "trust_remote_code": trust_remote_code,
        }
        given = {name: content for name, content in fields.items() if content is not None}
        study = Study.from_toml(study_file, **given) if study_file else Study(**given)
        with _progress(shown=not (quiet or as_json)) as observer:
            finished = run_study(study, out, observer=observer)
    if as_json:
        from polyethos.presentation.tables import summary

        print(json.dumps({"run": str(finished.path), **summary(finished.results)}, ensure_ascii=False, indent=1))
    elif not quiet:
        from polyethos.presentation.terminal import show_run

        show_run(Console(), finished.results, finished.path)


@data_app.command("list")
def list_data() -> None:
    """Show the bundled data sets, values and languages.

    [bold]Example[/bold]

      polyethos data list
    """
    from polyethos.dataset.load import bundled_sets, load_pairs

    table = Table("data set", "values", "languages", "items", "pairs")
    for name in bundled_sets():
        pairs = load_pairs(name)
        items = len({(pair.value, pair.item) for pair in pairs})
        table.add_row(name, str(len(pairs.values)), str(len(pairs.languages)), str(items), str(len(pairs)))
    Console().print(table)


@data_app.command("check")
def check_data(
    path: Annotated[str, typer.Argument(help="File or folder of contrast pairs.")],
    column: Annotated[
        list[str] | None, typer.Option(help="Name of a column in your data, as positive=NAME; may be repeated.")
    ] = None,
) -> None:
    """Report every problem of a data set at once; exit code 2 if there is an error.

    [bold]Example[/bold]

      polyethos data check my-pairs.csv --column positive=good --column negative=bad
    """
    from polyethos.dataset.validation import check

    report = check(path, columns=_columns(column))
    for problem in report.problems:
        print(problem)
    print(report.summary)
    if report.has_errors:
        raise typer.Exit(2)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def _columns(options: list[str] | None) -> dict[str, str] | None:
    for option in options or ():
        if "=" not in option:
            raise typer.BadParameter(f"{option!r}: expected FIELD=NAME, for instance positive=pos")
    return dict(option.split("=", 1) for option in options) if options else None


def _with_template(models: list[str] | None, template: str | None) -> list[Any] | None:
    if template is None:
        return list(models) if models else None
    return [{"name": name, "template": template} for name in models or ["pocket-balanced"]]


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.getLogger("transformers").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} sentences/s" if speed else "")


@contextmanager
def _progress(*, shown: bool) -> Iterator[Any]:
    if not shown:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def observe(event: Any) -> None:  # noqa: ANN401
            if event.model not in tasks:
                tasks[event.model] = progress.add_task(event.model, total=event.total)
            progress.update(tasks[event.model], description=f"{event.model}: {event.step}", completed=event.done)

        yield observe


if __name__ == "__main__":
    main()
