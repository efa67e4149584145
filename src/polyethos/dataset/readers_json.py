"""Rows of a JSON file: a list of records, or the MVALUE layout of arXiv:2402.18120."""

from __future__ import annotations

from pathlib import Path

from polyethos.dataset.columns import Cells
from polyethos.dataset.problems import Problem, shown
from polyethos.dataset.readers_text import Problems, Rows, parse_json, read_text

_MVALUE = 'a list of objects, or the MVALUE layout {subset: {key: {"pos": ..., "neg": ...}}}'


def read_json(path: Path, name: str) -> tuple[Rows, Problems]:
    """One row for each record.

    A list holds records. An object is read as MVALUE, `{subset: {key: {pos, neg[, scenario | question]}}}`: the item
    is "subset/key", the order that of the file, `scenario` or `question` the context.
    """
    text, problems = read_text(path, name)
    if problems and not text:
        return [], problems
    content, problem = parse_json(text, name)
    if problem:
        return [], [*problems, problem]
    if isinstance(content, list):
        rows, more = _records(content, name)
    elif isinstance(content, dict):
        rows, more = _mvalue(content, name)
    else:
        rows, more = [], [Problem("broken file", name, "", "", shown(content), _MVALUE)]
    return rows, [*problems, *more]


def _records(content: list[object], name: str) -> tuple[Rows, Problems]:
    rows: Rows = []
    problems: Problems = []
    for number, record in enumerate(content, start=1):
        if isinstance(record, dict):
            rows.append((f"entry {number}", record))
        else:
            problems.append(Problem("broken line", name, f"entry {number}", "", shown(record), "an object, {...}"))
    return rows, problems


def _mvalue(content: dict[str, object], name: str) -> tuple[Rows, Problems]:
    rows: Rows = []
    problems: Problems = []
    for subset, samples in content.items():
        if not isinstance(samples, dict):
            problems.append(Problem("broken file", name, subset, "", shown(samples), _MVALUE))
            continue
        for key, sample in samples.items():
            place = f"{subset}/{key}"
            if isinstance(sample, dict):
                rows.append((place, _mvalue_cells(sample, place)))
            else:
                problems.append(
                    Problem("broken line", name, place, "", shown(sample), 'an object with "pos" and "neg"')
                )
    return rows, problems


def _mvalue_cells(sample: dict[str, object], item: str) -> Cells:
    names = {"pos": "positive", "neg": "negative", "scenario": "context", "question": "context"}
    return {"item": item, **sample, **{names[key]: cell for key, cell in sample.items() if key in names}}
