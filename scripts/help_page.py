"""Write docs/command-line.md from the program's own help, or with --check say whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import typer.main

from polyethos.cli import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"


def help_page() -> str:
    """The help of every command, as Markdown."""
    parts = ["# Command line\n", "This page is the program's own help, made by `scripts/help_page.py`.\n"]
    parts.extend(_sections(typer.main.get_command(app), "polyethos"))
    return "\n".join(parts)


def _sections(command: click.Command, name: str) -> list[str]:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    lines = [f"## {name}\n", f"{command.help or ''}".replace("[bold]", "**").replace("[/bold]", "**") + "\n"]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and not getattr(parameter, "hidden", False):
            lines.append(f"- `{record[0]}`: {record[1]}")
        elif isinstance(parameter, click.Argument):
            lines.append(f"- `{parameter.make_metavar(context)}`: {getattr(parameter, 'help', '') or ''}")
    lines.append("")
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                lines.extend(_sections(found, f"{name} {child}"))
    return lines


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != help_page():
            raise SystemExit(f"{PAGE.name} is out of date: python scripts/help_page.py")
    else:
        PAGE.write_text(help_page(), encoding="utf-8")
