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


def numbers_of(text: str | None) -> list[int] | None:
    """The whole numbers in a list such as "10-20" or "4,8,12"."""
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise typer.BadParameter(f"{text!r}: expected whole numbers such as 10-20 or 4,8,12")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
