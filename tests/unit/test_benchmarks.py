"""The benchmarks run and print their table; what they measure is for `make bench` and the README."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import coverage, figures, ranks, site
from benchmarks.__main__ import best, describe_machine, job, measure_history, measure_reading, run
from benchmarks.nights import measure_nights


def test_a_small_run_of_reading_prints_ratios(tmp_path: Path) -> None:
    rows = measure_reading(tmp_path, areas=2, repeats=1)
    assert [row[0] for row in rows][1] == "the same read to typed tidy Parquet with cells"
    assert all(len(row) == 4 for row in rows)


def test_made_figures_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "YEARS", 2)  # the two editions still share one, and end with the year of their title
    monkeypatch.setattr(figures, "EDITIONS", {"2024": 2022, "2025": 2023})
    count = figures.make_home(tmp_path / "home", areas=1)
    built = job("build", tmp_path / "home").result
    assert built["rows"]["core.recorded_crime"] > 0
    assert job("scan", tmp_path / "home").result["rows"] == count


def test_a_history_is_built_and_asked(tmp_path: Path) -> None:
    built, asked = measure_history(tmp_path, editions=2)
    assert "155,232 tidy figures of 2 editions" in built[0]  # 44 forces and bodies, 126 offences, 14 quarters, twice
    assert all(len(row) == 4 for row in (built, asked))
    assert float(asked[1].removesuffix(" s")) >= 0


def test_nights_are_paced_and_measured(tmp_path: Path) -> None:
    least, first, again = measure_nights(tmp_path, publications=1)
    assert least[:1] == ["5 requests at 5 a second"]
    assert "fetched the first time (5 requests, 0 of them conditional)" in first[0]
    assert "nothing new (5 requests, 5 of them conditional)" in again[0]


def test_the_best_run_carries_the_largest_memory() -> None:
    runs = [run([sys.executable, "-c", "print('{}')"]) for _ in range(2)]
    assert best(runs).peak_mib == max(one.peak_mib for one in runs)


def test_the_machine_is_described() -> None:
    assert "cores" in describe_machine()


def test_help_is_given() -> None:
    shown = subprocess.run([sys.executable, "-m", "benchmarks", "--help"], capture_output=True, text=True, check=True)
    assert "--quick" in shown.stdout


def test_ranks_are_timed_in_processes_of_their_own() -> None:
    seconds, memory = ranks.run_job("ours", 1)
    assert 0 < seconds < 60
    assert memory.endswith(" MiB")


def test_rows_of_ranks_compare_with_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "run_job", lambda name, size: ({"plain": 2.0}.get(name, 0.5), f"{size} MiB"))
    rows = ranks.measure_ranks(quick=False)
    assert [row[1:] for row in rows] == [
        ["2.00 s", "1", "5 MiB"],
        ["0.50 s", "0.25", "5 MiB"],
        ["0.50 s", "0.25", "5 MiB"],
        ["0.5 s", "", "150 MiB"],
    ]
    assert rows[3][0].startswith("150 such tables (50 cohorts, 3 age groups)")


def test_the_plain_way_finds_the_same_ranks() -> None:
    table = ranks.make_table(1)
    expected, low, high = ranks.rank_plainly(table, np.random.default_rng(1), draws=1000)
    ours = ranks.rank_proportions(table.keys, table.events, table.trials, "same")
    assert ours.rank_low is not None
    assert ours.rank_high is not None
    # A rank has a standard deviation under 40 here: a mean of 1,000 draws one under 1.3, an end a few places.
    assert expected == pytest.approx(ours.expected_rank, abs=5)
    assert low == pytest.approx(ours.rank_low, abs=20)
    assert high == pytest.approx(ours.rank_high, abs=20)
    assert ranks.many(2) > 0


def test_authorities_are_as_large_as_all_adults_together() -> None:
    sizes = coverage.authority_sizes()
    assert len(sizes) == 174  # 175 but for the Isles of Scilly
    assert "E06000053" not in sizes
    assert sum(sizes.values()) == pytest.approx(coverage.ADULTS, abs=100)


def test_data_have_the_design_effect_they_are_made_with() -> None:
    random = np.random.default_rng(0)
    trials = np.full(40_000, 500)
    for effect in (1.0, 1.6):
        events = coverage.make_events(np.full(40_000, 0.24), trials, effect, random)
        assert events.mean() == pytest.approx(120, rel=0.01)
        assert events.var() == pytest.approx(effect * 500 * 0.24 * 0.76, rel=0.05)


def test_the_naive_interval_by_hand() -> None:
    # 500 of 1,000: .469 to .531. Lower ends above 100, 200 and 468 of 1,000 stand three, upper ends above one more.
    low, high = coverage.rank_naively(np.array([100, 200, 468, 500, 530, 600]), np.full(6, 1000))
    assert (low[3], high[3]) == (4, 5)
    assert (low[0], high[0]) == (1, 1)


def test_an_interval_is_judged_by_hand() -> None:
    interval = (np.array([1, 1, 4, 3, 5, 6]), np.array([2, 1, 5, 4, 5, 6]))
    # Held: the first, the fourth and the last two; of the lowest five (ranks 1 to 5) three; widths 1, 0, 1, 1, 0, 0.
    assert coverage.judge(interval, np.array([1, 2, 3, 4, 5, 6])) == pytest.approx([4 / 6, 3 / 5, 0.5])


def test_small_simulations_run() -> None:
    rows = coverage.measure_proportions(2, [(coverage.Truth(0.05, 1.3), (1.3,))])
    assert [len(row) for row in rows] == [12]
    assert rows[0][:3] == ["5", "1.3", "1.3"]
    assert 0.8 < float(rows[0][3].split()[0]) <= 1
    # All rates are equal: most areas are told from no other.
    assert all(float(row[1].split()[0]) > 0.8 for row in coverage.measure_equal(4))


def test_crime_rates_of_years_are_judged_against_the_next() -> None:
    random = np.random.default_rng(1)
    areas, years = 20, 9
    populations = np.full((years, areas), 1e6)
    # Rates far apart and still but for chance: every method holds nearly all ranks of the next year.
    counts = random.poisson(np.geomspace(1000, 100_000, areas), (years, areas)).astype(float)
    still = coverage.Offence("Still", [f"E{number}" for number in range(areas)], counts, populations)
    (row,) = coverage.measure_crime([still])
    # Three pairs are needed before, and a year after: of nine years the fourth to the eighth.
    assert row[:2] == ["Still", "5"]
    assert float(row[3]) > 0.9
    # Rates that move by far more than chance: chance alone holds less than the log rates with their noise.
    moving = coverage.Offence("Moving", still.areas, counts * np.exp(random.normal(0, 0.2, counts.shape)), populations)
    (row,) = coverage.measure_crime([moving])
    assert 15 < float(row[2]) < 25
    assert float(row[3]) < float(row[5]) - 0.1


def test_the_site_is_compared_with_one_core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seconds = {"on_one_core": 40.0, "afresh": 20.0, "write": 5.0}

    def run_job(name: str, home: Path, folder: Path) -> dict[str, object]:
        return {"seconds": seconds[name], "pages": 700, "bytes": 3 * 2**20, "peak_mib": 300.0}

    monkeypatch.setattr(site, "run_job", run_job)
    rows = site.measure_site(tmp_path, tmp_path / "site")
    assert [row[1:] for row in rows] == [
        ["40.0 s", "1", "300 MiB"],
        ["20.0 s", "0.50", "300 MiB"],
        ["5.0 s", "0.12", "300 MiB"],
    ]
    assert rows[0][0].startswith("the site of the demo, 700 pages and 3 MiB")
    assert "35 pages a second (goal: 400 pages and more in under 60 s)" in rows[1][0]
