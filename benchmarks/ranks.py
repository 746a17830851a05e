"""How long ranks take: `python -m benchmarks.ranks <job> <size>` runs one job and prints JSON.

Each job runs in a process of its own, so that its peak memory is its own. Imports are not in the times.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from etl.arrays import Floats, Ints
from etl.empirical_bayes import DRAWS, fit_beta_binomial
from etl.ranking import (
    classify_funnel,
    proportion_variances,
    rank_bounds,
    rank_proportions,
    rank_values,
    wilson_interval,
)

AREAS = 175
COHORTS = 50
AGE_GROUPS = 3
THREADS = 2
REPEATS = 5


@dataclass(frozen=True)
class Table:
    """Reoffenders and offenders of some authorities."""

    keys: list[str]
    events: Ints
    trials: Ints


def make_table(seed: int) -> Table:
    """A made table: 70 to some 10,000 offenders, rates of 24% with a standard deviation of 3 points."""
    random = np.random.default_rng(seed)
    trials = 70 + np.exp(random.normal(7, 0.8, AREAS)).astype(np.int64)
    rates = random.beta(48, 152, AREAS)
    return Table([f"E{number:08}" for number in range(AREAS)], random.binomial(trials, rates), trials)


def rank_table(table: Table, seed: str) -> list[Any]:
    """Everything that a ranking of one cohort and age group holds."""
    rates = table.events / table.trials
    events, trials = table.events / 1.3, table.trials / 1.3
    variances = proportion_variances(events, trials)
    return [
        rank_values(rates),
        wilson_interval(events, trials),
        classify_funnel(events, trials),
        rank_bounds(rates, variances),
        rank_bounds(rates, variances, simultaneous=True),
        rank_proportions(table.keys, events, trials, seed),
    ]


def rank_plainly(table: Table, random: np.random.Generator, draws: int = DRAWS) -> tuple[Floats, Ints, Ints]:
    """Expected rank and its 95% interval as one would write it: scipy.stats area by area and draw by draw."""
    from scipy import stats

    a, b = fit_beta_binomial(table.events, table.trials)
    drawn = np.array(
        [
            stats.beta(y + a, n - y + b).rvs(size=draws, random_state=random)
            for y, n in zip(table.events, table.trials, strict=True)
        ]
    )
    ranks = np.array([stats.rankdata(drawn[:, draw], method="min") for draw in range(draws)])
    ends = [np.quantile(ranks[:, area], [0.025, 0.975], method="inverted_cdf") for area in range(len(drawn))]
    low, high = np.array(ends, dtype=np.int64).T
    return ranks.mean(axis=0), low, high


def _time(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the best of some runs, after one that imports what is imported where it is used."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def plain(repeats: int) -> float:
    """Empirical Bayes ranks of one table, as one would write it."""
    table = make_table(0)
    return _time(lambda: rank_plainly(table, np.random.default_rng(0)), repeats)


def ours(repeats: int) -> float:
    """The same by `rank_proportions`."""
    table = make_table(0)
    return _time(lambda: rank_proportions(table.keys, table.events, table.trials, "ours"), repeats)


def whole(repeats: int) -> float:
    """A whole table."""
    table = make_table(0)
    return _time(lambda: rank_table(table, "whole"), repeats)


def many(tables: int) -> float:
    """Many whole tables, in two threads."""
    made = [make_table(number) for number in range(tables)]
    rank_table(made[0], "imports")
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(rank_table, made, (str(number) for number in range(tables))))
    return time.perf_counter() - start


JOBS = {job.__name__: job for job in (plain, ours, whole, many)}


def run_job(name: str, size: int) -> tuple[float, str]:
    """Seconds and peak memory of a job, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ranks", name, str(size)]
    printed = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return printed["seconds"], f"{printed['peak_mib']:,.0f} MiB"


def measure_ranks(quick: bool) -> list[list[str]]:
    """Table rows: one table against a plain way to the same ranks, and all tables of a whole publication."""
    repeats = 1 if quick else REPEATS
    cohorts = 2 if quick else COHORTS
    tables = cohorts * AGE_GROUPS
    rows = []
    plain_seconds, memory = run_job("plain", repeats)
    what = f"{DRAWS:,} draws of the ranks of {AREAS} authorities, scipy.stats area by area, rankdata draw by draw"
    rows.append([what, f"{plain_seconds:.2f} s", "1", memory])
    for job, what in (
        ("ours", "the same draws and ranks by `rank_proportions`"),
        ("whole", "their whole table: rates, intervals, funnels, both bounds and these ranks"),
    ):
        seconds, memory = run_job(job, repeats)
        rows.append([what, f"{seconds:.2f} s", f"{seconds / plain_seconds:.2f}", memory])
    seconds, memory = run_job("many", tables)
    rows.append(
        [
            f"{tables} such tables ({cohorts} cohorts, {AGE_GROUPS} age groups) in two threads",
            f"{seconds:.1f} s",
            "",
            memory,
        ]
    )
    return rows


if __name__ == "__main__":
    taken = JOBS[sys.argv[1]](int(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": taken, "peak_mib": peak}))
