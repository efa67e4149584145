"""The questions a study asks, each with one sentence of answer generated from the results."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from polyethos.presentation.answers_concepts import consistency, existence
from polyethos.presentation.answers_control import control
from polyethos.presentation.answers_relations import linguistics, transfer
from polyethos.presentation.questions import QUESTIONS, Answer

__all__ = ["QUESTIONS", "Answer", "answers", "consistency", "control", "existence", "linguistics", "transfer"]

# Question, the beginning of the name of a variable it needs, who answers it.
_WRITERS: dict[str, tuple[tuple[str, ...], Callable[[xr.Dataset], Answer]]] = {
    "existence": (("recognition",), existence),
    "consistency": (("similarity",), consistency),
    "linguistics": (("linguistic_", "relation"), linguistics),
    "transfer": (("transfer_gain",), transfer),
    "control": (("control_effect",), control),
}
# What to do about a question that the results cannot answer: a sentence, and the command.
_UNANSWERED = {
    "control": ("Not measured in this run.", "polyethos control RUN"),
    "composition": (
        "Not measured in this run: no single model can tell. Models pre-trained on purpose on other mixtures can, and "
        "what they learned is bundled.",
        "polyethos lab advise",
    ),
}


def answers(
    results: xr.Dataset, control_results: xr.Dataset | None = None, *, folder: Path | None = None
) -> list[Answer]:
    """An answer to every question, in reading order; those the results cannot answer say how to measure them.

    Args:
        results: of one model.
        control_results: of `polyethos control` on the same model, if it was run; its labels may be others.
        folder: of the run, for commands that can be copied as they stand.
    """
    found = []
    for key in QUESTIONS:
        known = control_results if key == "control" and control_results is not None else results
        needs, write = _WRITERS.get(key, ((), None))
        measured = any(str(name).startswith(needs) for name in known.data_vars) if write else False
        found.append(write(known) if write and measured else _not_measured(key, folder))
    return found


def in_folder(command: str, folder: Path | None) -> str:
    """The command with the run's folder for RUN, if it is known."""
    return command if folder is None else command.replace("RUN", shlex.quote(str(folder)))


def _not_measured(key: str, folder: Path | None) -> Answer:
    sentence, command = _UNANSWERED.get(key, ("Not measured in this run.", "polyethos run"))
    return Answer(key, QUESTIONS[key], "Not measured", sentence, command=in_folder(command, folder))
