"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from typing import Annotated

import typer

Columns = Annotated[
    list[str] | None, typer.Option(help="Name of a column in your data, as positive=NAME; may be repeated.")
]
Names = Annotated[str | None, typer.Option(help="Comma-separated names.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")]


def names_of(text: str | None) -> list[str] | None:
    """The names in a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def columns_of(options: list[str] | None) -> dict[str, str] | None:
    """The mapping that options of the form FIELD=NAME spell out."""
    for option in options or ():
        if "=" not in option:
            raise typer.BadParameter(f"{option!r}: expected FIELD=NAME, for instance positive=pos")
    return dict(option.split("=", 1) for option in options) if options else None
