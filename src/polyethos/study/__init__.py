"""Studies: what to do (`Study`), doing it (`run`), and reading it back (`open_run`)."""

from polyethos.study.definition import ModelChoice, Study
from polyethos.study.folder import Run, open_run
from polyethos.study.running import run

__all__ = ["ModelChoice", "Run", "Study", "open_run", "run"]
