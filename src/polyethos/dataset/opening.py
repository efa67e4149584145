"""From a source (bundled name, file, folder, hub id) to tables of raw rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from polyethos.dataset.columns import HUB_FIELDS, ColumnMapping, Table, path_labels
from polyethos.dataset.problems import Problem
from polyethos.dataset.readers_hub import read_hub
from polyethos.dataset.readers_json import read_json
from polyethos.dataset.readers_parquet import read_parquet
from polyethos.dataset.readers_text import Problems, Rows, read_csv, read_jsonl
from polyethos.errors import DataFormatError, UnknownNameError

BUNDLED = Path(__file__).parent / "bundled"
BUNDLED_FOLDERS = ("everyday",)

_READERS: dict[str, Callable[[Path, str], tuple[Rows, Problems]]] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# In a folder laid out like `everyday`, refusals and compliant openings lie beside the pairs.
_NOT_PAIRS = ("replies",)


def open_tables(
    source: str | Path, mapping: ColumnMapping, *, languages: Collection[str] | None = None, revision: str | None = None
) -> list[Table]:
    """The tables of a source.

    Args:
        source: bundled name, file, folder, or hub id "owner/name"; looked for in this order.
        mapping: where the fields are; with a constant `config` or `split`, a folder is opened as a hub data set.
        languages: files and configurations named by another language are not opened.
        revision: of a hub data set.

    Raises:
        UnknownNameError: there is nothing of this name.
        DataFormatError: a folder or file of no known kind.
        DataError: a hub data set cannot be reached or opened.
        MissingDependencyError: the source needs a package that is not installed.
    """
    path = BUNDLED / source if source in BUNDLED_FOLDERS else Path(source)
    if path.is_file():
        return [_read_file(path, path.name, path_labels(path, path))]
    if path.is_dir() and not _is_hub_folder(path, mapping):
        return list(_read_folder(path, languages))
    if path.is_dir() or (isinstance(source, str) and _HUB_ID.fullmatch(source)):
        return read_hub(str(source), mapping, languages=languages, revision=revision)
    raise UnknownNameError(
        f"no data set {str(source)!r}: it is neither a bundled set ({', '.join(BUNDLED_FOLDERS)}, microworld), "
        "nor an existing file or folder, nor a hub id 'owner/name'"
    )


def _is_hub_folder(path: Path, mapping: ColumnMapping) -> bool:
    card = path / "README.md"
    has_card = card.is_file() and re.match(r"---\n(.*\n)*?(configs|dataset_info):", card.read_text("utf-8", "replace"))
    return bool(has_card) or not mapping.constants.keys().isdisjoint(HUB_FIELDS)


def _read_folder(root: Path, languages: Collection[str] | None) -> Iterator[Table]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and _kind(path) in _READERS)
    if not files:
        raise DataFormatError(f"{root}: no data files in this folder; expected {', '.join(_READERS)}")
    for path in files:
        labels = path_labels(path, root)
        wanted = languages is None or labels.get("language") is None or labels["language"] in languages
        if wanted and path.name.split(".")[0] not in _NOT_PAIRS:
            yield _read_file(path, path.relative_to(root).as_posix(), labels)


def _read_file(path: Path, name: str, labels: dict[str, str]) -> Table:
    reader = _READERS.get(_kind(path))
    if reader is None:
        raise DataFormatError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(_READERS)}")
    rows, problems = reader(path, name)
    if not rows and not problems:
        problems = [Problem("broken file", name, "", "", "no rows", "at least one contrast pair")]
    return Table(name, rows, labels, problems)


def _kind(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    return suffixes[-1].lower() if suffixes else ""
