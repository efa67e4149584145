"""Write docs/command-line.md from the program's own help, or with --check say whether it is up to date."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import typer
import typer.main

from polyethos.cli import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"


def help_page() -> str:
    """The help of every command, as Markdown."""
    parts = ["# Command line\n", "This page is the program's own help, made by `scripts/help_page.py`.\n"]
    parts.extend(_sections(typer.main.get_command(app), "polyethos"))
    return "\n".join(parts)


def _sections(command: Any, name: str) -> list[str]:
    context = typer.Context(command, info_name=name)
    text = inspect.cleandoc(command.help or "").replace("[bold]", "**").replace("[/bold]", "**")
    lines = [f"## {name}\n", re.sub(r"(?m)^  (polyethos .*)$", r"    \1", text) + "\n"]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record:
            lines.append(f"- `{record[0]}`: {record[1]}")
    lines.append("")
    for child in getattr(command, "commands", {}).values():
        lines.extend(_sections(child, f"{name} {child.name}"))
    return lines


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != help_page():
            raise SystemExit(f"{PAGE.name} is out of date: python scripts/help_page.py")
    else:
        PAGE.write_text(help_page(), encoding="utf-8")
