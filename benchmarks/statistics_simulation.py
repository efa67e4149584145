"""Does the corrected protocol say the truth? Simulated studies whose truth is planted by `tests/analysis/planted.py`.

    OMP_NUM_THREADS=1 python benchmarks/statistics_simulation.py [PART ...]

Parts: existence, consistency, unrelated, transfer, one-way, relations, noise. Each prints what it planted and what was
found, with the Monte-Carlo error (two standard errors). `--studies N` sets how many studies per part; the default, 500,
takes about a quarter of an hour of processor time.
"""

import argparse
import random as standard_random
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "analysis"))
import planted

from polyethos.analysis.asymmetry import accuracy_of, held_out
from polyethos.analysis.common_direction import p_identical
from polyethos.analysis.one_way import observed_excess, one_way, simulated_excess
from polyethos.analysis.products import products_of, resampling_units
from polyethos.analysis.published import measure
from polyethos.analysis.relations import relations
from polyethos.analysis.resampling import bootstrap_weights, random_signs, sign_flips
from polyethos.analysis.significance import family_p, sign_flip_test
from polyethos.analysis.similarity import consistency, ratio, raw_products, unit_gram
from polyethos.dataset.languages import linguistic_distances, pretraining_shares

FOLDS = 5
HIGH = np.array([True, True, False, False, False, False])


def rate(hits):
    """Share in percent with two standard errors."""
    hits = np.asarray(hits, dtype=float)
    share = hits.mean()
    return f"{100 * share:.1f} +- {200 * np.sqrt(share * (1 - share) / hits.size):.1f} %"


def existence(studies):
    """No concept anywhere; then one of known accuracy."""
    p, single, chosen_family, paper = [], [], [], []
    for study in range(studies):
        random = np.random.default_rng([1, study])
        scores, highest, chosen, highest_chosen = [], [], [], []
        for value in range(2):
            # Noise shared by the translations of an item, as in parallel data.
            layers = {k: planted.differences(random, np.zeros((4, 24)), items=40, shared=0.5) for k in (1, 2, 3)}
            units = resampling_units(planted.folds_of(layers[1]))
            flips = sign_flips(units.fold, 1000, seed=1000 * study + value)
            found = sign_flip_test(lambda k, d=layers, u=units: products_of(d[k], u), (1, 2, 3), flips, workers=1)
            own = np.arange(4)
            scores.append(found.by_layer.score[own, own])
            highest.append(found.highest["own layer"])
            chosen.append(found.chosen.score[own, own])
            highest_chosen.append(found.highest["own chosen"])
            single.extend(found.chosen.p[own, own])
            if value == 0:
                paper.append(best_layer_accuracy(layers))
        p.append(family_p(np.stack(scores), np.stack(highest)).min())
        chosen_family.append(family_p(np.stack(chosen), np.stack(highest_chosen)).min())
    print(f"no concept, {studies} studies of 2 values x 4 languages x 3 layers x 40 items, 1,008 sign patterns")
    for name, found in (("values x languages x layers", p), ("values x languages, layer choice inside", chosen_family)):
        ks = stats.kstest(found, "uniform")
        print(
            f"  family of {name}: p uniform? KS p = {ks.pvalue:.3f}; family-wise error at 5 %: "
            f"{rate(np.array(found) <= 0.05)}"
        )
    print(f"  one cell, layer choice inside: p <= 0.05 in {rate(np.array(single) <= 0.05)} (shares of 40 items tie)")
    print(f"  paper: mean recognition at the best layer on the test pairs {np.mean(paper):.3f}")


def best_layer_accuracy(layers):
    """What `paper` calls recognition: the best layer on the very test pairs."""
    stacked = xr.concat([layers[k].expand_dims(layer=[k]) for k in layers], "layer")
    orders = {code: [str(i) for i in stacked["item"].values] for code in stacked["language"].values}
    measured = measure(stacked, orders)["accuracy"].max("layer").values
    return np.diag(measured).mean()


def common_study(random, *, items, hidden, languages, spread):
    """One direction in all languages; the first is clear and complete, the others noisy and short of items."""
    axis = planted.directions(random, languages=1, hidden=hidden, cosine=1)[0]
    # Reliabilities from 0.6 to 0.98 at this number of items.
    reliable = np.r_[0.98, np.linspace(0.95, 0.6, languages - 1)]
    n = np.r_[items, np.linspace(items, 0.8 * items, languages - 1).astype(int)]
    lengths = np.sqrt(reliable / (1 - reliable) * hidden / n)
    data = planted.differences(random, lengths[:, None] * axis, items=items, shared=0.3, spread=spread)
    for language in range(languages):
        data[language, n[language] :] = np.nan
    return data


def spreads(hidden):
    """Standard deviations of the dimensions: all alike, and falling, with mean square 1."""
    falling = np.arange(1, hidden + 1) ** -0.25
    return {
        "noise alike in all dimensions": np.ones(hidden),
        "noise concentrated": falling / np.sqrt(np.mean(falling**2)),
    }


def consistency_part(studies):
    """One direction, unequal separability and unequal numbers of items: bias, coverage, both tests."""
    hidden, items, languages = 128, 300, 5
    for name, spread in spreads(hidden).items():
        rho, raw, holds, defined, identical = [], [], [], [], []
        for study in range(studies):
            data = common_study(
                np.random.default_rng([2, study]), items=items, hidden=hidden, languages=languages, spread=spread
            )
            units = resampling_units(planted.folds_of(shuffled(data, study)))
            gram = unit_gram(products_of(shuffled(data, study), units))
            weights = bootstrap_weights(items, 1000, seed=study)
            signs = random_signs(items, 200, seed=study)
            found = consistency(gram, weights, signs)
            cells = np.triu_indices(languages, 1)
            rho.append(found.rho.value[cells])
            holds.append(
                np.where(np.isfinite(rho[-1]), (found.rho.low[cells] <= 1) & (found.rho.high[cells] >= 1), np.nan)
            )
            raw.append(ratio(raw_products(gram))[cells])
            defined.append(np.isfinite(rho[-1]))
            identical.append(p_identical(gram, found.rho.value, signs)[cells] <= 0.05)
        rho, holds = np.array(rho), np.array(holds)
        bias = np.nanmean(rho, axis=0) - 1
        error = 2 * np.nanstd(rho, axis=0) / np.sqrt(studies)
        print(f"one direction in 5 languages, reliability 0.98 to 0.6, {items} to 240 items, {name}, {studies} studies")
        print(
            f"  corrected similarity: bias between {bias.min():+.4f} and {bias.max():+.4f} per pair "
            f"(+- {error.max():.4f}), defined in {rate(np.array(defined))}"
        )
        print(
            f"  coverage of the 95 % interval: {rate(holds[np.isfinite(holds)])}; per pair "
            f"{100 * np.nanmin(np.nanmean(holds, axis=0)):.1f} to {100 * np.nanmax(np.nanmean(holds, axis=0)):.1f} %"
        )
        print(f"  rho = 1 rejected at 5 % in {rate(np.array(identical))}")
        print(f"  raw cosine: mean {np.mean(raw):.3f}, lowest pair {np.mean(raw, axis=0).min():.3f}")


def shuffled(data, study):
    """Items in random order, so that the missing ones fall into all folds."""
    return data.isel(item=np.random.default_rng([3, study]).permutation(data.sizes["item"]))


def unrelated(studies, hidden=128):
    """Clear but orthogonal directions whose translations share noise: the test of rho = 0, and the naive flip test."""
    p, naive, holds = [], [], []
    for study in range(studies):
        random = np.random.default_rng([4, study])
        means = planted.directions(random, languages=2, hidden=hidden, cosine=0.0) * np.array([[1.5], [1.5]])
        data = planted.differences(random, means, items=100, shared=0.5)
        gram = unit_gram(products_of(data, resampling_units(planted.folds_of(data))))
        signs = random_signs(100, 399, seed=study)
        found = consistency(gram, bootstrap_weights(100, 1000, seed=study), signs)
        p.append(found.p_unrelated[0, 1])
        holds.append(found.rho.low[0, 1] <= 0 <= found.rho.high[0, 1])
        if study < 300:
            naive.append(independent_flips(data.values, random))
    p = np.array(p)
    print(f"two orthogonal clear directions, noise shared by translations, 100 items, {studies} studies")
    print(f"  rho = 0 rejected at 5 %: {rate(p[np.isfinite(p)] <= 0.05)}; coverage {rate(holds)}")
    print(f"  flipping each language's differences independently instead: {rate(np.array(naive) <= 0.05)}")


def independent_flips(x, random):
    """P of the inner product of the means when both languages' items flip independently of each other."""

    def statistic(a, b):
        n = len(a)
        return (a.sum(0) @ b.sum(0) - np.einsum("sh,sh->", a, b)) / (n * (n - 1))

    observed = abs(statistic(*x))
    signs = random.choice([-1.0, 1.0], size=(199, 2, x.shape[1], 1))
    return (1 + sum(abs(statistic(*(x * each))) >= observed for each in signs)) / 200


def judged(data, high, *, seed):
    """One-way test and the raw gains of one simulated value."""
    units = resampling_units(planted.folds_of(data))
    products = products_of(data, units)
    choice = (1,) * FOLDS
    found = held_out(lambda _: products, choice)
    null = simulated_excess(lambda _: products, choice, random_signs(units.n_units, 199, seed=seed))
    accuracy = accuracy_of(found.correct)
    gain = accuracy - np.diag(accuracy)
    down, up = np.outer(high, ~high), np.outer(~high, high)
    return one_way(observed_excess(found), null, high), gain[down].mean() > 0 > gain[up].mean()


def transfer(studies):
    """One direction with unequal noise must not look one-way."""
    for name, spread in spreads(64).items():
        claims, artefact = [], []
        for study in range(studies):
            data = common_study(np.random.default_rng([5, study]), items=100, hidden=64, languages=6, spread=spread)
            found, looks = judged(shuffled(data, study), HIGH, seed=study)
            claims.append(found.claimed())
            artefact.append(looks)
        print(f"one direction in 6 languages, 2 of them clear, 100 to 80 items, {name}, {studies} studies")
        print(f"  called one-way: {rate(claims)}; raw gains look one-way in {rate(artefact)}")


def one_way_power(studies):
    """A planted one-way transfer must be found."""
    for items in (100, 200, 400):
        claims = []
        for study in range(studies):
            data = one_way_study(np.random.default_rng([6, study]), items)
            claims.append(judged(data, HIGH, seed=study)[0].claimed())
        print(
            f"planted one-way transfer (true excess +0.5 and -1.6 probits), {items} items: found in {rate(claims)}",
            flush=True,
        )


def one_way_study(random, items):
    """Low-resource vectors lean on a dimension of noise; high-resource ones do not."""
    means, spread = np.zeros((6, 32)), np.ones(32)
    means[:2, 0], means[2:, 0], means[2:, 1], spread[1] = 4, 1, 1.5, 6
    return planted.differences(random, means, items=items, spread=spread)


def relations_part(studies):
    """Similarity over the real distances of 16 languages: none, by family, and distorted by resources."""
    distances = linguistic_distances("urielplus").sel(distance=["genetic"])
    codes = list(planted.CODES)
    table = distances.sel(source=codes, target=codes)[0].values
    share = pretraining_shares()["mc4_pages_million"].reindex(codes).to_numpy(dtype=float)
    shares = xr.DataArray(share, dims="language", coords={"language": codes})
    logs = (np.log(share)[:, None] + np.log(share)) / 2
    pairs = np.triu_indices(len(codes), 1)
    known = np.isfinite(table[pairs])
    distance = (table - table[pairs][known].mean()) / table[pairs][known].std()
    resource = (logs - logs[pairs].mean()) / logs[pairs].std()
    effect = 0.035
    for name, signal, term in (
        ("no relation", np.zeros_like(distance), "distance"),
        (f"closer languages more similar, {effect} per standard deviation", -effect * distance, "distance"),
        (f"distorted by resources, {effect} per standard deviation", -effect * distance * resource, "distance x share"),
    ):
        p, detectable, naive = [], [], []
        for study in range(studies // 2):
            random = np.random.default_rng([7, study])
            language = random.normal(0, 0.1, len(codes))
            noise = np.triu(random.normal(0, 0.1, table.shape), 1)
            y = 0.5 + np.nan_to_num(signal) + language[:, None] + language + noise + noise.T
            similarity = xr.DataArray(y, dims=("source", "target"), coords={"source": codes, "target": codes})
            found = relations(similarity, distances, shares, permutations=199, seed=study)
            p.append(found["relation_p"].sel(term=term).item())
            detectable.append(found["relation_detectable"].sel(term=term).item())
            naive.append(stats.pearsonr(table[pairs][known], y[pairs][known]).pvalue)
        print(
            f"16 languages, language effects 0.1, {name}, {studies // 2} studies: p <= 0.05 of {term} in "
            f"{rate(np.array(p) <= 0.05)}; stated smallest effect found in 4 of 5: {np.mean(detectable):.3f}; "
            f"plain Pearson of distance: {rate(np.array(naive) <= 0.05)}",
            flush=True,
        )


def noise(studies):
    """Nothing but noise that the translations of an item share."""
    raw, corrected, paper, ours = [], [], [], []
    for study in range(studies):
        random = np.random.default_rng([8, study])
        means = planted.directions(random, languages=2, hidden=64, cosine=0.0) * 1.2
        data = planted.differences(random, means, items=100, shared=0.9)
        gram = unit_gram(products_of(data, resampling_units(planted.folds_of(data))))
        weights, signs = bootstrap_weights(100, 400, seed=study), random_signs(100, 99, seed=study)
        found = consistency(gram, weights, signs)
        raw.append(ratio(raw_products(gram))[0, 1])
        corrected.append(found.rho.value[0, 1])
        silent = planted.differences(random, np.zeros((2, 64)), items=100, shared=0.9)
        paper.append(leaking_accuracy(silent))
        ours.append(
            accuracy_of(
                held_out(lambda _, d=silent: products_of(d, resampling_units(planted.folds_of(d))), (1,) * 5).correct
            )[0, 1]
        )
    error = 2 * np.nanstd(corrected) / np.sqrt(studies)
    print(
        f"translations share 90 % of their noise, directions orthogonal, {studies} studies: "
        f"raw cosine {np.mean(raw):.3f}, corrected {np.nanmean(corrected):+.3f} +- {error:.3f}"
    )
    print(
        f"no concept at all, same noise, one item missing in one language: transfer accuracy in paper "
        f"{np.mean(paper):.3f}, corrected {np.mean(ours):.3f} +- {2 * np.std(ours) / np.sqrt(studies):.3f}"
    )


def leaking_accuracy(data):
    """Transfer of `paper`, each language shuffling its own list after one item is dropped in the second language."""
    orders = {}
    for code, dropped in zip(data["language"].values, (None, 7), strict=True):
        order = [str(item) for k, item in enumerate(data["item"].values) if k != dropped]
        standard_random.Random(1).shuffle(order)
        orders[code] = order
    return measure(data.expand_dims(layer=[1]), orders)["accuracy"].values[0, 1, 0]


PARTS = {
    "existence": existence,
    "consistency": consistency_part,
    "unrelated": unrelated,
    "transfer": transfer,
    "one-way": one_way_power,
    "relations": relations_part,
    "noise": noise,
}


def main():
    """Run the parts asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--studies", type=int, default=500)
    given = parser.parse_args()
    for part in given.parts or PARTS:
        started = time.process_time()
        PARTS[part](given.studies)
        print(f"  ({part}, {given.studies} studies: {time.process_time() - started:.0f} processor seconds)", flush=True)


if __name__ == "__main__":
    main()
