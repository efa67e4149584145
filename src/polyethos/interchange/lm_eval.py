"""Capability under steering, measured by lm-evaluation-harness with its own steered model type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyethos.errors import DataError, MissingDependencyError


def evaluate_tasks(
    tasks: Sequence[str],
    *,
    pretrained: str,
    steer_path: Path | None = None,
    tasks_folder: Path | None = None,
    limit: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, float]]:
    """Every metric of every task.

    Args:
        tasks: names that the harness knows, or that `tasks_folder` defines.
        pretrained: hub id or folder of the model.
        steer_path: from `write_lm_eval_file`; None for the plain model.
        tasks_folder: with task definitions of one's own.
        limit: most documents per task.
        options: further arguments of the harness's model, for instance `{"dtype": "float32"}`.

    Returns:
        By task, then metric; standard errors end in "_stderr".

    Raises:
        MissingDependencyError: lm-evaluation-harness is not installed.
        DataError: it does not know a task, or cannot get its data.
    """
    manager = known_tasks(tasks, tasks_folder=tasks_folder)
    from lm_eval import simple_evaluate

    steered = {} if steer_path is None else {"steer_path": str(steer_path)}
    try:
        found = simple_evaluate(
            model="hf" if steer_path is None else "steered",
            model_args={"pretrained": pretrained, **steered, **(options or {})},
            tasks=list(tasks),
            task_manager=manager,
            limit=limit,
            bootstrap_iters=0,
        )
    except (OSError, ValueError, ConnectionError) as error:
        raise DataError(
            f"tasks {', '.join(tasks)}: lm-evaluation-harness cannot run them ({error}); its data comes from the hub "
            "unless the task says otherwise"
        ) from error
    return {task: _numbers(metrics) for task, metrics in found["results"].items()}


def known_tasks(tasks: Sequence[str], *, tasks_folder: Path | None = None) -> Any:  # noqa: ANN401
    """The harness's task manager, once it knows all of these tasks; asked before hours of other work.

    Raises:
        MissingDependencyError: lm-evaluation-harness is not installed.
        DataError: it does not know a task.
    """
    try:
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise MissingDependencyError.of("lm-eval", "capability", "measuring capability") from error
    manager = TaskManager(include_path=None if tasks_folder is None else str(tasks_folder))
    if unknown := [task for task in tasks if task not in manager.all_tasks]:
        raise DataError(f"task {unknown[0]!r}: lm-evaluation-harness does not know it; see `lm_eval ls tasks`")
    return manager


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Metrics without the filter's name, and only those that are numbers."""
    return {
        name.removesuffix(",none"): float(number)
        for name, number in metrics.items()
        if isinstance(number, (int, float)) and not isinstance(number, bool)
    }
