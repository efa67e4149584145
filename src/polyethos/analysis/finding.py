"""A claim of the paper with what both protocols say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["supported", "in part", "contradicted", "open"]

LEVEL = 0.05
NOT_RUN = "Not run; `polyethos run --protocol paper` on the same model shows it beside this."


@dataclass(frozen=True)
class Finding:
    """One claim of the paper and what the two protocols say of it.

    Attributes:
        claim: the claim, in our words.
        paper: what `paper` finds in this model; says so where it was not run.
        corrected: what `corrected` finds.
        why: why the two differ, or can.
        verdict: what the corrected protocol makes of the claim.
        table: numbers behind `corrected` as rows of text, the header first; empty where a sentence holds them.
        reservation: what limits the verdict, in a few words, or empty.
    """

    claim: str
    paper: str
    corrected: str
    why: str
    verdict: Verdict
    table: tuple[tuple[str, ...], ...] = ()
    reservation: str = ""
