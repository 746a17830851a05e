"""Rankings of many tables: each on its own, on both cores, and none twice.

A ranking is a pure function of its input and of the code. Its result is kept under a hash of both, so that a night in
which one cohort is revised ranks that cohort and no other, and a release that states a cohort as the one before it did
has the ranking of that one.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from etl.files import remove_abandoned, write_beside
from etl.settings import project_root

_CODE = ("arrays.py", "empirical_bayes.py", "rank_cache.py", "rank_tables.py", "ranking.py")
_LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels")
_WORKERS = 2
_HASH = "input_hash"


def fetch_lines(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """What a query gives as a frame in which whole numbers stay whole where some are missing, and days are dates."""
    whole = {"int64": pd.Int64Dtype(), "int32": pd.Int32Dtype(), "bool": pd.BooleanDtype()}
    table = connection.sql(query).to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(types_mapper=lambda type_: whole.get(str(type_)))
    return frame


def rank_all(
    lines: pd.DataFrame,
    keys: list[str],
    rank: Callable[[pd.DataFrame, str], pd.DataFrame],
    schema: pa.Schema,
    cache: Path | None = None,
    stated_by: Sequence[str] = (),
) -> pa.Table:
    """Rank every table among some lines.

    Args:
        lines: the lines of all tables, in any order.
        keys: the columns that tell the tables apart.
        rank: ranks one table, given its lines, sorted by area, and a text that names it; a function of a file, whose
            code counts too.
        schema: the columns and types of the result.
        cache: the Parquet file that keeps results; None keeps none. It holds what was asked for the last time.
        stated_by: columns that say who states a table and since when, the first of them which release: they tell
            tables apart too, and go beside a ranking that does not depend on them. `rank` then gives a line a line.

    Returns:
        The ranked lines, table by table.
    """
    code = _hash_code(Path(inspect.getfile(rank)))
    # By every column: a query gives lines in any order, and another order is no other ranking.
    apart = [*keys, *stated_by[:1]]
    order = list(dict.fromkeys([*apart, "area_code", *lines.columns]))
    lines = lines.sort_values(order, ignore_index=True)
    ranked_by = lines.drop(columns=list(stated_by))
    marks = pd.util.hash_pandas_object(ranked_by, index=False).to_numpy()
    digests, groups = [], {}
    for key, group in lines.groupby(apart, sort=True, dropna=False):
        digest = hashlib.sha256(code + marks[group.index].tobytes()).hexdigest()
        digests.append(digest)
        groups[digest] = ("|".join(map(str, key[: len(keys)])), ranked_by.loc[group.index])
    ranking = pa.schema([field for field in schema if field.name not in stated_by])
    known = _read(cache, ranking) if cache else {}
    missing = {key: group for key, group in groups.items() if key not in known}

    def run(item: tuple[str, tuple[str, pd.DataFrame]]) -> tuple[str, pa.Table]:
        digest, (seed, group) = item
        ranked = rank(group.reset_index(drop=True), seed).reindex(columns=ranking.names)
        return digest, pa.Table.from_pandas(ranked, schema=ranking, preserve_index=False)

    with ThreadPoolExecutor(_WORKERS) as pool:
        results = known | dict(pool.map(run, missing.items()))
    if cache and (missing or known.keys() - groups.keys()):
        _write(cache, {digest: results[digest] for digest in groups}, ranking)
    whole = pa.concat_tables([ranking.empty_table(), *(results[digest] for digest in digests)])
    for name in stated_by:  # lines are sorted as the tables are
        field = schema.field(name)
        beside = pa.Table.from_pandas(lines[[name]], schema=pa.schema([field]), preserve_index=False)
        whole = whole.append_column(field, beside.column(0))
    return whole.select(schema.names)


def _hash_code(model: Path) -> bytes:
    digest = hashlib.sha256()
    for path in (*(project_root() / "etl" / name for name in _CODE), model):
        digest.update(path.read_bytes())
    digest.update(" ".join(f"{name}={version(name)}" for name in _LIBRARIES).encode())
    return digest.digest()


def _read(cache: Path, schema: pa.Schema) -> dict[str, pa.Table]:
    """What the cache holds, by hash; nothing where it is not there, damaged, or of another shape."""
    try:
        table = pq.read_table(cache, page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return {}
    if table.schema.remove_metadata() != _cached_schema(schema):
        return {}
    hashes = table[_HASH].to_pylist()
    starts = [row for row, digest in enumerate(hashes) if row == 0 or digest != hashes[row - 1]]
    columns = table.drop_columns([_HASH])
    return {hashes[start]: columns.slice(start, end - start) for start, end in pairwise([*starts, len(hashes)])}


def _write(cache: Path, results: dict[str, pa.Table], schema: pa.Schema) -> None:
    tables = [
        table.add_column(0, _HASH, pa.repeat(pa.scalar(digest), table.num_rows)) for digest, table in results.items()
    ]
    whole = pa.concat_tables([_cached_schema(schema).empty_table(), *tables])
    remove_abandoned(cache.parent, below=False)
    with write_beside(cache) as file:
        pq.write_table(whole, file, compression="zstd", write_page_checksum=True)


def _cached_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(_HASH, pa.string()), *schema])
