"""The committed JSON Schemas are those of the models, take every file of ours, and refuse broken ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from etl.files import read_json, read_yaml
from etl.json_schemas import format_schema, list_written, make_schemas, schema_path
from etl.settings import project_root

NAMES = ["accepted", "contract", "corrections", "fields", "source", "suite"]
WRITTEN = list(list_written())

ACCEPTED = "- {rule: r, edition: e, figure: f, expected: '1', found: '2', reason: because, accepted_on: 2026-07-01}"
CORRECTION = """
- {edition: e, sheet: Table P1, cell: C8, published: '1', corrected: '2', reason: because, reported_on: 2026-07-01,
   status: reported}
"""
FIELD = "offences: {title: Offences, type: BIGINT, description: Counts.}"
CONTRACT = "{description: A table., columns: [offences], key: [offences]}"
SUITE = """
name: check.rule
meta: {gate: file}
expectations:
  - {type: expect_table_row_count_to_equal, kwargs: {value: 0}, severity: critical,
     meta: {reason: because, set_on: 2026-07-01}}
"""
SOURCE = """
source: s
title: A source
publisher: ONS
licence: OGL
landing_page: https://www.ons.gov.uk/
tidy: [recorded_crime]
tables: [{table_id: P1, title: Table P1, sums: [offences]}]
layouts: [{layout: one, table_id: P1, columns: {area_name: {headers: area}, area_code: {headers: [code, area code]}}}]
places: [{publisher: ons, pages: [/a], files: [{table: P1, title: a table}]}]
"""
GOOD = {
    "accepted": ACCEPTED,
    "contract": CONTRACT,
    "corrections": CORRECTION,
    "fields": FIELD,
    "source": SOURCE,
    "suite": SUITE,
}


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(read_json(schema_path(name)), format_checker=Draft202012Validator.FORMAT_CHECKER)


def _problems(name: str, content: Any) -> list[str]:
    """What a schema says of a file; JSON has no days, YAML has."""
    plain = json.loads(json.dumps(content, default=str))
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(plain)]


def test_there_is_a_schema_of_everything_that_is_written_by_hand() -> None:
    assert sorted(make_schemas()) == NAMES
    assert sorted(path.name for path in schema_path("source").parent.iterdir()) == [f"{n}.schema.json" for n in NAMES]
    root = project_root()
    by_hand = {*root.glob("etl/sources/*/*.yml"), *root.glob("schemas/**/*.yml"), *root.glob("expectations/*/*.json")}
    assert {path for _, path in WRITTEN} == by_hand


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_schema_is_that_of_its_model(name: str) -> None:
    """Else: `make schemas`."""
    Draft202012Validator.check_schema(make_schemas()[name])
    assert schema_path(name).read_text(encoding="utf-8") == format_schema(make_schemas()[name])


@pytest.mark.parametrize(
    ("name", "path"),
    [pytest.param(name, path, id=str(path.relative_to(project_root()))) for name, path in WRITTEN],
)
def test_every_file_of_ours_is_valid(name: str, path: Path) -> None:
    assert _problems(name, read_json(path) if path.suffix == ".json" else read_yaml(path)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_good_one_is_valid(name: str) -> None:
    assert _problems(name, yaml.safe_load(GOOD[name])) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "where"),
    [
        ("accepted", "rule: r, ", "", "$[0]: 'rule' is a required property"),
        ("accepted", "found: '2'", "found: 2", "$[0].found"),
        ("accepted", "2026-07-01", "one day", "$[0].accepted_on: 'one day' is not a 'date'"),
        ("corrections", "C8", "8C", "$[0].cell"),
        ("corrections", "status: reported", "status: told", "$[0].status: 'told' is not one of"),
        ("corrections", "sheet: Table P1", "tab: Table P1", "$[0]: Additional properties are not allowed ('tab'"),
        ("contract", "columns: [offences]", "columns: offences", "$.columns: 'offences' is not of type 'array'"),
        ("contract", "key:", "keys:", "$: Additional properties are not allowed ('keys'"),
        ("fields", "type: BIGINT, ", "", "$.offences: 'type' is a required property"),
        ("suite", "gate: file", "gate: none", "$.meta"),
        ("suite", "critical", "fatal", "$.expectations[0].severity: 'fatal' is not one of"),
        ("suite", "reason: because, ", "", "$.expectations[0].meta: 'reason' is a required property"),
        ("source", "sums: [offences]", "sums: [all]", "$.tables[0].sums[0]: 'all' is not one of"),
        ("source", "headers: area}", "headers: 1}", "$.layouts[0].columns.area_name.headers"),
        ("source", "pages: [/a]", "pages: []", "$.places[0]"),
        ("source", "publisher: ons", "publisher: nobody", "$.places[0]"),
        ("source", "licence: OGL", "license: OGL", "$: 'licence' is a required property"),
    ],
)
def test_a_broken_one_is_not_valid(name: str, old: str, new: str, where: str) -> None:
    assert GOOD[name].count(old) == 1
    problems = _problems(name, yaml.safe_load(GOOD[name].replace(old, new)))
    assert any(problem.startswith(where) for problem in problems), problems
