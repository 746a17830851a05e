"""One table as files: Parquet, CSV and JSON, made from its contract.

The same table gives the same bytes, in whichever version it stands: rows in the order of the key, no name of a
version and no clock. A build stores rows in that order and DuckDB reads them as they are stored where it is told to
(`preserve_insertion_order`), so that nothing is sorted again: for a history that took as long as the rest.
How values are written follows the UK government's Tabular Data Standard (RFC 4180, UTF-8 without
a mark, ISO 8601 days and moments, `true` and `false`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from etl.contracts import Contract, Field, arrow_schema, literal, quote

if TYPE_CHECKING:
    import pyarrow as pa

LICENCE = "Open Government Licence v3.0"
LICENCE_URL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"

ROWS_OF_A_GROUP = 50_000
"""Rows of a Parquet row group: one or two megabytes packed, so that who asks over HTTP for one area of a long table
fetches the foot and a group or two, and few enough groups that the foot stays small."""


_MODELLED = "MODELLED SAMPLE: figures of releases that meta.release marks is_modelled are made up, not published."


def warn_modelled(description: str, is_modelled: bool) -> str:
    """A description as it stands alone: that figures are made up comes first."""
    return f"{_MODELLED} {description}" if is_modelled else description


def write_parquet(
    connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path, *, is_modelled: bool = False
) -> int:
    """Write a table as Parquet; → its number of rows.

    Packed with zstd, sorted by the key (and saying so), with a page index, and the contract's texts as metadata.

    Args:
        connection: the warehouse.
        contract: which table.
        path: the file.
        is_modelled: whether its description must say that figures are made up.
    """
    import pyarrow.parquet as pq

    schema = _make_schema(contract, is_modelled)
    ascending = [(name, "ascending") for name in contract.key]
    rows = 0
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_page_index=True,
        sorting_columns=pq.SortingColumn.from_ordering(schema, ascending),
    ) as writer:
        for group in _read_groups(connection, contract, schema):
            writer.write_table(group, row_group_size=ROWS_OF_A_GROUP)
            rows += group.num_rows
    return rows


def _make_schema(contract: Contract, is_modelled: bool) -> pa.Schema:
    import pyarrow as pa

    types = arrow_schema(contract.name)
    columns = [types.field(name).with_metadata(_describe(field)) for name, field in contract.feed_columns.items()]
    texts = {"title": contract.title, "description": warn_modelled(contract.description, is_modelled)}
    return pa.schema(columns, texts | {"licence": LICENCE, "licence_url": LICENCE_URL})


def _describe(field: Field) -> dict[str, str]:
    return {"title": field.title, "description": field.description}


def _read_groups(connection: duckdb.DuckDBPyConnection, contract: Contract, schema: pa.Schema) -> Iterator[pa.Table]:
    """A table group by group, each in one piece: how DuckDB cuts its batches must not show in the bytes."""
    import pyarrow as pa

    _keep_order(connection)
    columns = ", ".join(map(quote, contract.feed_columns))
    result = connection.execute(f"SELECT {columns} FROM {contract.name}")
    pending: list[pa.Table] = []
    for batch in result.to_arrow_reader(ROWS_OF_A_GROUP):
        pending.append(pa.Table.from_batches([batch]).cast(schema))
        held = pa.concat_tables(pending)
        while held.num_rows >= ROWS_OF_A_GROUP:
            yield held.slice(0, ROWS_OF_A_GROUP).combine_chunks()
            held = held.slice(ROWS_OF_A_GROUP)
        pending = [held]
    if pending and pending[0].num_rows:
        yield pending[0].combine_chunks()


def _keep_order(connection: duckdb.DuckDBPyConnection) -> None:
    """Rows come as they are stored, also where somebody let DuckDB mix them for speed."""
    connection.execute("SET preserve_insertion_order = true")


def write_csv(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> None:
    """Write a table as CSV: a header of column names, CRLF, null as nothing, an empty text as `""`."""
    _keep_order(connection)
    connection.execute(
        f"COPY ({_select_texts(contract)}) TO {literal(str(path))} (FORMAT csv, HEADER, NEW_LINE '\\r\\n')"
    )


def write_json(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> None:
    """Write a table as a JSON array of objects, one a line, so that two versions can be compared line by line."""
    _keep_order(connection)
    rows = connection.execute(_select_texts(contract)).fetchall()
    lines = [
        json.dumps(
            dict(zip(contract.feed_columns, row, strict=True)), ensure_ascii=False, default=_plain, allow_nan=False
        )
        for row in rows
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n", encoding="utf-8")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON")


def _select_texts(contract: Contract) -> str:
    """The rows of a table as texts have them: moments in UTC as 2018-07-19T08:30:00Z, with their fraction if any."""
    columns = ", ".join(
        _write_moment(name) if field.type == "TIMESTAMPTZ" else quote(name)
        for name, field in contract.feed_columns.items()
    )
    return f"SELECT {columns} FROM {contract.name}"


def _write_moment(name: str) -> str:
    text = f"strftime({quote(name)} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"replace({text}, '.000000Z', 'Z') AS {quote(name)}"
