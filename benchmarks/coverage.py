"""How often an interval of a rank holds the rank: `python -m benchmarks.coverage` prints Markdown tables.

First by simulation, where the true rates are known: reoffending of adults in a year, by authority. Then on published
police recorded crime: how often the interval of a year holds the rank of the next.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from etl.arrays import Floats, Ints
from etl.ranking import (
    proportion_variances,
    rank_bounds,
    rank_estimates,
    rank_proportions,
    rank_values,
    wilson_interval,
    yearly_variance,
)
from etl.settings import Settings, project_root

SEED = 20260731
THREADS = 2
EQUAL_TIMES = 10
"""So many times the replicates where all rates are equal: findings are rare there, and draws are not needed."""
ADULTS = 288_877
"""Adult offenders of the four quarterly cohorts of 2020/21, England and Wales (Ministry of Justice)."""
LEAST_OFFENDERS = 30
MEAN_RATE = 0.24
EFFECTS = (1.0, 1.3, 1.6)
LOWEST = 5
YEAR_PAIRS = 5
TIERS = ("County", "London Borough", "Metropolitan District", "Unitary Authority")

Interval = tuple[Ints, Ints]


@dataclass(frozen=True)
class Truth:
    """How rates are made: their standard deviation between areas, and the design effect of the data."""

    spread: float
    effect: float


def authority_sizes() -> dict[str, int]:
    """Adult offenders of each upper-tier or unitary authority, if they lived where all residents do.

    No table by authority is at hand, so that published residents (mid-2024) are scaled to the published total;
    authorities under 30 are left out, as they are from rankings.
    """
    with (project_root() / "samples" / "figures" / "population_2024.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    residents = {line["code"]: int(line["population"]) for line in lines if line["geography"] in TIERS}
    total = sum(residents.values())
    sizes = {code: round(ADULTS * number / total) for code, number in residents.items()}
    return {code: size for code, size in sizes.items() if size >= LEAST_OFFENDERS}


def make_rates(truth: Truth, areas: int, random: np.random.Generator) -> Floats:
    """True rates: beta with mean .24 and the given standard deviation; all equal without one."""
    if truth.spread == 0:
        return np.full(areas, MEAN_RATE)
    size = MEAN_RATE * (1 - MEAN_RATE) / truth.spread**2 - 1
    return random.beta(MEAN_RATE * size, (1 - MEAN_RATE) * size, size=areas)


def make_events(rates: Floats, trials: Ints, effect: float, random: np.random.Generator) -> Ints:
    """Reoffenders whose variance is the binomial one times the design effect (beta-binomial)."""
    if effect == 1:
        return random.binomial(trials, rates)
    # A beta-binomial of size m has 1 + (n - 1)/(m + 1) times the binomial variance.
    size = (trials - effect) / (effect - 1)
    return random.binomial(trials, random.beta(rates * size, (1 - rates) * size))


def rank_naively(events: Floats, trials: Floats) -> Interval:
    """Where each end of an area's Wilson interval would rank among the rates of the others."""
    low, high = wilson_interval(events, trials)
    others = np.sort(events / trials)
    # The area's own rate lies above its lower end and below its upper one, where it must not count.
    return 1 + np.searchsorted(others, low), np.searchsorted(others, high)


def judge(interval: Interval, ranks: Ints) -> list[float]:
    """Share of areas whose rank is held, share of the truly lowest five, and mean width (high less low)."""
    low, high = interval
    held = (low <= ranks) & (ranks <= high)
    return [held.mean(), held[ranks <= LOWEST].mean(), float((high - low).mean())]


def simulate(truth: Truth, assumed: Sequence[float], sizes: dict[str, int], replicate: int) -> list[list[float]]:
    """One replicate: for each assumed design effect, `judge` of empirical Bayes, of Holm's bounds, of the naive."""
    random = np.random.default_rng([SEED, replicate, round(1000 * truth.spread), round(10 * truth.effect)])
    trials = np.array(list(sizes.values()))
    rates = make_rates(truth, len(trials), random)
    events = make_events(rates, trials, truth.effect, random)
    ranks, _ = rank_values(rates)
    rows = []
    for effect in assumed:
        y, n = events / effect, trials / effect
        bayes = rank_proportions(list(sizes), y, n, seed=f"coverage {replicate}")
        assert bayes.rank_low is not None and bayes.rank_high is not None
        intervals = (
            (bayes.rank_low, bayes.rank_high),
            rank_bounds(events / trials, proportion_variances(y, n)),
            rank_naively(y, n),
        )
        rows.append([figure for interval in intervals for figure in judge(interval, ranks)])
    return rows


def simulate_equal(effect: float, sizes: dict[str, int], replicate: int) -> list[float]:
    """All rates truly equal: share of areas that Holm tells from none, each area by itself; and whether none of all."""
    random = np.random.default_rng([SEED, replicate, 0, round(10 * effect)])
    trials = np.array(list(sizes.values()))
    events = make_events(make_rates(Truth(0, effect), len(trials), random), trials, effect, random)
    rates, variances = events / trials, proportion_variances(events / effect, trials / effect)
    shares = []
    for simultaneous in (False, True):
        low, high = rank_bounds(rates, variances, simultaneous=simultaneous)
        shares.append((low == 1) & (high == len(trials)))
    return [float(shares[0].mean()), float(shares[1].all())]


def repeat(one: partial[list[list[float]]] | partial[list[float]], replicates: int) -> tuple[Floats, Floats]:
    """Mean over replicates, and its Monte Carlo standard error."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = np.array(list(pool.map(one, range(replicates))))
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(replicates)


def measure_proportions(replicates: int, truths: Iterable[tuple[Truth, Sequence[float]]]) -> list[list[str]]:
    """Table rows: coverage and width by truth and assumed design effect."""
    sizes = authority_sizes()
    rows = []
    for truth, assumed in truths:
        means, errors = repeat(partial(simulate, truth, assumed, sizes), replicates)
        for effect, mean, error in zip(assumed, means, errors, strict=True):
            bayes, holm, naive = mean.reshape(3, 3)
            start = [f"{100 * truth.spread:.0f}", f"{truth.effect}", f"{effect}"]
            rows.append(
                [
                    *start,
                    f"{bayes[0]:.3f} ± {error[0]:.3f}",
                    *(f"{bayes[1]:.2f}", f"{bayes[2]:.0f}"),
                    *(f"{holm[0]:.3f}", f"{holm[1]:.2f}", f"{holm[2]:.0f}"),
                    *(f"{naive[0]:.3f}", f"{naive[1]:.2f}", f"{naive[2]:.0f}"),
                ]
            )
    return rows


def measure_equal(replicates: int) -> list[list[str]]:
    """Table rows: how often Holm tells nothing apart where there is nothing to tell."""
    sizes = authority_sizes()
    rows = []
    for effect in EFFECTS:
        means, errors = repeat(partial(simulate_equal, effect, sizes), replicates)
        rows.append([f"{effect}", *(f"{mean:.4f} ± {error:.4f}" for mean, error in zip(means, errors, strict=True))])
    return rows


@dataclass(frozen=True)
class Offence:
    """Offences and rates of the same areas (columns) in successive years (rows)."""

    name: str
    areas: list[str]
    offences: Floats
    populations: Floats


def measure_crime(offences: Sequence[Offence]) -> list[list[str]]:
    """Table rows: how often the interval of one year holds the rank of the next, by offence group."""
    rows = []
    for offence in offences:
        judged = [
            figures
            for year in range(1, len(offence.offences) - 1)
            if (figures := judge_year(offence, year)) is not None
        ]
        noise, *figures = np.mean(judged, axis=0)
        shown = [f"{figure:.2f}" if place % 2 == 0 else f"{figure:.1f}" for place, figure in enumerate(figures)]
        rows.append([offence.name, f"{len(judged)}", f"{100 * noise:.1f}", *shown])
    return rows


def judge_year(offence: Offence, year: int) -> list[float] | None:
    """Yearly noise; then coverage of the next year's ranks and width: by chance only, by log rates, by Holm's bounds.

    None where there are under three pairs of years to tell the yearly noise from.
    """
    y = offence.offences
    noise = yearly_variance([(y[now], y[now - 1]) for now in range(max(1, year - YEAR_PAIRS + 1), year + 1)])
    if noise is None:
        return None
    log_rates = np.log(np.maximum(y[year], 0.5) / offence.populations[year])
    chance = 1 / np.maximum(y[year], 0.5)
    next_ranks, _ = rank_values(y[year + 1] / offence.populations[year + 1])
    intervals = [
        *(_bayes_interval(offence, log_rates, variances, year) for variances in (chance, chance + noise)),
        rank_bounds(log_rates, chance + noise),
    ]
    figures = [figure for interval in intervals for figure in judge(interval, next_ranks)[::2]]
    return [noise**0.5, *figures]


def _bayes_interval(offence: Offence, log_rates: Floats, variances: Floats, year: int) -> Interval:
    ranks = rank_estimates(offence.areas, log_rates, variances, seed=f"{offence.name} {year}")
    assert ranks.rank_low is not None and ranks.rank_high is not None
    return ranks.rank_low, ranks.rank_high


CRIME_METHODS = ("chance only", "log rates with yearly noise", "Holm")
CRIME_QUERY = """
SELECT trend.offence_name, trend.period_end, trend.area_code, trend.offences, trend.population
FROM mart.crime_trend AS trend
INNER JOIN ref.offence AS offence ON offence.offence_id = trend.offence_id
WHERE trend.level = 'police_force' AND trend.span = 'year' AND month(trend.period_end) = 3
    AND trend.rate_per_1000 IS NOT NULL AND trend.offence_id <> 'total_including_fraud'
    AND (offence.level IN ('total', 'group') OR trend.offence_id = 'homicide')
    AND trend.offence_id NOT IN ('fraud_offences', 'drug_offences', 'possession_of_weapons_offences')
ORDER BY offence.level = 'group', trend.offence_name, trend.period_end, trend.area_code
"""
"""Offences found by police activity (drugs, weapons) are not ranked; fraud left the forces between the years."""


def read_crime(publications: Path, home: Path) -> list[Offence]:
    """Land the rolling-year file with population and geography, build, and read rates of years ending in March."""
    import duckdb

    from etl.build import build
    from etl.landing import land
    from etl.publish import publish, warehouse_path
    from tests.sql.published import land_geography, land_population

    rolling = publications / "ons-rolling-year-crime" / "rec-crime-pfa.csv"
    land(home, source="recorded_crime_ons", title="Rolling years", published="2019-04-25", files=[rolling])
    land_population(home, publications)
    land_geography(home, publications)
    settings = Settings(home=home)
    publish(home, settings, build(home, settings).version)
    with duckdb.connect(str(warehouse_path(home).resolve()), read_only=True) as connection:
        lines = connection.execute(CRIME_QUERY).fetchall()
    return [_take_offence(name, lines) for name in dict.fromkeys(line[0] for line in lines)]


def _take_offence(name: str, lines: list[tuple[Any, ...]]) -> Offence:
    own = [line[1:] for line in lines if line[0] == name]
    areas = sorted({area for _, area, _, _ in own})
    years = len(own) // len(areas)
    figures = np.array([line[2:] for line in own], dtype=np.float64).reshape(years, len(areas), 2)
    return Offence(name, areas, figures[..., 0], figures[..., 1])


def print_table(title: str, headers: str, rows: list[list[str]]) -> None:
    """One table in Markdown."""
    print(f"\n{title}\n\n| {headers} |\n|{'---|' * (headers.count('|') + 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def main() -> None:
    """Measure and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200, help="of each simulation (default: 200)")
    parser.add_argument("--quick", action="store_true", help="five replicates: does it run?")
    options = parser.parse_args()
    replicates = 5 if options.quick else options.replicates
    sizes = authority_sizes().values()
    about = f"{len(sizes)} authorities of {min(sizes)} to {max(sizes):,} offenders, seed {SEED}"
    truths: list[tuple[Truth, Sequence[float]]] = [(Truth(0.03, effect), EFFECTS) for effect in EFFECTS]
    truths += [(Truth(spread, effect), (effect,)) for spread in (0.02, 0.05) for effect in EFFECTS[:2]]
    methods = " | ".join(f"{name}: holds | lowest five | width" for name in ("empirical Bayes", "Holm", "naive"))
    print_table(
        f"Simulated reoffending, {about}, {replicates:,} replicates",
        f"spread (points) | design effect | assumed | {methods}",
        measure_proportions(replicates, truths),
    )
    print_table(
        f"All rates equal, {about}, {EQUAL_TIMES * replicates:,} replicates",
        "design effect (known) | Holm, each area: told from no other | Holm, simultaneous: no two told apart",
        measure_equal(EQUAL_TIMES * replicates),
    )
    publications = project_root().parent / "shared" / "publications"
    if not publications.exists():
        print(f"\nRecorded crime is left out: the published files are not in {publications}.")
        return
    with tempfile.TemporaryDirectory(prefix="justice-etl-coverage-") as name:
        offences = read_crime(publications, Path(name) / "home")
    print_table(
        "Police recorded crime, years ending in March: does the interval hold the rank of the next year?",
        "offences | years | yearly noise (%) | " + " | ".join(f"{name}: holds | width" for name in CRIME_METHODS),
        measure_crime(offences),
    )


if __name__ == "__main__":
    main()
