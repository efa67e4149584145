"""Draw the pictures of docs/statistics.md from simulated studies.

python scripts/statistics_pictures.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from polyethos.analysis.asymmetry import accuracy_of, drawn_accuracy, held_out
from polyethos.analysis.flipping import correct_counts
from polyethos.analysis.one_way import observed_excess, simulated_excess
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.resampling import bootstrap_weights, random_signs, sign_flips
from polyethos.analysis.similarity import consistency, ratio, raw_products, unit_gram

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "analysis"))
import planted  # noqa: E402

INK, SOFT, STRONG = "#37474f", "#90a4ae", "#c2410c"
ITEMS, HIDDEN = 100, 64


def draw_sign_flips(axes: mpl.axes.Axes) -> None:
    """Null distribution of the accuracy of one language, and what was observed."""
    random = np.random.default_rng(4)
    data = planted.differences(
        random, planted.directions(random, languages=1, hidden=HIDDEN, cosine=1) * 0.9, items=ITEMS
    )
    units = resampling_units(planted.folds_of(data))
    flips, inner = sign_flips(units.fold, 10_000, seed=0), products_of(data, units).inner[0]
    right = np.zeros(flips.total)
    for fold in range(5):
        test = np.flatnonzero(units.fold_of_item == fold)
        right += correct_counts(inner, flips, train=units.fold != fold, test=test, unit=units.of_item)[0]
    axes.hist(right / ITEMS, bins=np.arange(0.275, 0.8, 0.01), color=SOFT)
    axes.axvline(right[0] / ITEMS, color=STRONG)
    axes.text(right[0] / ITEMS - 0.01, axes.get_ylim()[1] * 0.9, "observed", color=STRONG, ha="right")
    axes.set(xlabel="accuracy on held-out items", ylabel="sign patterns", title="Existence: 10,000 sign flips")


def draw_similarity(axes: mpl.axes.Axes) -> None:
    """Raw and corrected similarity of two languages with one direction, by reliability of the noisier one."""
    reliable = np.linspace(0.3, 0.97, 12)
    raw, corrected, low, high = [], [], [], []
    weights, signs = bootstrap_weights(ITEMS, 400, seed=0), random_signs(ITEMS, 50, seed=0)
    for k, share in enumerate(reliable):
        random = np.random.default_rng([7, k])
        axis = planted.directions(random, languages=1, hidden=HIDDEN, cosine=1)[0]
        lengths = np.sqrt(HIDDEN / ITEMS * np.array([0.98 / 0.02, share / (1 - share)]))
        data = planted.differences(random, lengths[:, None] * axis, items=ITEMS)
        gram = unit_gram(products_of(data, resampling_units(planted.folds_of(data))))
        found = consistency(gram, weights, signs).rho
        raw.append(ratio(raw_products(gram))[0, 1])
        corrected.append(found.value[0, 1])
        low.append(found.low[0, 1])
        high.append(found.high[0, 1])
    axes.axhline(1, color=INK, linewidth=0.8)
    axes.plot(reliable, raw, "o-", color=SOFT, label="raw cosine")
    bars = np.abs(np.array([low, high]) - corrected)
    axes.errorbar(reliable, corrected, bars, fmt="o", color=STRONG, label="corrected, 95 %")
    axes.set(xlabel="reliability of one direction", ylabel="similarity", title="Consistency: truly one direction")
    axes.legend(frameon=False, loc="lower right")


def draw_transfer(axes: mpl.axes.Axes) -> None:
    """Raw and adjusted gain between a clear and noisy languages that hold one direction."""
    raw, adjusted = [], []
    for study in range(150):
        random = np.random.default_rng([9, study])
        axis = planted.directions(random, languages=1, hidden=HIDDEN, cosine=1)[0]
        data = planted.differences(random, np.array([2.0, 0.9])[:, None] * axis, items=ITEMS)
        products = products_of(data, resampling_units(planted.folds_of(data)))
        found = held_out(lambda _, p=products: p, (1,) * 5)
        accuracy = accuracy_of(found.correct)
        null = simulated_excess(lambda _, p=products: p, (1,) * 5, random_signs(ITEMS, 50, seed=study))
        excess = observed_excess(found) - np.nanmean(null, axis=0)
        raw.append([accuracy[0, 1] - accuracy[1, 1], accuracy[1, 0] - accuracy[0, 0]])
        adjusted.append([excess[0, 1], excess[1, 0]])
    scale = 5
    for values, color, label in (
        (np.array(raw) * scale, SOFT, f"raw gain, times {scale}"),
        (adjusted, STRONG, "adjusted"),
    ):
        axes.plot(*np.array(values).T, ".", color=color, label=label, markersize=4)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlabel="high to low", ylabel="low to high", title="Transfer: truly one direction")
    axes.legend(frameon=False)


def draw_relations(axes: mpl.axes.Axes) -> None:
    """Slopes on distance that are due to two languages alone, and how permuting languages judges them."""
    random = np.random.default_rng(12)
    place, effect = random.standard_normal((12, 2)), random.normal(0, 0.1, 12)
    place[0] += 4
    effect[0] -= 0.35
    rows, columns = np.triu_indices(12, 1)
    distance = np.linalg.norm(place[rows] - place[columns], axis=1)
    similarity = 0.7 + effect[rows] + effect[columns] + random.normal(0, 0.04, len(rows))
    first = rows == 0
    axes.plot(distance[~first], similarity[~first], "o", color=SOFT, markersize=4, label="other pairs")
    axes.plot(distance[first], similarity[first], "o", color=STRONG, markersize=4, label="pairs of one language")
    axes.plot(np.unique(distance), np.poly1d(np.polyfit(distance, similarity, 1))(np.unique(distance)), color=INK)
    axes.set(xlabel="distance", ylabel="similarity", title="Relations: one language makes a slope")
    axes.legend(frameon=False)


def draw_comparison(axes: mpl.axes.Axes) -> None:
    """Two models on the same items: overlapping intervals, and a difference that is surely above 0."""
    random = np.random.default_rng(5)
    easy = random.standard_normal((1, ITEMS, HIDDEN))  # what makes an item easy or hard in both models
    axis = planted.directions(random, languages=1, hidden=HIDDEN, cosine=1)
    drawn = []
    for length in (1.0, 1.6):
        own = random.standard_normal((1, ITEMS, HIDDEN))
        data = planted.labelled(length * axis[:, None] + np.sqrt(0.97) * easy + np.sqrt(0.03) * own)
        units = resampling_units(planted.folds_of(data))
        products = products_of(data, units)
        correct = held_out(lambda _, p=products: p, (1,) * 5).correct[0, 0]
        drawn.append(drawn_accuracy(correct, bootstrap_weights(ITEMS, 1000, seed=0), units.of_item))
    rows = {"smaller model": drawn[0], "larger model": drawn[1], "difference": drawn[1] - drawn[0]}
    for row, (name, values) in enumerate(rows.items()):
        low, high = np.quantile(values, [0.025, 0.975])
        colour = STRONG if name == "difference" else INK
        axes.plot([low, high], [row, row], color=colour)
        axes.plot([values.mean()], [row], "o", color=colour)
    axes.axvline(0, color=SOFT)
    axes.set_yticks(range(3), list(rows))
    axes.set(ylim=(2.6, -0.6), xlabel="accuracy, and its difference", title="Comparison: the same items drawn for both")


def main() -> None:
    """Write one file per picture."""
    # Fixed ids and no date: the same pictures give the same files.
    mpl.rcParams.update(
        {"font.size": 9, "svg.hashsalt": "polyethos", "axes.spines.top": False, "axes.spines.right": False}
    )
    for name, draw in (
        ("sign-flips", draw_sign_flips),
        ("similarity", draw_similarity),
        ("transfer", draw_transfer),
        ("relations", draw_relations),
        ("comparison", draw_comparison),
    ):
        figure, axes = plt.subplots(figsize=(4.4, 3.0), layout="constrained")
        draw(axes)
        figure.savefig(ROOT / "docs" / "images" / f"statistics-{name}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
