"""From the raw rows of one table to contrast pairs, each cell checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from polyethos.dataset.columns import Cells, ColumnMapping, Table
from polyethos.dataset.languages import LANGUAGES, language_code
from polyethos.dataset.pairs import ContrastPair
from polyethos.dataset.problems import Problem, Severity, shown
from polyethos.dataset.values import VALUES

MAX_CHARACTERS = 20_000
"""A longer text is no sentence; usually a quotation mark was left open."""

_REQUIRED = ("value", "language", "positive", "negative")
_BY_PATH = {"value": "a folder or file named by a value", "language": "a folder or file named by a language code"}
_NEED_CONTEXT = {"deontology": "the scenario", "truthfulness": "the question"}
# Control characters other than tab and line breaks, and halves of surrogate pairs, which no encoding can write.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Characters that reorder the text around them, and the mark left where text was decoded wrongly.
_SUSPECT = re.compile("[\u202a-\u202e\u2066-\u2069\ufffd]")


class PlacedPair(NamedTuple):
    """A contrast pair and where it was read."""

    pair: ContrastPair
    file: str
    place: str


class TableChecker:
    """Turns the rows of one table into pairs and collects what is wrong with the others."""

    def __init__(
        self,
        table: Table,
        mapping: ColumnMapping,
        *,
        values: Collection[str] | None = None,
        languages: Collection[str] | None = None,
    ) -> None:
        self.problems: list[Problem] = []
        self._table, self._mapping = table, mapping
        self._values, self._languages = values, languages
        self._contexts = False
        self._columns = list(dict.fromkeys(column for _, cells in table.rows for column in cells))

    def pairs(self) -> list[PlacedPair]:
        """The usable pairs of the selected values and languages; rows of others are passed over."""
        self.problems = list(self._table.problems)
        if not self._table.rows or self._missing_columns():
            return []
        numbered = "item" not in self._mapping.constants and self._mapping.names["item"] not in self._columns
        if numbered:
            expected = "ids shared by translations; now row n of every language counts as the same item"
            self._report("missing column", "", self._mapping.names["item"], "no such column", expected, warning=True)
        column = self._mapping.names.get("context")
        self._contexts = any(cells.get(column) for _, cells in self._table.rows) if column else False
        placed = []
        for number, (place, cells) in enumerate(self._table.rows, start=1):
            pair = self._pair(place, cells, default_item=str(number) if numbered else None)
            if pair is not None:
                placed.append(PlacedPair(pair, self._table.file, place))
        return placed

    def _missing_columns(self) -> bool:
        missing = False
        for field, column in self._mapping.names.items():
            wanted = field in _REQUIRED or column != field
            if wanted and column not in self._columns and field not in self._table.labels:
                close = difflib.get_close_matches(column, self._columns, n=1)
                hint = f'; columns={{"{field}": "{close[0]}"}} if that is it' if close else ""
                ways = f"a column for {field}" + (f", or {_BY_PATH[field]}" if field in _BY_PATH else "")
                self._report("missing column", "", column, f"only {', '.join(self._columns)}", ways + hint)
                missing = True
        return missing

    def _pair(self, place: str, cells: Cells, default_item: str | None) -> ContrastPair | None:
        before = len(self.problems)
        value, language = self._value(place, cells), self._language(place, cells)
        if value is None or language is None:
            return None
        item = default_item or self._text(place, cells, "item")
        positive, negative = self._text(place, cells, "positive"), self._text(place, cells, "negative")
        context = self._text(place, cells, "context", optional=True)
        group = self._text(place, cells, "group", optional=True)
        if positive and positive == negative:
            self._report("identical", place, "negative", f"{shown(negative)}, as positive", "two different sentences")
        if self._contexts and value in _NEED_CONTEXT and not context:
            self._report("no context", place, "context", "nothing", _NEED_CONTEXT[value], warning=True)
        if any(problem.severity == "error" for problem in self.problems[before:]):
            return None
        return ContrastPair(item, value, language, positive, negative, context, group)

    def _value(self, place: str, cells: Cells) -> str | None:
        cell = self._cell(cells, "value")
        name = cell.strip().lower() if isinstance(cell, str) else ""
        if self._values is not None and name not in self._values:
            return None
        if name not in VALUES:
            self._report("unknown value", place, "value", shown(cell), f"a value{_closest(name, VALUES)}")
            return None
        return name

    def _language(self, place: str, cells: Cells) -> str | None:
        cell = self._cell(cells, "language")
        label = cell if isinstance(cell, str) else ""
        code = language_code(label)
        if self._languages is not None and code not in self._languages:
            return None
        if code is None:
            self._report("unknown language", place, "language", shown(cell), f"a language{_closest(label, LANGUAGES)}")
        return code

    def _cell(self, cells: Cells, field: str) -> object:
        if field in self._mapping.constants:
            return self._mapping.constants[field]
        column = self._mapping.names[field]
        return cells[column] if column in cells else self._table.labels.get(field)

    def _text(self, place: str, cells: Cells, field: str, *, optional: bool = False) -> str:
        cell = self._cell(cells, field)
        if isinstance(cell, list):
            cell = cell[0] if cell else None
        if isinstance(cell, int) and not isinstance(cell, bool) and field in ("item", "group"):
            cell = str(cell)
        column = self._mapping.names.get(field, field)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            if not optional:
                self._report("empty", place, column, "nothing" if cell is None else shown(cell), "a text")
            return ""
        if not isinstance(cell, str):
            self._report("not text", place, column, shown(cell), "a text")
            return ""
        self._check_characters(place, column, cell)
        return cell

    def _check_characters(self, place: str, column: str, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            found = f"{len(text)} characters starting {shown(text, 30)}"
            self._report("too long", place, column, found, f"a sentence of at most {MAX_CHARACTERS} characters")
        if match := _FORBIDDEN.search(text):
            found = f"{shown(match[0])} at position {match.start() + 1}"
            self._report("character", place, column, found, "no control characters")
        if match := _SUSPECT.search(text):
            found = f"{shown(match[0])} at position {match.start() + 1}"
            self._report(
                "suspect character", place, column, found, "text in reading order, decoded right", warning=True
            )
        if text != text.strip():
            found = f"a blank at the edge of {shown(text)}"
            self._report("outer blank", place, column, found, "none: it changes the last token", warning=True)

    def _report(self, kind: str, place: str, field: str, found: str, expected: str, *, warning: bool = False) -> None:
        severity: Severity = "warning" if warning else "error"
        self.problems.append(Problem(kind, self._table.file, place, field, found, expected, severity))


def _closest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.4)
    return f" (did you mean {close[0]!r}?)" if close else f": one of {', '.join(names)}"
