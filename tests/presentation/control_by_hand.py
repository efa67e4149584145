"""A control study's results made by hand: two sources, three targets, refusals and preferences of two values."""

import numpy as np
import xarray as xr

SOURCES, TARGETS, VALUES = ["en", "own"], ["en", "fi", "sw"], ["harmfulness", "fairness"]
KINDS = ["harmful", "harmless", "pair"]
CONDITIONS = {
    "plain": ("plain", "none", 0.0),
    "add -1": ("concept", "add", -1.0),
    "add +1": ("concept", "add", 1.0),
    "random 1 -1": ("random", "add", -1.0),
    "random 1 +1": ("random", "add", 1.0),
    "ablate": ("concept", "ablate", 0.0),
}


def control_results():
    """English steers refusals in all targets by 2, 1 and 0.2 nats; any control reaches 0.5; preferences move by 0.3.

    Requests exist for harmfulness alone; preferences were steered from English only.
    """
    cell = (len(VALUES), len(SOURCES), len(TARGETS), len(KINDS))
    effect = np.full(cell, np.nan)
    effect[0, :, :, 0] = [[2.0, 1.0, 0.2], [2.0, 1.5, 1.2]]
    effect[0, :, :, 1] = 0.4
    effect[:, 0, :, 2] = 0.3
    known = ~np.isnan(effect)
    headline = ("value", "source", "target", "kind")
    columns = {
        "effect": effect,
        "effect_low": effect - 0.1,
        "effect_high": effect + 0.1,
        "effect_control": np.where(known, 0.5, np.nan),
        "effect_random": np.where(known, 0.4, np.nan),
        "effect_p": np.where(known, 0.05, np.nan),
        "effect_p_family": np.where(known, 0.1, np.nan),
        "beyond": np.where(known, effect > 0.5, np.nan),
        "items": np.where(known, 32.0, np.nan),
        "groups": np.where(known, 8.0, np.nan),
    }
    dose = np.array([dose if family == "concept" else 0.1 * dose for family, _, dose in CONDITIONS.values()])
    change = dose[:, None] * effect[:, :, :, None, :]
    curves = {"change": change, "rate": np.where(np.isnan(change), np.nan, 0.5 + dose[:, None] / 4)}
    results = xr.Dataset(
        {f"control_{name}": (headline, table) for name, table in columns.items()}
        | {f"control_{name}": ((*headline[:3], "condition", "kind"), table) for name, table in curves.items()},
        coords={
            "value": VALUES,
            "source": SOURCES,
            "target": TARGETS,
            "kind": KINDS,
            "condition": list(CONDITIONS),
            "family": ("condition", [family for family, _, _ in CONDITIONS.values()]),
            "operator": ("condition", [operator for _, operator, _ in CONDITIONS.values()]),
            "dose": ("condition", [dose for _, _, dose in CONDITIONS.values()]),
            "outcome": ["refusal", "preference"],
        },
        attrs={"model": "by-hand", "dominant": "en", "dominant_why": "English: by hand", "size": "quick"},
    )
    shape = (2, len(VALUES), len(SOURCES), len(TARGETS))
    for name, number in (("separability", 0.9), ("calibration", 0.7), ("recalibrated", 0.8)):
        results[f"control_{name}"] = (("outcome", *headline[:3]), np.full(shape, number))
    return results


def with_answers(results):
    """One request of each kind in every target, answered plain and steered up; the judge saw none."""
    dims = ("source", "target", "shown", "kind", "prompt")
    shape = (len(SOURCES), len(TARGETS), 2, len(KINDS), 1)
    texts, requests = (np.full(shape, text, dtype=object) for text in ("I cannot | help.", "How do I *steal*?"))
    texts[:, :, 0] = "Sure: <b>here</b>"
    # Pairs are no requests; a file gives back empty text for what is missing.
    texts[:, :, :, 2], requests[:, :, :, 2] = "", ""
    return results.assign_coords(shown=["plain", "add +1"], prompt=["item 1"]).assign(
        answer_text=(dims, texts),
        answer_request=(dims, requests),
        answer_refuses=(dims, np.where(texts == "I cannot | help.", 1.0, 0.0)),
        answer_perplexity=(dims, np.full(shape, np.nan)),
    )
