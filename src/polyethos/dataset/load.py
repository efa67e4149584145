"""Contrast pairs and replies, by the name of a bundled set, from files, or from the Hugging Face hub."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polyethos.dataset.columns import ColumnMapping
from polyethos.dataset.languages import LANGUAGES, language
from polyethos.dataset.opening import BUNDLED, BUNDLED_SETS, open_tables
from polyethos.dataset.pairs import ContrastPair, ContrastPairs
from polyethos.dataset.problems import DROPPABLE, Problem, Report, count_kinds, listed
from polyethos.dataset.validation import check_tables
from polyethos.dataset.values import VALUES, value
from polyethos.errors import InvalidPairsError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Reply:
    """Two openings of a reply to a request: one refuses, one complies."""

    item: str
    language: str
    refusal: str
    compliance: str


def load_pairs(
    source: str | Path = "everyday",
    *,
    values: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    revision: str | None = None,
    drop: Collection[str] = (),
) -> ContrastPairs:
    """Contrast pairs from a bundled set, a file, a folder or the hub.

    Args:
        source: "everyday" or "microworld"; a file or folder of JSONL, JSON, CSV or Parquet, or in the MVALUE layout
            `{value}/{value}_{language}.json`; or a hub id "owner/name".
        values: only these, in this order; other rows are passed over unread.
        languages: only these, in this order; other rows are passed over unread.
        columns: column of the source for each field (item, value, language, positive, negative, context, group) whose
            column has another name; of a list, the first entry is taken. "=..." is a constant for all rows, for
            instance `{"positive": "best_answer", "value": "=truthfulness"}`. For a hub data set also the constants
            `config` and `split`. Value and language may also be told by the names of folders and files.
        revision: of a hub data set: branch, tag or commit.
        drop: kinds of problem whose pairs are left out instead of refused, for instance `("identical",)`; how many
            were left out is in the `notes` of the result.

    Returns:
        The pairs, by value, then language, then in the order of the source. An item that is missing in a language is
        missing there.

    Raises:
        InvalidPairsError: something in the source is wrong; carries every problem found.
        UnknownNameError: no such source, value, language, field or kind of problem.
        DataError: the source as a whole cannot be opened.
    """
    for name in values or ():
        value(name, where="values")
    for code in languages or ():
        language(code, where="languages")
    for kind in drop:
        if kind not in DROPPABLE:
            raise UnknownNameError.of("kind of problem", kind, DROPPABLE, "drop")
    mapping = ColumnMapping.parse(columns)
    tables = open_tables(source, mapping, languages=languages, revision=revision)
    pairs, report = check_tables(str(source), tables, mapping, values=values, languages=languages)
    dropped = _refuse_or_drop(report, drop)
    notes = (f"left out: {listed(dropped)}",) if dropped else ()
    loaded = ContrastPairs(str(source), _in_order(pairs), notes)
    return loaded if values is None and languages is None else loaded.select(values=values, languages=languages)


def _refuse_or_drop(report: Report, drop: Collection[str]) -> list[Problem]:
    dropped = [problem for problem in report.errors if problem.kind in drop]
    refused = [problem for problem in report.errors if problem.kind not in drop]
    if not refused and not report.pairs:
        why = f"all left out: {listed(dropped)}" if dropped else "none of the values and languages asked for"
        raise InvalidPairsError(f"{report.source}: no contrast pairs ({why})", [*map(str, dropped)])
    if refused:
        kinds = tuple(count_kinds(refused))
        more = f"; in all {listed(refused)}" if refused[1:] else ""
        way_out = f"; drop={kinds} leaves such pairs out" if set(kinds) <= set(DROPPABLE) else ""
        raise InvalidPairsError(f"{refused[0]}{more}{way_out}", [*map(str, refused)])
    return dropped


def _in_order(pairs: Sequence[ContrastPair]) -> tuple[ContrastPair, ...]:
    values, languages = list(VALUES), list(LANGUAGES)
    rank = {(v, c): (i, j) for i, v in enumerate(values) for j, c in enumerate(languages)}
    return tuple(sorted(pairs, key=lambda pair: rank[pair.value, pair.language]))


def bundled_sets() -> tuple[str, ...]:
    """The names of the sets that come with the package."""
    return BUNDLED_SETS


def load_replies(languages: Sequence[str] | None = None) -> tuple[Reply, ...]:
    """The bundled refusals and compliant openings, 12 of each per language, parallel by item.

    Args:
        languages: only these, in this order (default: all).

    Raises:
        UnknownLanguageError: no such language.
    """
    replies = []
    for code in LANGUAGES if languages is None else languages:
        path = BUNDLED / "everyday" / language(code, where="replies").code / "replies.jsonl"
        rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        replies += [Reply(row["item"], code, row["refusal"], row["compliance"]) for row in rows]
    return tuple(replies)
