"""Small data sets written by hand, for tests that say what is wrong with them."""

import json
from pathlib import Path
from typing import Any

HEADER = "item,value,language,positive,negative"


def row(item: str = "m1", language: str = "en", **changes: Any) -> dict[str, Any]:
    """A valid row of `morality`, with some cells changed; a cell changed to `...` is left out."""
    cells = {
        "item": item,
        "value": "morality",
        "language": language,
        "positive": f"I gave {item} back ({language}).",
        "negative": f"I kept {item} ({language}).",
    } | changes
    return {name: cell for name, cell in cells.items() if cell is not ...}


def write_jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    """Write `rows` as JSONL and give the path back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(cells) + "\n" for cells in rows), encoding="utf-8")
    return path


def write_mvalue(root: Path, value: str, language: str, content: dict[str, Any]) -> Path:
    """Write one file of the MVALUE layout below `root`."""
    path = root / value / f"{value}_{language}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
