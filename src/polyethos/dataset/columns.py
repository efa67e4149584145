"""Which column of a source holds which field of a contrast pair, and what the path of a file tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from polyethos.dataset.languages import language_code
from polyethos.dataset.problems import Problem
from polyethos.dataset.values import VALUES
from polyethos.errors import UnknownNameError

FIELDS = ("item", "value", "language", "positive", "negative", "context", "group")
HUB_FIELDS = ("config", "split")

Cells = Mapping[str, object]


@dataclass(frozen=True)
class Table:
    """The rows of one file, or of one split of a hub data set, as read.

    Attributes:
        file: name for messages.
        rows: (place, cells) of each row.
        labels: value and language as far as the path tells them; a column or constant has precedence.
        problems: what could not be read.
    """

    file: str
    rows: Sequence[tuple[str, Cells]]
    labels: Mapping[str, str]
    problems: Sequence[Problem] = ()


@dataclass(frozen=True)
class ColumnMapping:
    """Where each field comes from: a column of the source, or one constant for all rows."""

    names: Mapping[str, str] = field(default_factory=lambda: {name: name for name in FIELDS})
    constants: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, columns: Mapping[str, str] | None) -> ColumnMapping:
        """Read a mapping such as `{"positive": "best_answer", "value": "=truthfulness"}`; "=" marks a constant.

        Raises:
            UnknownNameError: a key is no field of a contrast pair.
        """
        given = dict(columns or {})
        for name in given:
            if name not in FIELDS + HUB_FIELDS:
                raise UnknownNameError.of("field", name, FIELDS + HUB_FIELDS, "column mapping")
        constants = {name: column[1:] for name, column in given.items() if column.startswith("=")}
        names = {name: given.get(name, name) for name in FIELDS if name not in constants}
        return cls(names, constants)

    @property
    def needed(self) -> frozenset[str]:
        """The columns that are looked at."""
        return frozenset(self.names.values())


def path_labels(path: Path, root: Path) -> dict[str, str]:
    """Value and language named by the path: `<language>/<value>.jsonl`, `<value>_<language>.csv` and the like.

    The part nearest to the file wins; `root` and the folders below it are looked at.
    """
    inside = path.relative_to(root).parent.parts if path != root else ()
    above = root.name if path != root else path.parent.name
    labels: dict[str, str] = {}
    for part in (path.name.split(".")[0], *reversed(inside), above):
        labels = _labels(part) | labels
    return labels


def _labels(part: str) -> dict[str, str]:
    if part in VALUES:
        return {"value": part}
    for name in VALUES:
        rest = part.removeprefix(name) if part.startswith(name) else part.removesuffix(name)
        if rest != part and (code := language_code(rest.strip("_-"))):
            return {"value": name, "language": code}
    code = language_code(part)
    return {"language": code} if code else {}
