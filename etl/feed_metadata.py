"""What the feeds hold, told to machines: CSV on the Web (W3C) and a Frictionless data package.

Both are made from contracts alone: titles, types, what may be null, keys, and keys of other tables
(`Field.references`). A JSON document beside each CSV describes it by itself; keys of other tables are in the group of
all tables, since CSV on the Web lets a key refer to tables of its own document only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.contracts import Contract, contracts
from etl.feed_tables import LICENCE, LICENCE_URL, warn_modelled
from etl.files import name_place

if TYPE_CHECKING:
    from etl.feeds import FedRelease, FedTable, FeedFile

CSVW_OF_ALL = "csvw-metadata.json"
"""All CSVs as one group of tables."""

DATA_PACKAGE = "datapackage.json"
"""All files as one data package."""

_TITLE = "Crime and justice tables of England and Wales"
_DESCRIPTION = (
    "Police recorded crime and proven reoffending of England and Wales, read from what is published and made into "
    "tables in which each figure knows the release that states it. Police recorded crime has not been an accredited "
    "official statistic since 15 January 2014. Rates ignore who the offenders are, and no rank is to be read without "
    "its interval."
)
_MAKER = "justice-etl"

_CSVW_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "BIGINT": "long",
    "INTEGER": "int",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "TIMESTAMPTZ": "dateTimeStamp",
}
"""DuckDB's types, and those of XML Schema that CSV on the Web takes."""

_PACKAGE_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "TIMESTAMPTZ": "datetime",
}
"""DuckDB's types, and those of a Frictionless table schema."""

_MEDIA_TYPES = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv", "json": "application/json"}


def write_metadata(folder: Path, tables: Iterable[FedTable], releases: Iterable[FedRelease]) -> None:
    """Write what all files of the tables are.

    Args:
        folder: `feeds/` of the version.
        tables: its tables, written there.
        releases: what they rest on, whose publishers and pages are named as sources.
    """
    tables, releases = list(tables), list(releases)
    with_csv = [table for table in tables if "csv" in table.contract.formats]
    for table in with_csv:
        document = {"@context": _context()} | _describe_csv(table, f"{table.contract.table}.csv", keys=False)
        _write(folder / table.contract.feed_path("csv-metadata.json"), document)
    _write(folder / CSVW_OF_ALL, make_group(with_csv, releases))
    _write(folder / DATA_PACKAGE, make_package(tables, releases))


def _write(path: Path, document: dict[str, Any]) -> None:
    """Not synced and renamed by itself: the version that it is part of is, as a whole."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    with name_place(path):
        path.write_text(f"{text}\n", encoding="utf-8")


def _context() -> list[Any]:
    return ["http://www.w3.org/ns/csvw", {"@language": "en"}]


def make_group(tables: Iterable[FedTable], releases: Iterable[FedRelease]) -> dict[str, Any]:
    """The CSVs of tables that have one as a group of tables of CSV on the Web, with the keys that they share."""
    releases = list(releases)
    return {
        "@context": _context(),
        "dc:title": _TITLE,
        "dc:description": _describe_all(releases),
        "dc:source": [{"@id": page, "dc:publisher": publisher} for publisher, page in _list_sources(releases)],
        "tables": [_describe_csv(table, table.contract.feed_path("csv"), keys=True) for table in tables],
    } | _csvw_origin()


def _csvw_origin() -> dict[str, Any]:
    return {"dc:license": {"@id": LICENCE_URL}, "dc:creator": _MAKER, "dc:publisher": _MAKER}


def _describe_csv(table: FedTable, url: str, *, keys: bool) -> dict[str, Any]:
    """One CSV; `keys` says whether to name the keys of other tables."""
    contract = table.contract
    schema: dict[str, Any] = {
        "columns": [
            {
                "name": name,
                # The first is what the header row says: readers compare them.
                "titles": [name, field.title],
                "dc:description": field.description,
                "datatype": _CSVW_TYPES[field.type],
                "required": name not in contract.nullable,
            }
            for name, field in contract.feed_columns.items()
        ],
        "primaryKey": list(contract.key),
    }
    if keys:
        schema["foreignKeys"] = [
            {
                "columnReference": name,
                "reference": {"resource": contracts()[other].feed_path("csv"), "columnReference": column},
            }
            for name, (other, column) in contract.references.items()
        ]
    description = warn_modelled(contract.description, table.is_modelled)
    texts = {"url": url, "dc:title": contract.title, "dc:description": description}
    return texts | _csvw_origin() | {"tableSchema": schema}


def make_package(tables: Iterable[FedTable], releases: Iterable[FedRelease]) -> dict[str, Any]:
    """All files of the tables as a Frictionless data package, each with its bytes and hash."""
    releases = list(releases)
    return {
        "profile": "data-package",
        "name": _MAKER,
        "title": _TITLE,
        "description": _describe_all(releases),
        "licenses": [{"name": "OGL-UK-3.0", "title": LICENCE, "path": LICENCE_URL}],
        "sources": [{"title": publisher, "path": page} for publisher, page in _list_sources(releases)],
        "contributors": [{"title": _MAKER, "role": "author"}],
        "resources": [_describe_resource(table, file) for table in tables for file in table.files],
    }


def _describe_resource(fed: FedTable, file: FeedFile) -> dict[str, Any]:
    contract = fed.contract
    resource: dict[str, Any] = {
        "name": contract.name if file.format == "csv" else f"{contract.name}.{file.format}",
        "title": contract.title,
        "description": warn_modelled(contract.description, fed.is_modelled),
        "path": file.path,
        "format": file.format,
        "mediatype": _MEDIA_TYPES[file.format],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if file.format != "csv":
        return resource | {"type": "file"}
    table = {"type": "table", "profile": "tabular-data-resource", "encoding": "utf-8"}
    return resource | table | {"schema": make_table_schema(contract)}


def make_table_schema(contract: Contract) -> dict[str, Any]:
    """The Frictionless table schema of a CSV: types, what is required and allowed, and keys."""
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": name,
                "title": field.title,
                "description": field.description,
                "type": _PACKAGE_TYPES[field.type],
                "constraints": {"required": name not in contract.nullable}
                | ({"enum": list(field.allowed)} if field.allowed else {}),
            }
            for name, field in contract.feed_columns.items()
        ],
        "missingValues": [""],
        "primaryKey": list(contract.key),
    }
    keys = [
        # An empty name of a resource is the table itself.
        {"fields": [name], "reference": {"resource": table if table != contract.name else "", "fields": [column]}}
        for name, (table, column) in contract.references.items()
    ]
    return schema | ({"foreignKeys": keys} if keys else {})


def _describe_all(releases: list[FedRelease]) -> str:
    return warn_modelled(_DESCRIPTION, any(release.is_modelled for release in releases))


def _list_sources(releases: list[FedRelease]) -> list[tuple[str, str]]:
    """Publishers and pages of what the tables rest on, each once."""
    return sorted({(release.publisher, release.landing_page) for release in releases})
