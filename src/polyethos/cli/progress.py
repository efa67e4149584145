"""A progress bar on standard error, and libraries that keep quiet beside it."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.text import Text

if TYPE_CHECKING:
    from polyethos.study.progress import Progress


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the warnings and progress bars of other libraries off the screen."""
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
def progress_bar(*, shown: bool) -> Iterator[Callable[[Progress], None] | None]:
    """An observer of a study that draws a bar per model; None if nothing is to be shown."""
    if not shown:
        yield None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _step_lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with ProgressBar(*columns, console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def observe(event: Progress) -> None:
            if event.model not in tasks:
                tasks[event.model] = progress.add_task(event.model, total=event.total)
            progress.update(tasks[event.model], description=f"{event.model}: {event.step}", completed=event.done)

        yield observe


def _step_lines() -> Callable[[Progress], None]:
    """For log files: a line per step instead of a bar."""
    last: list[tuple[str, str]] = []

    def observe(event: Progress) -> None:
        if last != [(event.model, event.step)]:
            last[:] = [(event.model, event.step)]
            print(f"{event.model}: {event.step} ({event.done} of {event.total} sentences)", file=sys.stderr)

    return observe
