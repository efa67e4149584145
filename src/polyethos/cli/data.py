"""`polyethos data`: look at data and check your own."""

from __future__ import annotations

from typing import Annotated

import typer

from polyethos.cli.options import Columns, columns_of

data_app = typer.Typer(no_args_is_help=True, help="Look at data and check your own.")


@data_app.command("list")
def list_data() -> None:
    """Show the bundled data sets, values and languages.

    [bold]Example[/bold]

      polyethos data list
    """
    from rich.console import Console
    from rich.table import Table

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
    column: Columns = None,
) -> None:
    """Report every problem of a data set at once; exit code 2 if there is an error.

    [bold]Example[/bold]

      polyethos data check my-pairs.csv --column positive=good --column negative=bad
    """
    from polyethos.dataset.validation import check

    report = check(path, columns=columns_of(column))
    for problem in report.problems:
        print(problem)
    print(report.summary)
    if report.has_errors:
        raise typer.Exit(2)
