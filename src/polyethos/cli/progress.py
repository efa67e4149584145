"""A progress bar on standard error, and libraries that keep quiet beside it."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Column
from rich.text import Text

_WIDE = 110

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


class Reading(ProgressColumn):
    """How many sentences are read and how fast, while they are: in other steps their number says nothing."""

    def render(self, task: Task) -> Text:
        """Empty outside of reading; the rate is that of the step in hand."""
        if not task.fields.get("reading"):
            return Text("")
        rate = task.fields["rate"]
        speed = f", {rate:,.0f}/s" if rate else ""
        return Text(f"{task.completed:,.0f}/{task.total:,.0f}{task.fields['noun']}{speed}")


class Step:
    """The step that a model's study is in, and how fast it reads sentences."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No step yet; `clock` gives seconds."""
        self._clock, self._name, self._began, self._before = clock, "", 0.0, 0

    def rate(self, event: Progress) -> float:
        """Sentences a second since the event's step began; 0 at its beginning."""
        if event.step != self._name:
            self._name, self._began, self._before = event.step, self._clock(), event.done
        elapsed = self._clock() - self._began
        return (event.done - self._before) / elapsed if elapsed > 0 else 0.0


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
    with study_bar(console) as progress:
        yield drawing(progress)


def study_bar(console: Console) -> ProgressBar:
    """A line per model: what is done, how many of the sentences are read, the time since the beginning."""
    return ProgressBar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20 if console.width >= _WIDE else 6),
        TimeElapsedColumn(),
        Reading(table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
    )


def drawing(progress: ProgressBar) -> Callable[[Progress], None]:
    """An observer that draws what it is told on `progress`."""
    tasks: dict[str, tuple[TaskID, Step]] = {}

    def observe(event: Progress) -> None:
        if event.model not in tasks:
            tasks[event.model] = progress.add_task(event.model, total=event.total), Step()
        task, step = tasks[event.model]
        whole = f"{event.model}: {event.step}"
        wide = progress.console.width >= _WIDE
        # Where the line is short, the step says more than the name of the only model.
        progress.update(
            task,
            description=whole if wide or len(tasks) > 1 else event.step,
            noun=" sentences" if wide else "",
            completed=event.done,
            reading=event.reading,
            rate=step.rate(event),
        )

    return observe


def _step_lines() -> Callable[[Progress], None]:
    """For log files: a line per step instead of a bar."""
    last: list[tuple[str, str]] = []

    def observe(event: Progress) -> None:
        if last != [(event.model, event.step)]:
            last[:] = [(event.model, event.step)]
            count = f" ({event.done} of {event.total} sentences read)" if event.reading else ""
            print(f"{event.model}: {event.step}{count}", file=sys.stderr)

    return observe
