"""`polyethos explore`: finished runs in the browser, with a steering playground."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyethos.errors import MissingDependencyError, ResourceError, RunError, UnknownNameError

if TYPE_CHECKING:
    from polyethos.presentation.explorer.workbench import ExploredRun
    from polyethos.representation.model import LanguageModel
    from polyethos.study import Run


def explore(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Only these models of the runs; may be repeated.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Where to listen.", min=1, max=65535, show_default="the first free one from 7860")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others can reach the page if you change it.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Open finished runs in the browser: live figures, a steering playground, scores of your own sentences.

    The page is served on this machine only, fetches nothing from the network and reports nothing to anyone.

    [bold]Example[/bold]

      polyethos explore polyethos-runs/my-run
    """
    for package in ("gradio", "plotly"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError.of(package, "explore", "the explorer")
    # Read when gradio and huggingface_hub are imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    opened = explored_runs(runs, model)
    from polyethos.presentation.explorer.app import blocks, launch

    page = blocks(opened)
    try:
        address = launch(page, port=port, host=host, wait=False)
    except OSError as error:
        raise ResourceError(
            f"port {port or 'from 7860'}: cannot be listened on ({error}); choose another --port"
        ) from error
    print(f"The explorer is at {address} (stop it with Ctrl+C).")
    page.block_thread()


def explored_runs(folders: Sequence[Path], models: Sequence[str] | None = None) -> list[ExploredRun]:
    """The runs of single models in the folders, each with its own name.

    Raises:
        UnknownNameError: no run is of one of `models`.
        RunError, DataFormatError: a folder is not a finished run.
    """
    from polyethos.presentation.labels import model_name
    from polyethos.presentation.runs import run_names
    from polyethos.study import open_run

    opened = [part for run in map(open_run, folders) for part in (run.models.values() or [run])]
    known = list(dict.fromkeys(model_name(run.results) for run in opened))
    for name in models or ():
        if name not in known:
            raise UnknownNameError.of("model", name, known, "--model")
    chosen = [run for run in opened if not models or model_name(run.results) in models]
    names = run_names([run.results for run in chosen])
    return [_explored(run, name) for run, name in zip(chosen, names, strict=True)]


def _explored(run: Run, name: str) -> ExploredRun:
    from polyethos.presentation.explorer.workbench import ExploredRun
    from polyethos.representation.vectors import load_vectors
    from polyethos.study.folder import VECTORS_FILE

    vectors, metadata = load_vectors(run.path / VECTORS_FILE)
    return ExploredRun(
        name=name,
        results=run.results,
        study=run.study,
        vectors=vectors,
        metadata=metadata,
        load_model=functools.partial(_model, run),
        load_pairs=functools.partial(_pairs, run),
    )


def _model(run: Run) -> LanguageModel:
    from polyethos.representation.vectors import load_vectors
    from polyethos.study import Study
    from polyethos.study.folder import VECTORS_FILE
    from polyethos.study.running import load_chosen_model

    study = Study(**run.study["study"])
    model = load_chosen_model(study, study.models[0])
    load_vectors(run.path / VECTORS_FILE, model)
    return model


def _pairs(run: Run) -> Any:  # noqa: ANN401
    from polyethos.study import Study
    from polyethos.study.running import load_study_pairs

    study = Study(**run.study["study"])
    pairs = load_study_pairs(study)
    if pairs.content_hash() != run.study["data"]["sha256"]:
        raise RunError(f"{study.data_source}: not the data that the run was made from any more; run the study again")
    return pairs
