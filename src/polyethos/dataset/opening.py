"""From a source (bundled name, file, folder, hub id) to tables of raw rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from pathlib import Path

from polyethos.dataset.columns import HUB_FIELDS, ColumnMapping, Table, path_labels
from polyethos.dataset.pairs import ContrastPair
from polyethos.dataset.problems import Problem
from polyethos.dataset.readers_hub import read_hub
from polyethos.dataset.readers_json import read_json
from polyethos.dataset.readers_parquet import read_parquet
from polyethos.dataset.readers_text import Problems, Rows, read_csv, read_jsonl
from polyethos.errors import DataError, DataFormatError, UnknownNameError

BUNDLED = Path(__file__).parent / "bundled"
BUNDLED_SETS = ("everyday", "microworld")

_READERS: dict[str, Callable[[Path, str], tuple[Rows, Problems]]] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
}
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+")
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
    if source == "microworld":
        return [_microworld(languages)]
    path = BUNDLED / "everyday" if source == "everyday" else Path(source)
    if revision is not None and path.exists():
        raise DataError(f"{source}: revision {revision!r} of a local path; only data sets on the hub have revisions")
    if path.is_file():
        return [_read_file(path, path.name, path_labels(path, path))]
    if path.is_dir() and not _is_hub_folder(path, mapping):
        return list(_read_folder(path, languages))
    is_id = isinstance(source, str) and _HUB_ID.fullmatch(source) and _kind(path) not in _READERS
    if path.is_dir() or is_id:
        return read_hub(str(source), mapping, languages=languages, revision=revision)
    raise UnknownNameError(
        f"no data set {str(source)!r}: it is neither a bundled set ({', '.join(BUNDLED_SETS)}), "
        "nor an existing file or folder, nor a hub id 'owner/name'"
    )


def _microworld(languages: Collection[str] | None) -> Table:
    # Imported here because the lexicons are only read when asked for.
    from polyethos.dataset.microworld import microworld_pairs

    chosen = None if languages is None else list(languages)
    names = [field.name for field in fields(ContrastPair)]
    pairs = microworld_pairs(languages=chosen)
    rows = [(pair.item, {name: getattr(pair, name) for name in names}) for pair in pairs]
    return Table("microworld", rows, {})


def _is_hub_folder(path: Path, mapping: ColumnMapping) -> bool:
    if not mapping.constants.keys().isdisjoint(HUB_FIELDS):
        return True
    card = path / "README.md"
    front = card.read_text("utf-8", "replace").split("\n---", 1)[0] if card.is_file() else ""
    return front.startswith("---") and re.search(r"^(configs|dataset_info):", front, re.MULTILINE) is not None


def _read_folder(root: Path, languages: Collection[str] | None) -> Iterator[Table]:
    found = (path for path in root.rglob("*") if path.is_file() and _kind(path) in _READERS)
    files = sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))
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
