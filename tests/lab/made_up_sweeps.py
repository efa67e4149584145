"""Results of sweeps and studies, made by hand."""

import numpy as np
import xarray as xr

from polyethos.lab.evidence import Study
from polyethos.lab.experiments import EXPERIMENTS
from polyethos.lab.sweep_plan import SweepPlan

PARAMETERS = {"tiny": 94_208, "small": 159_744}


def planned_results(plan, outcomes):
    """Results of every run of a plan; `outcomes` maps a name to a function of share, tokens and seed."""
    runs = plan.runs()
    shares = np.array([[run.condition.mixture.shares[code] for code in plan.languages] for run in runs])
    tokens = np.array([run.condition.tokens for run in runs])
    seeds = np.array([run.seed for run in runs])
    columns = {"share": shares, "language_tokens": shares * tokens[:, None]} | {
        name: of(shares, tokens[:, None], seeds[:, None]) for name, of in outcomes.items()
    }
    described = {
        "experiment": [run.condition.experiment for run in runs],
        "condition": [run.condition.name for run in runs],
        "level": [float(run.condition.level) for run in runs],
        "size": [run.size for run in runs],
        "parameters": [PARAMETERS[run.size] for run in runs],
        "seed": seeds,
        "tokens": tokens,
    }
    return xr.Dataset(
        {name: (("run", "language"), values) for name, values in columns.items()},
        coords={"run": [run.name for run in runs], "language": list(plan.languages)}
        | {name: ("run", values) for name, values in described.items()},
    )


def learnt_by_tokens(share, tokens, seed):
    """Transfer that grows by one for every doubling of a language's tokens, plus what the seed has in common."""
    return np.log2(share * tokens / 1000) + 0.01 * seed


def small_plan(**changes):
    """Two seeds of one size."""
    return SweepPlan(**{"tokens": 100_000, "seeds": 2, "sizes": ("small",), "experiments": EXPERIMENTS} | changes)


def study(name, codes, shares, *, similarity):
    """Every pair of languages equally similar, every vector right in 90 % of cases."""
    n = len(codes)
    between = np.where(np.eye(n) > 0, 1.0, similarity)
    results = xr.Dataset(
        {
            "recognition": (("value", "language"), np.full((1, n), 0.9)),
            "similarity": (("source", "target"), between),
            "transfer_accuracy": (("value", "source", "target"), np.full((1, n, n), 0.8)),
        },
        coords={"value": ["morality"], "language": codes, "source": codes, "target": codes},
    )
    return Study(name, results, shares, "by hand")
