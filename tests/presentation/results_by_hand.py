"""Results for the tests of the pages: small ones with known answers, and random ones of a real study's size."""

import numpy as np
import xarray as xr

LANGUAGES = ("en", "fr", "zh", "es", "pt", "vi", "ca", "id", "ja", "ko", "fi", "hu", "ta", "te", "sw", "ny")
VALUES = ("morality", "deontology", "utilitarianism", "fairness", "truthfulness", "toxicity", "harmfulness")


def three_languages() -> xr.Dataset:
    """Two values, English, French and Swahili; English is the high-resource language; every number chosen by hand."""
    languages, values = ["en", "fr", "sw"], ["morality", "fairness"]
    pair, cell = ("source", "target"), ("value", "language")
    gain = [[0.0, 0.04, 0.10], [-0.02, 0.0, 0.0], [-0.20, -0.1, 0.0]]
    similarity = [[1.0, 0.8, 0.2], [0.8, 1.0, 0.4], [0.2, 0.4, 1.0]]
    return xr.Dataset(
        {
            "recognition": (cell, [[0.9, 0.8, 0.5], [0.7, 0.6, np.nan]]),
            "n_items": (cell, [[100, 100, 100], [100, 100, 0]]),
            "transfer_gain": (pair, gain),
            "similarity": (pair, similarity),
            "similarity_by_value": (("value", *pair), [similarity, similarity]),
            "layer_curve": (("value", "layer"), [[0.1, 0.5], [0.2, np.nan]]),
            "chosen_layer": (("value", "fold"), [[2, 2], [1, 2]]),
        },
        coords={
            "value": values,
            "language": languages,
            "source": languages,
            "target": languages,
            "layer": [1, 2],
            "fold": [0, 1],
        },
        attrs={
            "model": "tiny_model",
            "protocol": "corrected",
            "data": "by hand",
            "chance": 0.5,
            "high_resource": ["en"],
        },
    )


def study_of(
    model: str = "some-org/some-model-7B",
    *,
    seed: int = 0,
    layers: int = 12,
    protocol: str = "corrected",
    languages=LANGUAGES,
) -> xr.Dataset:
    """Random results of a plausible shape: 7 values, up to 16 languages, later languages weaker; one cell missing."""
    draw = np.random.default_rng(seed)
    n, m = len(languages), len(VALUES)
    strength = np.linspace(0.45, 0.05, n)
    depth = np.sin(np.linspace(0.3, 2.6, layers))
    own = 0.5 + (strength[None, :] * draw.uniform(0.7, 1.1, (m, n)))
    own[-1, -1] = np.nan
    loss = np.minimum.outer(strength, strength) / strength[None, :]
    moved = np.clip(0.5 + (own[:, None, :] - 0.5) * (0.4 + 0.7 * loss) + draw.normal(0, 0.02, (m, n, n)), 0, 1)
    moved[:, range(n), range(n)] = own
    cosine = np.clip(loss * loss.T * 0.8 + draw.normal(0, 0.06, (m, n, n)), -1, 1)
    cosine = (cosine + cosine.transpose(0, 2, 1)) / 2
    cosine[:, range(n), range(n)] = 1
    accuracy = 0.5 + (moved[..., None] - 0.5) * depth
    pair, cell = ("source", "target"), ("value", "language")
    gain = np.nanmean(moved - moved[:, range(n), range(n)][:, None, :], axis=0)
    variables = {
        "accuracy": (("value", *pair, "layer"), accuracy.astype(np.float32)),
        "cosine": (("value", *pair, "layer"), (cosine[..., None] * depth).astype(np.float32)),
        "recognition": (cell, own),
        "n_items": (cell, np.where(np.isnan(own), 0, 96)),
        "transfer_accuracy": (("value", *pair), moved),
        "transfer_gain": (pair, gain),
        "similarity": (pair, cosine.mean(axis=0)),
        "similarity_by_value": (("value", *pair), cosine),
        "layer_curve": (("value", "layer"), np.outer(draw.uniform(0.2, 0.7, m), depth)),
        "chosen_layer": (("value", "fold"), draw.integers(layers // 2, layers - 1, (m, 5))),
    }
    coords = {
        "value": list(VALUES), "language": list(languages), "source": list(languages), "target": list(languages),
        "layer": np.arange(1, layers + 1), "fold": np.arange(5),
    }  # fmt: skip
    if protocol == "paper":
        coords["distance"] = ["genetic", "syntactic", "geographic", "phonological"]
        variables["linguistic_direct"] = ("distance", [0.31, 0.42, -0.05, 0.12])
        variables["linguistic_split"] = ("distance", [0.28, 0.51, 0.02, 0.08])
    attrs = {"model": model, "protocol": protocol, "data": "everyday", "chance": 0.5, "high_resource": ["en", "zh"]}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def with_intervals(results: xr.Dataset) -> xr.Dataset:
    """The results with intervals and p-values of recognition and of the noise-corrected similarity."""
    own, pairs = results["recognition"], results["similarity_by_value"]
    return results.assign(
        recognition_low=own - 0.06, recognition_high=np.minimum(own + 0.05, 1),
        recognition_p=xr.where(own > 0.58, 0.001, 0.4),
        consistency=np.minimum(pairs * 1.2, 1), consistency_low=pairs * 1.2 - 0.1, consistency_high=pairs * 1.2 + 0.1,
        transfer_gain_low=results["transfer_gain"] - 0.03, transfer_gain_high=results["transfer_gain"] + 0.03,
    )  # fmt: skip


def study_with_tests(model: str = "some-org/some-model-7B", *, seed: int = 0, languages=LANGUAGES[:8], replicates=50):
    """Random results with every test of the corrected protocol; the last language's direction is undefined."""
    results = with_intervals(study_of(model, seed=seed, languages=languages))
    draw, n, m = np.random.default_rng(seed), len(languages), len(VALUES)
    items = np.random.default_rng(0)
    pair, cell, table = ("source", "target"), ("value", "language"), ("value", "source", "target")
    known = np.ones((n, n))
    known[-1] = known[:, -1] = np.nan
    own, similar = results["recognition"].fillna(0.5).values, results["consistency"].values * known
    apart = np.where(np.eye(n), np.nan, known)
    excess = draw.normal(0, 0.2, (n, n)) * (1 - np.eye(n))
    kinds, terms = ["genetic", "syntactic"], ["distance", "share", "distance x share"]

    def scattered(values, dims):
        noise = items.normal(0, 0.02, (replicates, *np.shape(values)))
        return (("replicate", *dims), values + noise)

    variables = {
        "recognition_p_family": (cell, np.where(own > 0.6, 0.001, 0.6)),
        "detectable_accuracy": (cell, np.full((m, n), 0.62)),
        "detectable_accuracy_family": (cell, np.full((m, n), 0.68)),
        "control_accuracy": (("control", *cell), np.full((4, m, n), 0.55)),
        "recognition_excess": (("control", *cell), np.broadcast_to(own - 0.55, (4, m, n))),
        "recognition_excess_low": (("control", *cell), np.broadcast_to(own - 0.65, (4, m, n))),
        "recognition_excess_high": (("control", *cell), np.broadcast_to(own - 0.45, (4, m, n))),
        "consistency": (table, similar),
        "consistency_p": (table, 0.001 * np.broadcast_to(apart, (m, n, n))),
        "consistency_identical_p": (table, 0.2 * np.broadcast_to(apart, (m, n, n))),
        "consistency_raw": (table, results["similarity_by_value"].values),
        "consistency_whitened": (table, 0.9 * similar),
        "reliability": (("value", "language", "layer"), draw.uniform(0.5, 0.99, (m, n, results.sizes["layer"]))),
        "direction_defined": (cell, np.broadcast_to(np.arange(n) < n - 1, (m, n))),
        "consistency_layer": ("value", np.full(m, 7)),
        "relation": (("distance", "term"), [[-0.2, 0.1, 0.3], [-0.1, 0.0, 0.1]]),
        "relation_p": (("distance", "term"), [[0.03, 0.4, 0.2], [0.2, 0.9, 0.4]]),
        "relation_detectable": (("distance", "term"), [[0.15, 0.2, 0.2], [0.15, 0.2, 0.2]]),
        "one_way_excess": ("way", [-0.1, -0.2, np.nan]),
        "one_way_excess_low": ("way", [-0.3, -0.4, np.nan]),
        "one_way_excess_high": ("way", [0.1, 0.1, np.nan]),
        "one_way_excess_p": ("way", [0.7, 0.2, 0.7]),
        "one_way_claimed": ((), False),
        "transfer_potential_share": ((), 0.6),
        "similarity_corrected": (pair, similar.mean(axis=0)),
        "transfer_excess": (pair, excess),
        "recognition_replicates": scattered(own, cell),
        "similarity_corrected_replicates": scattered(similar.mean(axis=0), pair),
        "transfer_excess_replicates": scattered(excess, pair),
        "resampling_key": ("value", np.arange(m)),
    }
    coords = {"control": ["random direction", "shuffled labels", "length", "words"], "distance": kinds, "term": terms}
    return results.assign_coords(coords | {"way": ["high to low", "low to high", "both"]}).assign(variables)


STUDY = {
    "format": 1,
    "study": {
        "models": [{"name": "some-org/some-model-7B", "revision": None, "template": "[INST] {input} [/INST] "}],
        "data": "everyday",
        "columns": {"positive": "pos"},
        "values": None,
        "languages": ["en", "fr"],
        "protocol": "corrected",
        "folds": 5,
        "trust_remote_code": False,
    },
    "data": {"name": "everyday", "pairs": 11200, "sha256": "ab" * 32},
    "versions": {"python": "3.11.2", "polyethos": "0.1.0"},
    "model": {"model": "some-org/some-model-7B", "n_layers": 12},
}

HOSTILE = "</script><script>document.title='broken in'</script><img src=x onerror=alert(1)>\u202eevil\u202c\u2066"


def hostile(languages=LANGUAGES) -> xr.Dataset:
    """Results whose every string attacks the page that shows it, with a very long word among the values."""
    results = study_of(HOSTILE, languages=languages)
    values = [HOSTILE, "w" * 5000, "\"'&lt;", "\u2028", "{{ 1234 * 9 }}", "${alert(1)}", "a\u0000b"]
    renamed = results.assign_coords(value=values, language=[*languages[:-1], HOSTILE])
    renamed = renamed.assign_coords(source=renamed["language"].values, target=renamed["language"].values)
    return renamed.assign_attrs(protocol=HOSTILE, data=HOSTILE)
