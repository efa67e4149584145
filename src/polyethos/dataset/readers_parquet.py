"""Rows of a Parquet file; needs the extra `data`."""

from __future__ import annotations

from pathlib import Path

from polyethos.dataset.problems import Problem
from polyethos.dataset.readers_text import Problems, Rows
from polyethos.errors import MissingDependencyError


def read_parquet(path: Path, name: str) -> tuple[Rows, Problems]:
    """One row for each record.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError.of("pyarrow", "data", f"reading {path}") from error
    try:
        records = pyarrow.parquet.ParquetFile(path).read().to_pylist()
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        return [], [Problem("broken file", name, "", "", reason, "a whole Parquet file; write or download it again")]
    return [(f"row {number}", record) for number, record in enumerate(records, start=1)], []
