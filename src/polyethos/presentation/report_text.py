"""The report's record of a run: the study as a file that repeats it, and everything recorded as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN_FACTS = 300


def study_toml(study: Mapping[str, Any]) -> str:
    """The study as a TOML file for `polyethos run FILE`, or "" where the run folder's record has none."""
    record = study.get("study")
    if not isinstance(record, Mapping):
        return ""
    lines = [f"{key} = {_toml(content)}" for key, content in record.items() if content is not None]
    return "\n".join(lines) + "\n"


def facts(content: Any, where: str = "") -> list[tuple[str, str]]:  # noqa: ANN401
    """Nested plain data as rows of (place, content), at most a few hundred; the rest is counted in the last row."""
    rows: list[tuple[str, str]] = []
    for row in _walk(content, where):
        if len(rows) == _SHOWN_FACTS:
            return [*rows, ("…", "more than is shown here; the whole record is in the download")]
        rows.append(row)
    return rows


def _walk(content: Any, where: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    if isinstance(content, Mapping) and content:
        for key, inner in content.items():
            yield from _walk(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(content, (list, tuple)) and any(isinstance(inner, (Mapping, list)) for inner in content):
        for position, inner in enumerate(content):
            yield from _walk(inner, f"{where}[{position}]")
    elif content is not None and content != {}:
        yield where, ", ".join(map(str, content)) if isinstance(content, (list, tuple)) else str(content)


def _toml(content: Any) -> str:  # noqa: ANN401
    if isinstance(content, Mapping):
        inner = (f"{_toml(str(key))} = {_toml(value)}" for key, value in content.items() if value is not None)
        return "{ " + ", ".join(inner) + " }"
    if isinstance(content, (list, tuple)):
        return "[" + ", ".join(map(_toml, content)) + "]"
    # JSON and TOML agree on strings, whole numbers, decimals and booleans; TOML also refuses a bare delete character.
    return json.dumps(content, ensure_ascii=True).replace("\x7f", "\\u007f")
