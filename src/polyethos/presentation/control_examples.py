"""Example answers of a control study, for machines (JSONL) and for people (Markdown)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from polyethos.presentation.answers_control import source_name
from polyethos.presentation.labels import language_name, model_name

_NUMBERS = ("refuses", "fidelity", "repetition", "perplexity", "judged")


def examples(results: xr.Dataset) -> Iterator[dict[str, Any]]:
    """One row per example answer: source, target, condition, kind, item, request, answer, and what was measured."""
    texts = results["answer_text"].transpose("source", "target", "kind", "prompt", "shown")
    numbers = {
        name: results[f"answer_{name}"].transpose(*texts.dims) for name in _NUMBERS if f"answer_{name}" in results
    }
    requests = results["answer_request"].transpose(*texts.dims)
    for place in np.ndindex(texts.shape):
        request = requests.values[place]
        # Kinds that are no requests have none; a file gives back empty text for what is missing.
        if not isinstance(request, str) or not request:
            continue
        labels = {str(dim): str(texts[dim].values[at]) for dim, at in zip(texts.dims, place, strict=True)}
        found = {name: float(table.values[place]) for name, table in numbers.items()}
        yield {
            "source": labels["source"],
            "target": labels["target"],
            "condition": labels["shown"],
            "kind": labels["kind"],
            "item": labels["prompt"],
            "request": request,
            "answer": str(texts.values[place]),
            **{name: None if number != number else round(number, 4) for name, number in found.items()},
        }


def to_jsonl(results: xr.Dataset) -> str:
    """All example answers, one JSON object per line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in examples(results))


def to_markdown(results: xr.Dataset) -> str:
    """All example answers as tables: a heading per source, target and request, a row per condition."""
    lines = [
        f"# Example answers of {model_name(results)}",
        "",
        "`add +1` steers up (towards refusing) at the chosen strength, `add -1` down; `random` adds a random direction "
        "of the same length, and is the control beside which every other row is to be read. Whether an answer refuses "
        "is guessed by a detector of limited accuracy.",
    ]
    seen: tuple[str, ...] = ()
    for row in examples(results):
        head = (row["source"], row["target"], row["kind"], row["item"])
        if head[:2] != seen[:2]:
            lines += ["", f"## {language_name(row['target'])}, vector from {source_name(row['source'])}"]
        if head != seen:
            lines += ["", f"**{row['kind']}**: {_cell(row['request'])}", "", "| condition | answer | refuses |",
                      "|---|---|---|"]  # fmt: skip
            seen = head
        told = {None: "", 1.0: "yes", 0.0: "no"}[row.get("refuses")]
        lines.append(f"| {row['condition']} | {_cell(row['answer'])} | {told} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that can neither end a cell nor begin markup."""
    plain = " ".join(text.split())
    return "".join("\\" + char if char in "\\`*_{}[]<>#|!" else char for char in plain)
