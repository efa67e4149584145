"""Doing a study: models one after the other, values one after the other, each resumable."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from polyethos.arrays import write_dataset
from polyethos.dataset.load import load_pairs
from polyethos.dataset.pairs import ContrastPairs
from polyethos.errors import PolyethosError
from polyethos.execution.extraction import extract_shards, pairs_per_shard
from polyethos.execution.locking import exclusive
from polyethos.execution.shards import Shard, ShardStore, plan_shards
from polyethos.files import remove_partial_files
from polyethos.lab.pocket import pocket_model_path
from polyethos.presentation.comparing import Compared, compared
from polyethos.presentation.outputs import write_outputs
from polyethos.presentation.report import write_report
from polyethos.presentation.runs import together
from polyethos.representation.model import LanguageModel, load_model
from polyethos.representation.untrained import untrained
from polyethos.representation.vectors import save_vectors
from polyethos.study.analysing import Partial, ValueData, analyse_value, plan_analysis, read_partial, write_partial
from polyethos.study.combining import combine
from polyethos.study.definition import ModelChoice, Study
from polyethos.study.describing import with_description
from polyethos.study.folder import (
    COMPARISON_FILE,
    FORMAT,
    REPORT_FILE,
    RESULTS_FILE,
    VECTORS_FILE,
    WORK_FOLDER,
    Run,
    claim_folder,
    open_run,
    record_model,
    remove_empty_run,
    remove_work,
)
from polyethos.study.presets import PRESETS
from polyethos.study.progress import Observer, Teller
from polyethos.study.testing import has_untrained, keep_tests, keep_untrained, plan_tests, with_tests

PAPER_LAYERS = "block output, 1..L-1; L after the final norm, as published"


def run(study: Study, out: str | Path | None = None, *, observer: Observer | None = None) -> Run:
    """Do a study, or take it up where a killed run of the same study left it, or open it if it is finished.

    Args:
        study: what to do.
        out: the run folder; by default `polyethos-runs/<model>-<data>-<protocol>-<fingerprint>`.
        observer: called with the progress.

    Returns:
        The finished run.

    Raises:
        StudyMismatchError: `out` holds another study.
        RunError: `out` is in use, or holds something else.
        DataError, ModelError, ResourceError: the data or a model cannot be used, or memory or disk is not enough.
    """
    folder = Path(out) if out is not None else default_folder(study)
    pairs = load_study_pairs(study)
    is_new = not folder.exists()
    try:
        with exclusive(folder):
            remove_partial_files(folder)
            claim_folder(folder, _contract(study, pairs, study.models if len(study.models) > 1 else ()))
            if len(study.models) == 1:
                return _run_model(study, study.models[0], pairs, folder, observer)
            return _run_models(study, pairs, folder, observer)
    except PolyethosError:
        if is_new:
            remove_empty_run(folder)
        raise


def default_folder(study: Study) -> Path:
    """Where a study goes when nobody says: one folder per study, so that the same command resumes it."""
    label = "-".join(model.label for model in study.models[:3])
    data = Path(study.data_source).name
    return Path("polyethos-runs") / f"{label}-{data}-{study.protocol}-{study.fingerprint()}"


def load_study_pairs(study: Study) -> ContrastPairs:
    """The contrast pairs a study is about, its values and languages selected."""
    return load_pairs(
        study.data_source,
        values=study.values,
        languages=study.languages,
        columns=study.columns,
        drop={*study.drop, "identical"} if study.protocol == "paper" else study.drop,
    )


def _run_models(study: Study, pairs: ContrastPairs, folder: Path, observer: Observer | None) -> Run:
    parts: dict[str, Run] = {}
    for choice in study.models:
        single = study.model_copy(update={"models": (choice,)})
        part_folder = folder / choice.label
        claim_folder(part_folder, _contract(single, pairs, ()))
        parts[choice.label] = _run_model(single, choice, pairs, part_folder, observer)
    if not (folder / RESULTS_FILE).is_file():
        results = [part.results for part in parts.values()]
        write_outputs(folder, results)
        if isinstance(found := compared(results), Compared):
            between = found.results.assign(pretraining_share=found.shares.assign_attrs(source=found.source))
            write_dataset(folder / COMPARISON_FILE, between, _contract(study, pairs, study.models))
        studies = [(part.results, part.study) for part in parts.values()]
        write_report(folder / REPORT_FILE, studies, folders=[part.path for part in parts.values()])
        joined = together({label: part.results for label, part in parts.items()})
        write_dataset(folder / RESULTS_FILE, joined, _contract(study, pairs, study.models))
    return open_run(folder)


def _run_model(study: Study, choice: ModelChoice, pairs: ContrastPairs, folder: Path, observer: Observer | None) -> Run:
    if (folder / RESULTS_FILE).is_file():
        return open_run(folder)
    tell = Teller(observer, choice.label, total=2 * len(pairs) * (1 + study.untrained))
    tell.step("loading the model")
    model = load_chosen_model(study, choice)
    study_record = record_model(folder, dict(model.identity))
    partials = [_study_value(study, model, pairs, value, folder / WORK_FOLDER, tell) for value in pairs.values]
    if study.untrained:
        _ask_untrained(study, model, pairs, folder / WORK_FOLDER, tell)
    tell.step("writing the results")
    results, vectors = combine(study, choice, partials)
    if study.is_tested:
        results = with_tests(results, folder / WORK_FOLDER)
    results = with_description(results, choice, model, pairs)
    save_vectors(folder / VECTORS_FILE, vectors, _vector_metadata(study, pairs, model, partials))
    write_outputs(folder, [results])
    write_report(folder / REPORT_FILE, [(results, study_record)], folders=[folder])
    # Last, because a folder with this file counts as finished.
    write_dataset(folder / RESULTS_FILE, results, study_record)
    remove_work(folder)
    return open_run(folder)


def _study_value(
    study: Study, model: LanguageModel, pairs: ContrastPairs, value: str, work: Path, tell: Teller
) -> Partial:
    data = _value_data(model, pairs, value, work)
    # The partial is written last, so whoever has it has the value's tests as well.
    if (partial := read_partial(work, value)) is not None:
        tell.advance(_sentences(data.shards))
    else:
        # Memory that will not be enough is better known before the extraction, which may take hours.
        plan_analysis(study, data)
        if study.is_tested:
            plan_tests(study, data)
        _extract(study, model, data, tell, f"reading hidden states: {value}")
        tell.step(f"analysing: {value}")
        partial = analyse_value(study, data)
        if study.is_tested:
            tell.step(f"testing: {value}")
            keep_tests(study, data, work)
        write_partial(work, partial)
    data.store.remove(data.shards)
    return partial


def _ask_untrained(study: Study, model: LanguageModel, pairs: ContrastPairs, work: Path, tell: Teller) -> None:
    """Read the sentences with random weights, and keep what they get right of every value."""
    left = [value for value in pairs.values if not has_untrained(work, value)]
    tell.advance(2 * len(pairs) - sum(2 for pair in pairs if pair.value in left))
    fresh = untrained(model, seed=study.seed) if left else model
    for value in left:
        data = _value_data(fresh, pairs, value, work / "untrained")
        _extract(study, fresh, data, tell, f"asking the untrained model: {value}")
        keep_untrained(study, data, work)
        data.store.remove(data.shards)


def _value_data(model: LanguageModel, pairs: ContrastPairs, value: str, folder: Path) -> ValueData:
    shards = plan_shards(pairs, value, pairs_per_shard=pairs_per_shard(model))
    return ValueData(value, pairs, ShardStore(folder), shards, model.n_layers, model.hidden_size)


def _extract(study: Study, model: LanguageModel, data: ValueData, tell: Teller, step: str) -> None:
    """Bring the value's shards onto the disk, those excepted that are there."""
    tell.advance(_sentences(shard for shard in data.shards if data.store.is_done(shard)))
    tell.step(step, reading=True)
    extract_shards(
        model,
        data.shards,
        data.store,
        position=study.position,
        published=study.protocol == "paper",
        progress=tell.within_step,
    )


def _sentences(shards: Iterable[Shard]) -> int:
    return sum(2 * len(shard.pairs) for shard in shards)


def _vector_metadata(
    study: Study, pairs: ContrastPairs, model: LanguageModel, partials: Sequence[Partial]
) -> dict[str, Any]:
    after_norm = {"layer_convention": PAPER_LAYERS} if study.protocol == "paper" else {}
    return {
        **after_norm,
        "model": model.identity,
        "protocol": study.protocol,
        "direction": study.direction,
        "position": study.position,
        "residual_norms": {partial.value: partial.norms.values.tolist() for partial in partials},
        "data": pairs.name,
        "data_hash": pairs.content_hash(),
    }


def load_chosen_model(study: Study, choice: ModelChoice) -> LanguageModel:
    """Load a model as the study asks: a pocket model from the package, a preset by its hub id, anything else as is."""
    preset = PRESETS.get(choice.name)
    name = pocket_model_path(choice.name) if choice.is_pocket else preset.model if preset else choice.name
    return load_model(
        name,
        revision=choice.revision,
        dtype=study.dtype,
        device=study.device,
        attention=study.attention,
        template=study.template_of(choice),
        trust_remote_code=study.trust_remote_code,
    )


def _contract(study: Study, pairs: ContrastPairs, models: tuple[ModelChoice, ...]) -> dict[str, Any]:
    packages = ("polyethos", "torch", "transformers", "numpy", "scipy", "scikit-learn", "xarray")
    content: dict[str, Any] = {
        "format": FORMAT,
        "study": study.record(),
        "data": {"name": pairs.name, "pairs": len(pairs), "sha256": pairs.content_hash()},
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
    }
    return {**content, "models": [model.label for model in models]} if models else content
