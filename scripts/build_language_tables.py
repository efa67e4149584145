"""Rebuild the bundled language tables from the sources they were taken from.

Run from the repository root: `python scripts/build_language_tables.py [FOLDER]`, FOLDER holding lang2vec's distances
as the published code used them, the URIEL+ distances and the pre-training shares (default: ../shared/data/languages).
Names, families and scripts are kept by hand in languages.csv; this script fills the other columns.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

TABLES = Path(__file__).resolve().parents[1] / "src" / "polyethos" / "dataset" / "bundled" / "languages"
IDENTITY = ["code", "name", "autonym", "family", "script", "uriel_code", "word_separator"]
DISTANCES = ["genetic", "syntactic", "geographic", "phonological", "inventory", "featural"]
SHARES = {
    "llama2_pct_docs_table10": "llama2_pct_documents",
    "roots_bytes": "roots_bytes",
    "roots_pct_of_total_bytes": "roots_pct_bytes",
    "bloom_card_pct": "bloom_card_pct",
    "mc4_tokens_B": "mc4_tokens_billion",
    "mc4_pages_M": "mc4_pages_million",
    "mt5_sampling_pct": "mt5_sampling_pct",
    "gpt3_pct_words": "gpt3_pct_words",
    "cc_2024_42_pct_pages": "common_crawl_2024_42_pct_pages",
}
# What the published code writes down for Qwen in place of figures that were never published.
MADE_UP_FOR_QWEN = {"en": 50.0, "zh": 60.0}

Cells = Mapping[str, Mapping[str, float]]


def languages_table(identity: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """The language table: identity, level of resources, shares per source."""
    figures = shares.rename(columns=SHARES)[list(SHARES.values())].astype({"roots_bytes": "Int64"})
    table = identity.join(figures, on="code")
    qwen = table["llama2_pct_documents"].where(
        ~table["code"].isin(MADE_UP_FOR_QWEN), table["code"].map(MADE_UP_FOR_QWEN)
    )
    pages = table["common_crawl_2024_42_pct_pages"]
    level = pages.map(lambda share: "high" if share >= 1 else "mid" if share >= 0.1 else "low")
    table.insert(len(IDENTITY) - 1, "resource_level", level)
    return table.assign(qwen_made_up_by_paper=qwen)


def distance_rows(table: str, cells_of: Mapping[str, Cells], codes: list[str]) -> list[dict[str, object]]:
    """One row per distance, source and target of one table, with a flag where the entry is not to be trusted."""
    rows: list[dict[str, object]] = []
    for distance in DISTANCES:
        cells = cells_of[distance]
        without_data = languages_without_data(cells, codes) if distance in ("phonological", "inventory") else set()
        for source in codes:
            for target in codes:
                found = round(cells[source][target], 6)
                flag = flag_of(table, distance, source, target, found, without_data)
                kept = None if flag == "missing" else found
                entry = {"distance": distance, "source": source, "target": target, "value": kept, "flag": flag}
                rows.append({"table": table, **entry})
    return rows


def languages_without_data(cells: Cells, codes: list[str]) -> set[str]:
    """Languages whose distances to all others equal those of another one: both came from an empty feature vector."""
    return {
        a
        for a in codes
        for b in codes
        if a != b and all(cells[a][c] == cells[b][c] for c in codes if c not in (a, b)) and abs(cells[a][b]) < 0.001
    }


def flag_of(table: str, distance: str, source: str, target: str, found: float, without_data: set[str]) -> str:
    """The flag of one entry; sources.json explains each."""
    if found == -1:
        return "missing"
    if source == target:
        return "self_not_zero" if found else ""
    if table == "paper" and distance == "geographic" and "zh" in (source, target):
        return "macrolanguage"
    if table == "paper" and {source, target} & without_data:
        return "no_data"
    return "zero_between_languages" if found == 0 else ""


def main(folder: Path) -> None:
    """Write languages.csv and distances.csv."""
    identity = pd.read_csv(TABLES / "languages.csv", keep_default_na=False)[IDENTITY]
    shares = pd.read_csv(folder / "pretrain_language_shares.csv", index_col="lang")
    languages_table(identity, shares).to_csv(TABLES / "languages.csv", index=False, lineterminator="\n")

    codes = identity["code"].tolist()
    published = json.loads((folder / "lang_sim_reference.json").read_text(encoding="utf-8"))
    by_distance = {name: {a: {b: published[a][b][name] for b in codes} for a in codes} for name in DISTANCES}
    urielplus = json.loads((folder / "urielplus_1.3.2_distances.json").read_text(encoding="utf-8"))
    rows = distance_rows("urielplus", urielplus, codes) + distance_rows("paper", by_distance, codes)
    pd.DataFrame(rows).to_csv(TABLES / "distances.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main(
        Path(sys.argv[1])
        if len(sys.argv) > 1
        else Path(__file__).resolve().parents[2] / "shared" / "data" / "languages"
    )
