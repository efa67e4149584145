"""Rows of a Hugging Face data set, on the hub or in a local folder laid out like one; needs the extra `data`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from polyethos.dataset.columns import Cells, ColumnMapping, Table
from polyethos.dataset.languages import language_code
from polyethos.dataset.problems import Problem
from polyethos.errors import DataError, MissingDependencyError


def read_hub(
    source: str, mapping: ColumnMapping, *, languages: Collection[str] | None = None, revision: str | None = None
) -> list[Table]:
    """One table for each configuration and split that is read.

    A configuration named by a language ("pt", "pt-BR", "por_Latn", "Portuguese") gives the language of its rows; where
    none is, the splits may be named by languages; otherwise a column or a constant has to tell. In a local folder
    without a data set card, subfolders named by languages count as configurations. Code that comes with a data set is
    never run.

    Args:
        source: hub id "owner/name", or a folder.
        mapping: where the fields are; the constants `config` and `split` choose one of each.
        languages: configurations and splits named by another language are not opened.
        revision: branch, tag or commit.

    Raises:
        DataError: the data set cannot be reached or opened, or there is a choice to be made.
        MissingDependencyError: the package `datasets` is not installed.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingDependencyError.of("datasets", "data", f"reading {source!r} as a hub data set") from error
    try:
        return list(_tables(datasets, source, mapping, languages, revision))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(_explained(source, error)) from error


def _tables(
    datasets: ModuleType, source: str, mapping: ColumnMapping, languages: Collection[str] | None, revision: str | None
) -> Iterator[Table]:
    configurations = _configurations(datasets, source, revision)
    chosen = _choose("config", list(configurations), mapping.constants.get("config"), source)
    if len(chosen) < len(configurations) and "config" not in mapping.constants:
        yield _unread(source, [name for name in configurations if name not in chosen])
    for config in chosen:
        folder = configurations[config]
        name = config if folder is None else None
        splits = datasets.get_dataset_split_names(source, name, revision=revision, data_dir=folder)
        for split in _choose("split", splits, mapping.constants.get("split"), f"{source}, {config}"):
            code = language_code(config) or language_code(split)
            if languages is None or code is None or code in languages:
                options = {"name": name, "data_dir": folder, "split": split, "revision": revision}
                rows = _rows(datasets, source, options)
                labels = {"language": code} if code else {}
                yield Table(f"{source}, {config}/{split}", rows, labels)


def _configurations(datasets: ModuleType, source: str, revision: str | None) -> dict[str, str | None]:
    """The configurations by name, each with the subfolder that stands in for it, if one does."""
    names = datasets.get_dataset_config_names(source, revision=revision)
    if names == ["default"] and Path(source).is_dir():
        folders = sorted(path.name for path in Path(source).iterdir() if path.is_dir() and language_code(path.name))
        if folders:
            return {name: name for name in folders}
    return dict.fromkeys(names)


def _choose(field: str, names: list[str], asked: str | None, where: str) -> list[str]:
    if asked is not None and asked not in names:
        raise DataError(f"{where}: no {field} {asked!r}; there are {', '.join(names)}")
    chosen = [asked] if asked is not None else [name for name in names if language_code(name)] or names
    if len(chosen) > 1 and not all(language_code(name) for name in chosen):
        example = f'columns={{"{field}": "={chosen[0]}", ...}}'
        raise DataError(
            f"{where}: several {field}s ({', '.join(names)}), none named by a language; choose with {example}"
        )
    return chosen


def _unread(source: str, names: list[str]) -> Table:
    found = f"{len(names)} configurations not named by a language of the table: {', '.join(names)}"
    problem = Problem("unknown language", source, "", "config", found, "a language code; they are not read", "warning")
    return Table(source, [], {}, [problem])


def _rows(datasets: ModuleType, source: str, options: Mapping[str, str | None]) -> list[tuple[str, Cells]]:
    local = Path(source).is_dir()
    try:
        records: Iterable[Cells] = datasets.load_dataset(source, streaming=local, **options)
    except datasets.exceptions.DatasetGenerationError:
        # Preparing converts every split, also one whose columns do not fit; streaming reads only the one asked for.
        records = datasets.load_dataset(source, streaming=True, **options)
    return [(f"row {number}", record) for number, record in enumerate(records, start=1)]


def _explained(source: str, error: Exception) -> str:
    reason = re.sub(r"\s+", " ", str(error.__cause__ or error))[:300]
    if isinstance(error, ConnectionError):
        return f"{source!r} is no existing path, and the hub cannot be reached ({reason}); check name and network"
    return f"{source!r} cannot be read as a hub data set: {reason}"
