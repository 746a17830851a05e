"""JSON Schemas of what people write by hand, from the models that read it: `python -m etl.json_schemas` writes them.

Editors complete and check with them; what no schema can say (that a name is defined, that a pattern compiles) is said
when the file is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from etl import contracts
from etl.corrections import CORRECTIONS, Correction
from etl.expectations import SuiteFile
from etl.settings import project_root
from etl.sources import Source
from etl.violations import ACCEPTED, Accepted

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_WRITTEN: dict[str, tuple[str, Any, str]] = {
    "source": ("etl/sources/*/source.yml", Source, "A source: what its publications look like, and where they are"),
    "contract": ("schemas/*/*.yml", contracts._Declared, "A contract: what a table holds"),
    "fields": ("schemas/fields.yml", dict[str, contracts.Field], "Every field, defined once"),
    "suite": ("expectations/*/*.json", SuiteFile, "What is expected of a table, or of a rule's violations"),
    "accepted": (f"etl/sources/*/{ACCEPTED}", list[Accepted], "Anomalies of a source that are let through"),
    "corrections": (f"etl/sources/*/{CORRECTIONS}", list[Correction], "Published errors of a source, repaired"),
}
"""The files that a schema is of, the model that reads them, and what they are."""


def make_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each kind of file by name."""
    return {name: _make_schema(model, title) for name, (_, model, title) in _WRITTEN.items()}


def _make_schema(model: Any, title: str) -> dict[str, Any]:
    schema = TypeAdapter(model).json_schema()
    if column := schema.get("$defs", {}).get("Column"):
        # A single header may stand without its list.
        headers = column["properties"]["headers"]
        headers["anyOf"] = [{"type": "string"}, {"type": headers.pop("type"), "items": headers.pop("items")}]
    return {"$schema": _DIALECT} | schema | {"title": title}


def list_written() -> Iterator[tuple[str, Path]]:
    """Every file of the project that a schema is of, with the schema's name."""
    for name, (pattern, _, _) in _WRITTEN.items():
        for path in sorted(project_root().glob(pattern)):
            yield name, path


def schema_path(name: str) -> Path:
    """Where a schema lies."""
    return project_root() / "schemas" / "json" / f"{name}.schema.json"


def format_schema(schema: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema."""
    for name, schema in make_schemas().items():
        path = schema_path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(format_schema(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
