"""Rows of JSONL, JSON and CSV files, plain or gzipped, with every unreadable line reported."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from polyethos.dataset.columns import Cells
from polyethos.dataset.problems import Problem, shown

Rows = list[tuple[str, Cells]]
Problems = list[Problem]

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NESTED_TOO_DEEP = "brackets nested too deep"


def read_text(path: Path, name: str) -> tuple[str, Problems]:
    """The content of a UTF-8 file, byte order mark removed, undecodable bytes replaced.

    Returns:
        The text and one problem for each line that is not UTF-8, or one for a file that cannot be read at all.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return "", [
            Problem("broken file", name, "", "", f"a broken gzip file ({error})", "a whole one; download it again")
        ]
    except OSError as error:
        return "", [Problem("broken file", name, "", "", str(error.strerror), "a readable file")]
    if content.startswith(_UTF16_MARKS) or content[:1000].count(0) > len(content[:1000]) // 4:
        return "", [Problem("encoding", name, "", "", "UTF-16 or binary content", "text saved as UTF-8")]
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace"), list(_undecodable_lines(content, name))


def _undecodable_lines(content: bytes, name: str) -> Iterator[Problem]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"byte 0x{line[error.start]:02x} at position {error.start + 1}"
            yield Problem("encoding", name, f"line {number}", "", found, "UTF-8; save the file as UTF-8")


def read_jsonl(path: Path, name: str) -> tuple[Rows, Problems]:
    """One row for each line of JSON."""
    text, problems = read_text(path, name)
    rows: Rows = []
    # Not splitlines: it also breaks at characters that JSON allows inside strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        content, problem = parse_json(line, name, place)
        if problem:
            problems.append(problem)
        elif not isinstance(content, dict):
            problems.append(Problem("broken line", name, place, "", shown(content), "a JSON object, {...}"))
        else:
            rows.append((place, content))
    return rows, problems


def parse_json(text: str, name: str, place: str = "") -> tuple[object, Problem | None]:
    """The content of a JSON text, or the problem that makes it unreadable."""
    try:
        return json.loads(text, object_pairs_hook=_unrepeated), None
    except json.JSONDecodeError as error:
        place = place or f"line {error.lineno}"
        found, where = shown(text[error.pos : error.pos + 20]), f"{error.msg.lower()} at column {error.colno}"
        return None, Problem("broken line", name, place, "", f"{found} ({where})", "valid JSON")
    except (ValueError, RecursionError) as error:
        found = _NESTED_TOO_DEEP if isinstance(error, RecursionError) else str(error)
        return None, Problem("broken line", name, place, "", found, "valid JSON")


def _unrepeated(members: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(members)
    if len(content) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        # Python's reader would keep the last one without a word.
        raise ValueError(f"{twice!r} twice in one object")
    return content


def read_csv(path: Path, name: str) -> tuple[Rows, Problems]:
    """One row for each record of a CSV file with a header; comma, semicolon or tab separates."""
    text, problems = read_text(path, name)
    header_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    header: list[str] | None = None
    before = 0
    try:
        for record in records:
            place, before = f"line {before + 1}", records.line_num
            if header is None:
                header = [cell.strip() for cell in record]
                problems.extend(_repeated_columns(header, name))
            elif record and len(record) != len(header):
                found, expected = f"{len(record)} cells", f"{len(header)}, as in the header ({', '.join(header)})"
                problems.append(Problem("ragged", name, place, "", found, expected))
            elif record:
                rows.append((place, dict(zip(header, record, strict=True))))
    except csv.Error as error:
        hint = "one record a line, quotation marks closed and doubled inside quoted cells"
        problems.append(Problem("broken line", name, f"line {before + 1}", "", str(error), hint))
    return rows, problems


def _repeated_columns(header: list[str], name: str) -> Iterator[Problem]:
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield Problem("repeated column", name, "line 1", column, f"{header.count(column)} columns of this name", "one")
