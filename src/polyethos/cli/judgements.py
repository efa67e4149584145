"""What the lab's runs say about the advice, for the terminal and as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from polyethos.lab.judgement import Judgement

_COLOURS = {"supported": "green", "contradicted": "red", "open": "yellow"}


def judgement_table(judgements: Sequence[Judgement], *, by: Sequence[str]) -> Table:
    """Every comparison by these outcomes with its difference, interval and verdict; above 0 speaks for the advice."""
    outcome = ["outcome"] if len(by) > 1 else []
    headers = ["what is compared", *outcome, "better by", "95 % interval", "size x seed", "verdict"]
    table = Table(*headers, box=SIMPLE_HEAD, pad_edge=False)
    for one in (each for each in judgements if each.outcome in by):
        interval = "too few runs" if math.isnan(one.low) else f"{one.low:+.2f} to {one.high:+.2f}"
        difference = "" if math.isnan(one.difference) else f"{one.difference:+.2f}"
        table.add_row(
            one.part, *([one.outcome] if outcome else []), difference, interval, str(one.blocks), coloured(one.verdict)
        )
    return table


def verdict_lines(judgements: Sequence[Judgement]) -> str:
    """One line per statement of the advice, by the outcome that decides."""
    from polyethos.lab.judgement import OUTCOMES, STATEMENTS, verdicts

    found = verdicts(judgements)
    lines = [f"  {coloured(found[name])}  {sentence}" for name, sentence in STATEMENTS.items()]
    return "\n".join([f"The advice, judged by {OUTCOMES[0]} as stated beforehand:", *lines])


def coloured(verdict: str) -> str:
    """A verdict in its colour."""
    return f"[{_COLOURS[verdict]}]{verdict}[/]"


def plain(content: Any) -> Any:  # noqa: ANN401
    """`content` as JSON has it: numbers that are not finite become null."""
    if isinstance(content, Mapping):
        return {str(name): plain(entry) for name, entry in content.items()}
    if isinstance(content, list | tuple):
        return [plain(entry) for entry in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
