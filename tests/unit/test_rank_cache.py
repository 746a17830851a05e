"""Rankings of many tables: none is made twice, and what is kept is what would be made."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import rank_cache
from etl.rank_cache import fetch_lines, rank_all
from etl.rank_tables import rank_reoffending

SCHEMA = pa.schema(
    [
        pa.field("level", pa.string()),
        pa.field("period_end", pa.date32()),
        pa.field("area_code", pa.string()),
        pa.field("offences", pa.int64()),
        pa.field("rank", pa.int64()),
        pa.field("share", pa.float64()),
        pa.field("seed", pa.string()),
    ]
)
KEYS = ["level", "period_end"]
YEARS = [date(2017, 3, 31), date(2018, 3, 31)]
Rank = Callable[[pd.DataFrame, str], pd.DataFrame]


class Counted:
    """What was ranked, by the texts that name the tables."""

    def __init__(self) -> None:
        self.seeds: list[str] = []
        self.threads: set[str] = set()

    def ask(self, lines: pd.DataFrame, cache: Path | None = None, rank: Rank | None = None) -> pa.Table:
        """Rank the lines, having forgotten what was ranked before."""
        self.seeds.clear()

        def counting(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
            self.seeds.append(seed)
            self.threads.add(threading.current_thread().name)
            return rank_offences(areas, seed)

        return rank_all(lines, KEYS, rank or counting, SCHEMA, cache)


def rank_offences(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
    """By number, with a share that is no round number; missing numbers have neither."""
    counts = areas["offences"]
    return areas.assign(rank=counts.rank(method="min").astype("Int64"), share=counts / counts.sum() / 3, seed=seed)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def _lines(*rows: tuple[str, date | None, str, int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["level", "period_end", "area_code", "offences"])
    return frame.astype({"level": "str", "area_code": "str", "offences": "Int64"})


ROWS = [
    (level, year, f"{level}{number}", 100 * number + year.year)
    for level in ("csp", "region")
    for year in YEARS
    for number in range(5)
]
SEEDS = [f"{level}|{year}" for level in ("csp", "region") for year in YEARS]


def _changed(number: int, offences: int | None = 7) -> pd.DataFrame:
    rows = list(ROWS)
    rows[number] = (*rows[number][:3], offences)
    return _lines(*rows)


# --- What is ranked


def test_every_table_is_ranked_once_and_named(counted: Counted) -> None:
    table = counted.ask(_lines(*ROWS))
    assert sorted(counted.seeds) == SEEDS
    assert table.schema.remove_metadata() == SCHEMA
    assert table["area_code"].to_pylist() == [row[2] for row in ROWS]
    assert table["period_end"].to_pylist() == [row[1] for row in ROWS]
    assert table["seed"].to_pylist() == [seed for seed in SEEDS for _ in range(5)]
    assert table["rank"].to_pylist() == [1, 2, 3, 4, 5] * 4


def test_lines_come_in_any_order(counted: Counted, tmp_path: Path) -> None:
    expected = counted.ask(_lines(*ROWS), tmp_path / "cache")
    for seed in range(3):
        shuffled = _lines(*ROWS).sample(frac=1, random_state=seed)
        assert counted.ask(shuffled).equals(expected)
        counted.ask(shuffled, tmp_path / "cache")
        assert counted.seeds == []


def test_several_lines_of_an_area_come_in_any_order_too(counted: Counted, tmp_path: Path) -> None:
    """As those of five years do in a ranking of crime."""
    rows = [("csp", YEARS[0], "a", number) for number in range(6)]
    expected = counted.ask(_lines(*rows), tmp_path / "cache")
    assert counted.ask(_lines(*reversed(rows)), tmp_path / "cache").equals(expected)
    assert counted.seeds == []


def test_each_table_gets_its_own_lines_with_a_new_index(counted: Counted) -> None:
    seen: dict[str, pd.DataFrame] = {}

    def rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        seen[seed] = areas
        return rank_offences(areas, seed)

    counted.ask(_lines(*ROWS).sample(frac=1, random_state=1), rank=rank)
    for seed, areas in seen.items():
        assert areas.index.tolist() == list(range(5))
        assert areas["area_code"].is_monotonic_increasing
        assert {f"{level}|{day}" for level, day in zip(areas["level"], areas["period_end"], strict=True)} == {seed}


def test_no_line_gives_no_table_and_writes_nothing(counted: Counted, tmp_path: Path) -> None:
    table = counted.ask(_lines(), tmp_path / "cache")
    assert (table.num_rows, table.schema) == (0, SCHEMA)
    assert counted.seeds == []
    assert list(tmp_path.iterdir()) == []


def test_lines_without_a_key_are_not_lost(counted: Counted) -> None:
    table = counted.ask(_lines(*ROWS, ("csp", None, "csp9", 4)))
    assert table.num_rows == len(ROWS) + 1
    assert "csp9" in table["area_code"].to_pylist()


def test_missing_numbers_stay_missing(counted: Counted, tmp_path: Path) -> None:
    lines = _changed(2, None)
    for _ in range(2):
        row = counted.ask(lines, tmp_path / "cache").to_pylist()[2]
        assert (row["area_code"], row["offences"], row["rank"], row["share"]) == ("csp2", None, None, None)
    assert counted.seeds == []


# --- What is kept


def test_what_is_kept_is_not_ranked_again(counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "ranks" / "mart.crime_rank.parquet"
    first = counted.ask(_lines(*ROWS), cache)
    assert sorted(counted.seeds) == SEEDS
    kept = cache.read_bytes()
    again = counted.ask(_lines(*ROWS), cache)
    assert counted.seeds == []
    assert again.equals(first)
    assert again.equals(counted.ask(_lines(*ROWS)))
    assert cache.read_bytes() == kept
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_a_real_ranking_is_the_same_bit_for_bit_with_and_without_a_cache(tmp_path: Path) -> None:
    names = ["rate_percent", "shrunken_rate_percent", "expected_rank", "rank_low", "lowest_10_percent", "rankability"]
    types = [pa.int64() if name == "rank_low" else pa.float64() for name in names]
    schema = pa.schema([("level", pa.string()), ("area_code", pa.string()), *zip(names, types, strict=True)])
    rows = [
        (level, f"E{number:08}", 20 + number + 3 * spread, 100 + 7 * number, 1.3, None)
        for spread, level in enumerate(("csp", "region"))
        for number in range(35)
    ]
    columns = ["level", "area_code", "reoffenders", "offenders", "design_effect", "exclusion_reason"]
    lines = pd.DataFrame(rows, columns=columns)

    def rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        return areas.join(rank_reoffending(areas, seed))

    plain, made, kept = (
        rank_all(lines, ["level"], rank, schema, cache) for cache in (None, tmp_path / "a", tmp_path / "a")
    )
    assert plain.column("rankability").null_count == 0
    assert plain.equals(made)
    assert plain.equals(kept)


def test_a_changed_line_ranks_its_own_table_and_no_other(counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    counted.ask(_lines(*ROWS), cache)
    changed = counted.ask(_changed(7), cache)
    assert counted.seeds == ["csp|2018-03-31"]
    assert changed.equals(counted.ask(_changed(7)))
    counted.ask(_changed(7), cache)
    assert counted.seeds == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(["a", None], ["a", ""], id="a missing text is no empty one"),
        pytest.param([0.1 + 0.2, 1.0], [0.3, 1.0], id="the last digit counts"),
        pytest.param([None, 1.0], [0.0, 1.0], id="a missing number is no nought"),
    ],
)
def test_what_differs_little_is_another_table(one: list[object], other: list[object], tmp_path: Path) -> None:
    """Two lines of one table with another column beside."""
    asked: list[list[object]] = []

    def rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        asked.append(areas["more"].tolist())
        return rank_offences(areas, seed)

    for values in (one, other, other):
        rank_all(_lines(*ROWS[:2]).assign(more=values), KEYS, rank, SCHEMA, tmp_path / "cache")
    assert len(asked) == 2


def test_a_table_more_or_less_and_a_line_more_or_less(counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    counted.ask(_lines(*ROWS[:10]), cache)
    counted.ask(_lines(*ROWS[:15]), cache)
    assert counted.seeds == [SEEDS[2]]
    counted.ask(_lines(*ROWS[:14]), cache)
    assert counted.seeds == [SEEDS[2]]
    counted.ask(_lines(*ROWS[5:14]), cache)
    assert counted.seeds == []


def test_what_was_not_asked_for_the_last_time_is_not_kept(counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    counted.ask(_lines(*ROWS), cache)
    counted.ask(_lines(*ROWS[:5]), cache)
    assert counted.seeds == []
    assert pq.read_table(cache).num_rows == 5
    counted.ask(_lines(*ROWS), cache)
    assert sorted(counted.seeds) == SEEDS[1:]
    counted.ask(_lines(), cache)
    assert pq.read_table(cache).num_rows == 0
    # All files of a source can be kept out, and come back.
    for lines, seeds in ((_lines(), []), (_lines(*ROWS), SEEDS)):
        assert counted.ask(lines, cache).num_rows == len(lines)
        assert sorted(counted.seeds) == seeds


def test_tables_with_the_same_lines_but_for_their_key_are_two(counted: Counted, tmp_path: Path) -> None:
    rows = [(level, YEARS[0], "area", 5) for level in ("csp", "region")]
    for _ in range(2):
        table = counted.ask(_lines(*rows), tmp_path / "cache")
        assert table["level"].to_pylist() == ["csp", "region"]
    assert counted.seeds == []


# --- Other code, another shape


def _stated(*statements: tuple[str, list[int]]) -> pd.DataFrame:
    """One table, as releases state it one after the other."""
    frames = [
        _lines(*(("csp", YEARS[0], f"csp{number}", count) for number, count in enumerate(counts))).assign(release=name)
        for name, counts in statements
    ]
    return pd.concat(frames, ignore_index=True).astype({"release": "str"})


STATED_SCHEMA = SCHEMA.append(pa.field("release", pa.string()))


def test_a_release_that_states_a_table_as_before_has_its_ranking(tmp_path: Path) -> None:
    """Three releases, two of which say the same: two rankings are made, and each release has its own lines."""
    seeds: list[str] = []

    def rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        assert "release" not in areas  # a rank does not depend on who states it
        seeds.append(seed)
        return rank_offences(areas, seed)

    lines = _stated(("first", [30, 20]), ("second", [30, 20]), ("third", [10, 20]))
    table = rank_all(lines, KEYS, rank, STATED_SCHEMA, tmp_path / "cache", ["release"])
    assert seeds == [f"csp|{YEARS[0]}"] * 2
    assert table.schema.remove_metadata() == STATED_SCHEMA
    found = zip(*(table[name].to_pylist() for name in ("release", "area_code", "rank")), strict=True)
    assert list(found) == [
        ("first", "csp0", 2),
        ("first", "csp1", 1),
        ("second", "csp0", 2),
        ("second", "csp1", 1),
        ("third", "csp0", 1),
        ("third", "csp1", 2),
    ]
    fourth = _stated(("first", [30, 20]), ("second", [30, 20]), ("third", [10, 20]), ("fourth", [30, 20]))
    rank_all(fourth, KEYS, rank, STATED_SCHEMA, tmp_path / "cache", ["release"])
    assert len(seeds) == 2, "a new release that changes nothing ranks nothing"


def test_other_code_ranks_again(counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    counted.ask(_lines(*ROWS), cache)
    copies = tmp_path / "etl"
    copies.mkdir()
    for name in rank_cache._CODE:
        (copies / name).write_bytes((rank_cache.project_root() / "etl" / name).read_bytes())
    monkeypatch.setattr(rank_cache, "project_root", lambda: tmp_path)
    counted.ask(_lines(*ROWS), cache)
    assert counted.seeds == []  # where the code lies is of no account
    for name in rank_cache._CODE:
        (copies / name).write_bytes((copies / name).read_bytes() + b"\n")
        counted.ask(_lines(*ROWS), cache)
        assert sorted(counted.seeds) == SEEDS, name


def test_another_library_ranks_again(counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted.ask(_lines(*ROWS), tmp_path / "cache")
    version = rank_cache.version
    monkeypatch.setattr(rank_cache, "version", lambda name: "0" if name == "scipy" else version(name))
    counted.ask(_lines(*ROWS), tmp_path / "cache")
    assert sorted(counted.seeds) == SEEDS


def _load_model(path: Path, factor: int) -> Rank:
    """A ranking in a file of its own, as the models of `warehouse/mart` have."""
    path.write_text(
        f"def rank(areas, seed):\n    return areas.assign(rank={factor} * areas['offences'], share=0.5, seed=seed)\n"
    )
    spec = importlib.util.spec_from_file_location(f"model_{factor}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rank: Rank = module.rank
    return rank


def test_another_model_ranks_again(counted: Counted, tmp_path: Path) -> None:
    found = [
        counted.ask(_lines(*ROWS), tmp_path / "cache", _load_model(tmp_path / f"model_{factor}.py", factor))
        for factor in (1, 2)
    ]
    assert found[0]["rank"].to_pylist() == [row[3] for row in ROWS]
    assert found[1]["rank"].to_pylist() == [2 * row[3] for row in ROWS]


def test_the_code_that_ranks_is_all_hashed() -> None:
    """What the named modules import of ours is named too, but for files and settings."""
    etl = rank_cache.project_root() / "etl"
    imported = {
        f"{line.split()[1].removeprefix('etl.')}.py"
        for name in rank_cache._CODE
        for line in (etl / name).read_text(encoding="utf-8").splitlines()
        if line.startswith("from etl.")
    }
    assert imported - set(rank_cache._CODE) == {"files.py", "settings.py"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda table: table.drop_columns(["share"]), id="a column less"),
        pytest.param(lambda table: table.append_column("more", table["share"]), id="a column more"),
        pytest.param(lambda table: table.select(reversed(table.schema.names)), id="another order"),
        pytest.param(lambda table: table.set_column(5, "rank", table["rank"].cast(pa.float64())), id="another type"),
        pytest.param(lambda table: table.rename_columns(["x", *table.schema.names[1:]]), id="another name"),
    ],
)
def test_a_cache_of_another_shape_is_of_no_account(
    change: Callable[[pa.Table], pa.Table], counted: Counted, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    expected = counted.ask(_lines(*ROWS), cache)
    table = pq.read_table(cache)
    assert table.schema.names[5] == "rank"
    pq.write_table(change(table), cache)
    assert counted.ask(_lines(*ROWS), cache).equals(expected)
    assert sorted(counted.seeds) == SEEDS
    counted.ask(_lines(*ROWS), cache)
    assert counted.seeds == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet" * 100, b"PAR1" + b"\xff" * 50 + b"PAR1"], ids=repr)
def test_what_is_no_parquet_file_is_of_no_account(content: bytes, counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(content)
    expected = counted.ask(_lines(*ROWS), cache)
    assert sorted(counted.seeds) == SEEDS
    assert counted.ask(_lines(*ROWS), cache).equals(expected)
    assert counted.seeds == []


def test_a_damaged_cache_is_never_believed(counted: Counted, tmp_path: Path) -> None:
    """A byte is changed in two hundred places, one at a time: no wrong rank comes of any."""
    cache = tmp_path / "cache"
    expected = counted.ask(_lines(*ROWS), cache)
    whole = cache.read_bytes()
    noticed = 0
    for place in range(4, len(whole) - 8, len(whole) // 200):
        cache.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        assert counted.ask(_lines(*ROWS), cache).equals(expected), place
        noticed += bool(counted.seeds)
    assert noticed > 50
    cache.write_bytes(whole[: len(whole) // 2])
    assert counted.ask(_lines(*ROWS), cache).equals(expected)


def test_what_a_killed_run_left_is_tidied_up(counted: Counted, tmp_path: Path) -> None:
    (tmp_path / ".writing-abc").write_bytes(b"half")
    counted.ask(_lines(*ROWS), tmp_path / "cache")
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_an_error_leaves_the_cache_as_it_was(counted: Counted, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    counted.ask(_lines(*ROWS), cache)
    kept = cache.read_bytes()

    def fail(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        raise ValueError(seed)

    with pytest.raises(ValueError, match=r"csp\|2017-03-31"):
        counted.ask(_changed(0), cache, fail)
    assert cache.read_bytes() == kept


# --- On both cores


def test_two_at_once_give_what_one_gives(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rankings wait for each other, which they could not one after the other; then one at a time."""
    both = threading.Barrier(2, timeout=30)

    def wait(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
        both.wait()
        return rank_offences(areas, seed)

    parallel = counted.ask(_lines(*ROWS), rank=wait)
    monkeypatch.setattr(rank_cache, "_WORKERS", 1)
    serial = counted.ask(_lines(*ROWS))
    assert counted.seeds == SEEDS
    assert len(counted.threads) == 1
    assert serial.equals(parallel)


# --- Lines of a query


def test_lines_keep_whole_numbers_and_days() -> None:
    lines = fetch_lines(
        duckdb.connect(),
        "SELECT * FROM (VALUES ('a', 1::BIGINT, 2::INTEGER, 0.5::DOUBLE, TRUE, DATE '2018-03-31'), "
        "('b', NULL, NULL, NULL, NULL, NULL)) AS t(area_code, n, small, x, yes, day) ORDER BY area_code",
    )
    assert [str(lines[name].dtype) for name in ("n", "small", "x", "yes")] == ["Int64", "Int32", "float64", "boolean"]
    assert lines["n"].tolist() == [1, pd.NA]
    assert lines["day"].tolist() == [date(2018, 3, 31), None]
    assert lines["x"].isna().tolist() == [False, True]


def test_two_caches_of_the_same_lines_are_the_same_file(counted: Counted, tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for cache in files:
        counted.ask(_lines(*ROWS), cache)
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in files}) == 1
