"""Many training runs, side by side and resumable; a failing one is reported and the others go on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import xarray as xr

from polyethos.errors import LabError, PolyethosError
from polyethos.lab.architecture import SIZES
from polyethos.lab.gathering import gather, write_results
from polyethos.lab.sweep_plan import SweepPlan, SweepRun, claim
from polyethos.lab.sweep_run import OUTCOMES_FILE, finish, measure
from polyethos.lab.training import Progress

# What a run can die of without the others: unusable input, a full disk, a device, arithmetic.
_FAILURES = (PolyethosError, OSError, RuntimeError, ValueError, ArithmeticError)
_ATTEMPTS = 2
_TYPICAL_VOCABULARY = 2048


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is.

    Attributes:
        run: the run that just finished or failed, or is going on.
        done: trainings finished, failed ones included.
        total: trainings in all.
        seconds_left: at the speed so far; NaN before the first finished.
        error: why the run failed; None if it did not.
        step: of the training that is going on; None where several run at a time, and once it is finished.
    """

    run: str
    done: int
    total: int
    seconds_left: float
    error: str | None = None
    step: Progress | None = None


@dataclass(frozen=True)
class Sweep:
    """A sweep as far as it got.

    Attributes:
        results: `gather` of the finished runs.
        missing: names of the runs that are not finished.
        failed: error by run.
    """

    results: xr.Dataset
    missing: tuple[str, ...]
    failed: dict[str, str] = field(default_factory=dict)


def sweep(
    plan: SweepPlan,
    out: Path,
    *,
    jobs: int = 1,
    measure_again: bool = False,
    report: Callable[[SweepProgress], None] | None = None,
) -> Sweep:
    """Train and measure every run of the plan; called again, only what is missing is done.

    The results are written to `out` whenever a run finishes, so that a stopped sweep leaves those of its finished runs.

    Args:
        plan: what to compare.
        out: folder of the sweep.
        jobs: runs at the same time, each on one processor core, or all on a GPU where there is one.
        measure_again: measure finished runs anew from their saved models, training nothing.
        report: called whenever a run finishes or fails, with one job also about twice a second.

    Raises:
        LabError: an argument cannot be used, `out` holds another sweep, or not one run finished.
    """
    if jobs < 1:
        raise LabError(f"jobs={jobs}: give at least 1")
    claim(out, plan)
    trainings = list({run.folder: run for run in plan.runs()}.values())
    if measure_again:
        trainings = [run for run in trainings if (out / run.folder / OUTCOMES_FILE).exists()]
    clock = _Clock([run for run in trainings if measure_again or not (out / run.folder / OUTCOMES_FILE).exists()])
    clock.skip(len(trainings) - clock.total)
    failed: dict[str, str] = {}
    work = measure if measure_again else finish
    for run, error in _done(plan, clock.runs, out, work, jobs, clock.watcher(report)):
        if error:
            failed[run.name] = error
        elif (found := gather(plan, out)) is not None:
            write_results(found, plan, out)
        if report:
            report(clock.after(run, error))
    results = gather(plan, out)
    if results is None:
        reasons = "; ".join(f"{name}: {error}" for name, error in failed.items()) or "no run was started"
        raise LabError(f"{out}: not one run finished ({reasons})")
    write_results(results, plan, out)
    here = set(results["run"].values.tolist())
    return Sweep(results, tuple(run.name for run in plan.runs() if run.name not in here), failed)


class _Clock:
    """What remains, in seconds, from the arithmetic that was done and the time it took."""

    def __init__(self, runs: Sequence[SweepRun]) -> None:
        self.runs, self.total = list(runs), len(runs)
        self._costs = {run.folder: _cost(run) for run in runs}
        self._started, self._finished, self._skipped = time.monotonic(), 0.0, 0
        self._done = 0

    def skip(self, number: int) -> None:
        """Count runs that were finished before."""
        self._skipped = number

    def after(self, run: SweepRun, error: str | None) -> SweepProgress:
        self._done += 1
        self._finished += self._costs.pop(run.folder)
        return self._progress(run.name, error=error)

    def watcher(self, report: Callable[[SweepProgress], None] | None) -> Callable[[str, Progress], None] | None:
        if report is None:
            return None
        return lambda name, step: report(self._progress(name, step=step))

    def _progress(self, name: str, *, error: str | None = None, step: Progress | None = None) -> SweepProgress:
        left = float("nan")
        if self._finished:
            left = sum(self._costs.values()) * (time.monotonic() - self._started) / self._finished
        return SweepProgress(name, self._skipped + self._done, self._skipped + self.total, left, error, step)


def _cost(run: SweepRun) -> float:
    """Multiplications per token, up to a factor, times tokens."""
    shape = SIZES[run.size]
    return float((shape.parameters + _TYPICAL_VOCABULARY * shape.width) * run.condition.tokens)


Work = Callable[..., None]


def _done(
    plan: SweepPlan,
    runs: Sequence[SweepRun],
    out: Path,
    work: Work,
    jobs: int,
    watch: Callable[[str, Progress], None] | None,
) -> Iterator[tuple[SweepRun, str | None]]:
    """Every run once it is finished or has failed, with the error."""
    if jobs > 1:
        yield from _side_by_side(plan, runs, out, work, jobs)
        return
    for run in runs:
        options = {"report": _named(watch, run.name)} if watch and work is finish else {}
        try:
            work(plan, run, out, **options)
        except _FAILURES as error:
            yield run, _reason(error)
        else:
            yield run, None


def _side_by_side(
    plan: SweepPlan, runs: Sequence[SweepRun], out: Path, work: Work, jobs: int
) -> Iterator[tuple[SweepRun, str | None]]:
    attempts: Counter[str] = Counter()
    waiting = list(runs)
    while waiting:
        broken: list[SweepRun] = []
        # A forked process would inherit torch's threads in an unusable state.
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(work, plan, run, out): run for run in waiting}
            try:
                for future in as_completed(futures):
                    run = futures[future]
                    try:
                        future.result()
                    except BrokenProcessPool:
                        broken.append(run)
                    except _FAILURES as error:
                        yield run, _reason(error)
                    else:
                        yield run, None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        # One process that is killed takes the pool with it, and with that runs that had no part in it.
        attempts.update(run.name for run in broken)
        waiting = [run for run in broken if attempts[run.name] < _ATTEMPTS]
        for run in broken:
            if attempts[run.name] >= _ATTEMPTS:
                yield run, "its process was killed, perhaps for want of memory; try fewer jobs"


def _named(watch: Callable[[str, Progress], None], name: str) -> Callable[[Progress], None]:
    return lambda step: watch(name, step)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
