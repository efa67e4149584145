"""Checks between contrast pairs: duplicates, missing translations, groups that differ between languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from polyethos.dataset.problems import Problem
from polyethos.dataset.rows import PlacedPair


def without_duplicates(placed: Iterable[PlacedPair]) -> tuple[list[PlacedPair], list[Problem]]:
    """The pairs, of several with the same value, language and item only the first; and a problem for each other one."""
    first: dict[tuple[str, str, str], PlacedPair] = {}
    problems = []
    for entry in placed:
        key = (entry.pair.value, entry.pair.language, entry.pair.item)
        earlier = first.setdefault(key, entry)
        if earlier is not entry:
            found = f"{entry.pair.item!r}, already in {earlier.file}, {earlier.place}"
            expected = f"each item once for {entry.pair.value}/{entry.pair.language}"
            problems.append(Problem("duplicate", entry.file, entry.place, "item", found, expected))
    return list(first.values()), problems


def repeated_texts(placed: Iterable[PlacedPair]) -> Iterator[Problem]:
    """A warning for each pair whose texts another item of the same value and language has, unless they share a group.

    Such items would put the same text into training and test.
    """
    first: dict[tuple[str, ...], PlacedPair] = {}
    for entry in placed:
        pair = entry.pair
        earlier = first.setdefault((pair.value, pair.language, pair.context, pair.positive, pair.negative), entry)
        if earlier is not entry and not (pair.group and pair.group == earlier.pair.group):
            found = f"the texts of item {earlier.pair.item!r} ({earlier.file}, {earlier.place})"
            yield Problem("repeated text", entry.file, entry.place, "", found, "other texts, or one group", "warning")


def differing_groups(placed: Iterable[PlacedPair]) -> Iterator[Problem]:
    """An error for each pair whose group differs from that of the same item in another language."""
    first: dict[tuple[str, str], PlacedPair] = {}
    for entry in placed:
        earlier = first.setdefault((entry.pair.value, entry.pair.item), entry)
        if earlier.pair.group != entry.pair.group:
            expected = f"{earlier.pair.group!r} as in {earlier.file}, {earlier.place}"
            yield Problem("group", entry.file, entry.place, "group", repr(entry.pair.group), expected)


def missing_translations(source: str, placed: Iterable[PlacedPair]) -> Iterator[Problem]:
    """A warning for each value and language that lacks items another language has."""
    items: dict[str, dict[str, None]] = {}
    present: dict[tuple[str, str], set[str]] = {}
    files: dict[tuple[str, str], str] = {}
    languages: dict[str, None] = {}
    for entry in placed:
        pair = entry.pair
        items.setdefault(pair.value, {})[pair.item] = None
        present.setdefault((pair.value, pair.language), set()).add(pair.item)
        files.setdefault((pair.value, pair.language), entry.file)
        languages[pair.language] = None
    for value, wanted in items.items():
        for language in languages:
            cell = (value, language)
            lacking = [item for item in wanted if item not in present.get(cell, ())]
            if lacking:
                found = f"{len(wanted) - len(lacking)} of {len(wanted)} items; no {', '.join(lacking[:3])}"
                found += ", ..." if len(lacking) > 3 else ""
                place = f"{value}/{language}"
                expected = "every item in every language"
                yield Problem("missing translation", files.get(cell, source), place, "", found, expected, "warning")
