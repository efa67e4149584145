"""The command line: one thin command per step."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from polyethos.cli.control import control
from polyethos.cli.data import data_app
from polyethos.cli.exploring import explore
from polyethos.cli.lab import lab_app
from polyethos.cli.reporting import report
from polyethos.cli.running import run
from polyethos.cli.steering import export, steer
from polyethos.errors import PolyethosError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How large language models represent human values across languages.",
)
app.command()(run)
app.command()(report)
app.command()(steer)
app.command()(control)
app.command()(export)
app.command()(explore)
app.add_typer(data_app, name="data")
app.add_typer(lab_app, name="lab")


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
