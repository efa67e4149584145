"""How far a study is, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        model: label of the model.
        step: what is being done, in words.
        done: sentences finished in this model, those of an earlier, killed run included.
        total: sentences in all.
        reading: whether sentences are being read in this step; in the others their number stands still.
    """

    model: str
    step: str
    done: int
    total: int
    reading: bool = False


Observer = Callable[[Progress], None]


class Teller:
    """Counts sentences and passes the count on."""

    def __init__(self, observer: Observer | None, model: str, total: int) -> None:
        self._observer, self._model, self._total = observer, model, total
        self._before, self._done, self._step, self._reading = 0, 0, "", False

    def step(self, name: str, *, reading: bool = False) -> None:
        """What is done from now on, and whether sentences are read by it."""
        self._before, self._step, self._reading = self._done, name, reading
        self._tell()

    def advance(self, count: int) -> None:
        """So many more sentences are finished."""
        self._done += count
        self._tell()

    def within_step(self, count: int) -> None:
        """So many sentences are finished since the step began."""
        self._done = self._before + count
        self._tell()

    def _tell(self) -> None:
        if self._observer is not None:
            self._observer(Progress(self._model, self._step, self._done, self._total, self._reading))
