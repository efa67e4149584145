"""From a source to contrast pairs, with everything that is wrong reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from polyethos.dataset.agreement import differing_groups, missing_translations, repeated_texts, without_duplicates
from polyethos.dataset.columns import ColumnMapping, Table
from polyethos.dataset.opening import open_tables
from polyethos.dataset.pairs import ContrastPair
from polyethos.dataset.problems import Problem, Report
from polyethos.dataset.rows import PlacedPair, TableChecker


def check(source: str | Path, columns: Mapping[str, str] | None = None, *, revision: str | None = None) -> Report:
    """Read a source and report every problem at once; nothing is raised for what is inside the files.

    Args:
        source: what `load_pairs` takes.
        columns: as for `load_pairs`.
        revision: of a hub data set.

    Raises:
        UnknownNameError: there is nothing of this name, or `columns` names no field.
        DataError: the source as a whole cannot be opened.
    """
    mapping = ColumnMapping.parse(columns)
    _, report = check_tables(str(source), open_tables(source, mapping, revision=revision), mapping)
    return report


def check_tables(
    source: str,
    tables: Iterable[Table],
    mapping: ColumnMapping,
    *,
    values: Collection[str] | None = None,
    languages: Collection[str] | None = None,
) -> tuple[tuple[ContrastPair, ...], Report]:
    """The usable pairs of some tables, in the order read, and the report on all problems.

    Rows of other `values` and `languages` than the given ones are passed over, whatever is in them.
    """
    placed: list[PlacedPair] = []
    problems: list[Problem] = []
    for table in tables:
        checker = TableChecker(table, mapping, values=values, languages=languages)
        placed.extend(checker.pairs())
        problems.extend(checker.problems)
    placed, duplicates = without_duplicates(placed)
    problems += [*duplicates, *differing_groups(placed), *repeated_texts(placed), *missing_translations(source, placed)]
    counts = Counter((entry.pair.value, entry.pair.language) for entry in placed)
    return tuple(entry.pair for entry in placed), Report(source, tuple(problems), dict(counts))
