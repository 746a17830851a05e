"""What becomes of a damaged copy: landed as an operator would, judged by the gates, compared figure by figure."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from etl.build import build, no_progress, open_for_building, read_all, run_models
from etl.contracts import contracts, literal, quote
from etl.errors import RefusedFileError
from etl.files import read_object
from etl.gates import Broken, Verdict, check_files, keep_out_causes, split_models
from etl.inputs import FileKey, load_inputs, load_rows, load_seen
from etl.landing import Landed, Record, Release, land, list_releases, parse_published, read_records, slug
from etl.models import Model, find_models
from etl.publish import publish, warehouse_path
from etl.quarantine import read_items
from etl.reading import KeptOut, TidyFile, read_landed
from etl.settings import Settings
from tests.damage.damages import save_again
from tests.damage.files import FILES, ROLLING_YEARS, Published
from tests.sql.published import land_force_tables, land_geography, land_other_crime, land_population
from tests.support import warehouse_alone

if TYPE_CHECKING:
    from tests.damage.cases import Case

State = Literal["refused", "kept out", "stopped", "warned", "read right", "another kept out", "changed silently"]

FIGURES = (
    "core.recorded_crime",
    "core.recorded_crime_printed",
    "ref.population",
    "ref.area",
    "ref.area_level",
    "ref.area_parent",
    "ref.area_name",
)
"""The tables in which published figures stand. Marts follow from them."""

TREND = "mart.crime_trend"

_PLACES = ("sha256", "sheet", "row", "offences_column", "printed_column")
"""Where a figure stands in its file may differ."""

_RELEASES = ("release_id", "previous_release_id")

_FAMILIES = ("crime", "population", "geography")
"""How the names of rules begin that can speak of these files."""


@dataclass(frozen=True)
class Edition:
    """A file landed as another edition than its own."""

    title: str
    published: str


@dataclass(frozen=True)
class Found:
    """What became of a file: the rules that it broke, and the figures that differ from those of the undamaged copy.

    `unnamed` are published figures that differ and that no rule names.
    """

    state: State
    rules: frozenset[str] = frozenset()
    changed: int = 0
    unnamed: tuple[str, ...] = ()


def publish_copies(home: Path, publications: Path) -> None:
    """Land and publish everything at hand, with an undamaged copy of each file that is damaged as its correction."""
    for land_some in (land_force_tables, land_other_crime, land_population, land_geography):
        land_some(home, publications)
    with tempfile.TemporaryDirectory() as folder:
        for published in FILES.values():
            land_as(home, published, save_again(publications / published.path, Path(folder)))
    settings = Settings(home=home)
    with warehouse_alone():  # what is damaged is looked for in tables, which feeds and pages follow from
        publish(home, settings, build(home, settings).version)


def find_first_releases(copies: Path) -> Iterator[tuple[str, str]]:
    """The release of each file that is damaged, and that of its undamaged copy."""
    for published in FILES.values():
        edition = f"{published.source}/{slug(published.title)}"
        yield f"{edition}@1", f"{edition}@2"


def try_case(case: Case, copies: Path, publications: Path, folder: Path) -> Found:
    """Make the damaged copy of a case and see what becomes of it, in an empty folder."""
    published = FILES[case.file]
    (folder / "made").mkdir()
    made = case.make(publications / published.path, folder / "made")
    return try_copy(folder / "home", copies, published, made, case.edition)


def try_all_alike(cases: Iterable[Case], copies: Path, publications: Path, folder: Path) -> Found:
    """Land copies that are read alike as one correction after the other, and judge them together."""
    home = clone_home(copies, folder / "home")
    for number, case in enumerate(cases, start=1):
        published = FILES[case.file]
        made = folder / str(number)
        made.mkdir()
        day = date.fromisoformat(published.corrected_on) + timedelta(days=number)
        later = Edition(published.title, day.isoformat())
        land_as(home, published, case.make(publications / published.path, made), later)
    with _judge(home, list_releases(home), None, _split_models(_FAMILIES, (*FIGURES, TREND))) as (verdict, connection):
        return _compare(verdict, connection, None, copies)


def clone_home(home: Path, copy: Path) -> Path:
    """A home with what was landed and is cached, on hard links: all of it is replaced, never written to."""
    for name in ("landing", "tidy", "checks", "ranks"):
        shutil.copytree(home / name, copy / name, copy_function=os.link)
    shutil.copy(home / "home.json", copy)
    return copy


def take_back(home: Path, published: Published) -> None:
    """Forget the correction of an edition: something else is landed in its place."""
    for path in (home / "landing" / "records" / published.source / slug(published.title)).glob("*.json"):
        if read_object(path)["published_at"] == parse_published(published.corrected_on):
            path.unlink()


def land_as(home: Path, published: Published, path: Path, edition: Edition | None = None) -> Landed:
    """Land a file as a correction of the edition that it is of, or as another edition."""
    [landed] = land(
        home,
        source=published.source,
        title=edition.title if edition else published.title,
        published=edition.published if edition else published.corrected_on,
        files=[path],
    )
    return landed


def try_copy(home: Path, copies: Path, published: Published, path: Path, edition: Edition | None = None) -> Found:
    """What becomes of a file.

    Args:
        home: an empty folder for the home that it is landed in.
        copies: a built home in which everything was corrected by an undamaged copy.
        published: the file that it is a copy of.
        path: the copy.
        edition: as what it is landed; a correction of its own edition, in place of the undamaged copy, where None.
    """
    clone_home(copies, home)
    if edition is None:
        take_back(home, published)
    try:
        landed = land_as(home, published, path, edition)
    except RefusedFileError:
        return Found("refused")
    read = read_landed(home, landed.record)
    if isinstance(read, KeptOut):
        return Found("kept out", frozenset({read.rule}))
    has_its_name = path.name == Path(published.path).name or published.source != "population"  # whose name is its year
    if edition is None and has_its_name and _reads_alike(read, copies, published):
        return Found("read right")
    key = landed.release_id, landed.record.sha256
    family = "crime" if published.source.startswith("recorded_crime") else published.source
    with _judge(home, _list_beside(home, published), key, _split_models((family,), ())) as (verdict, _):
        if key in verdict.kept_out:
            return Found("kept out", _name_rules(verdict.kept_out[key]))
    with _judge(home, list_releases(home), key, _split_models(_FAMILIES, FIGURES)) as (verdict, connection):
        return _compare(verdict, connection, key, copies)


def _list_beside(home: Path, published: Published) -> list[Release]:
    """What a rule that keeps files out compares a file with: other editions of its table, and the geography.

    The rest of a home makes it four times as long to find out.
    """
    is_rolling = published.title == ROLLING_YEARS
    return [
        release
        for release in list_releases(home)
        if release.source == "geography"
        or (release.source == published.source and release.edition.startswith(slug(ROLLING_YEARS)) == is_rolling)
    ]


@cache
def _split_models(families: tuple[str, ...], targets: tuple[str, ...]) -> tuple[list[Model], list[Model]]:
    """Some tables, the rules of some families that need no mart but these, and what they rest on.

    Returns:
        Those that decide what is kept out, and the rest, as `etl.gates.split_models` does.
    """
    models = find_models()
    wanted = _add_inputs(models, set(targets))
    on_marts = {model.name for model in models if model.name.startswith("mart.") and model.name not in wanted}
    for model in models:
        if model.inputs & on_marts:
            on_marts.add(model.name)
    rules = {model.name for model in models if model.is_check and model.path.stem.startswith(families)}
    needed = _add_inputs(models, (rules - on_marts) | wanted)
    return split_models([model for model in models if model.name in needed])


def _add_inputs(models: list[Model], names: set[str]) -> set[str]:
    """Models with all that they rest on."""
    for model in reversed(models):
        if model.name in names:
            names |= model.inputs
    return names


def _reads_alike(read: TidyFile, copies: Path, published: Published) -> bool:
    """Whether a file reads as its undamaged copy does, wherever its figures stand.

    What is published is a function of what is read, so that nothing needs to be built: the test of all such copies
    together builds them for once.
    """
    copy = next(record for record in read_records(copies) if _is_correction(record, published))
    undamaged = read_landed(copies, copy)
    assert isinstance(undamaged, TidyFile)
    new, old = (
        f'SELECT * EXCLUDE (sheet, "row", "column") FROM read_parquet({literal(str(path))})'
        for path in (read.path, undamaged.path)
    )
    query = f"SELECT count(*) FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new}))"
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall() == [(0,)]


def _is_correction(record: Record, published: Published) -> bool:
    return (record.source, record.title) == (published.source, published.title) and record.published_at == (
        parse_published(published.corrected_on)
    )


@contextmanager
def _judge(
    home: Path, releases: list[Release], key: FileKey | None, models: tuple[list[Model], list[Model]]
) -> Iterator[tuple[Verdict, duckdb.DuckDBPyConnection]]:
    """Everything that judges figures, as `etl.build` runs it; and no further once the file is kept out.

    The connection is of the warehouse that would be published, without its rankings.
    """
    files, _ = read_all(home, releases, no_progress)
    of_files = check_files(home, releases, files)
    deciding, rest = models
    kept_out = of_files.kept_out
    path = home / "judged.duckdb"
    path.unlink(missing_ok=True)
    while True:
        verdict = of_files.copy(kept_out)
        with open_for_building(path) as connection:
            load_inputs(connection, releases, files, kept_out)
            run_models(connection, deciding, verdict, home, no_progress)
            if key not in verdict.kept_out and verdict.kept_out.keys() == kept_out.keys():
                load_seen(connection, home)
                load_rows(connection, "input.run", [{"run_id": "", "built_at": datetime.now(UTC), "built_by": ""}])
                run_models(connection, rest, verdict, home, no_progress)
            if key in verdict.kept_out or verdict.kept_out.keys() == kept_out.keys():
                yield verdict, connection
                return
        kept_out = keep_out_causes(verdict, kept_out, releases)
        path.unlink()


def _compare(verdict: Verdict, connection: duckdb.DuckDBPyConnection, key: FileKey | None, copies: Path) -> Found:
    if key and key in verdict.kept_out:
        return Found("kept out", _name_rules(verdict.kept_out[key]))
    if verdict.stopped:
        return Found("stopped", _name_rules(verdict.stopped))
    if verdict.kept_out:
        return Found("another kept out", _name_rules(broken for many in verdict.kept_out.values() for broken in many))
    changed = _find_changes(connection, copies, FIGURES if key else (*FIGURES, TREND), is_of_release=key is not None)
    news = _find_news(verdict, copies)
    rules = frozenset(rule for rule, _ in news)
    if not changed:
        return Found("warned" if news else "read right", rules)
    named = {text for _, text in news}
    unnamed = tuple(figure for figure in changed if not _is_named(figure, named))
    return Found("changed silently" if unnamed or not news else "warned", rules, len(changed), unnamed)


def _name_rules(brokens: Iterable[Broken]) -> frozenset[str]:
    return frozenset(_name_rule(broken) for broken in brokens)


def _name_rule(broken: Broken) -> str:
    """A rule by its stem; what is expected of a column by the table and the kind of expectation."""
    if broken.suite.name.startswith("check."):
        return broken.suite.rule
    return f"{broken.suite.name} {broken.expectation.type.removeprefix('expect_').removeprefix('column_')}"


def _find_news(verdict: Verdict, copies: Path) -> set[tuple[str, str]]:
    """Warnings that the undamaged copy does not give: the rule, and the figure or cell that it names."""
    known = {(line.figure, line.found) for item in read_items(copies) for line in item.lines}
    return {
        (_name_rule(broken), text)
        for broken in verdict.warned
        for violation in broken.violations
        if (violation.figure, violation.found) not in known
        for text in (violation.figure, violation.cell)
        if text
    }


_KEYS = {
    "core.recorded_crime": ("table_id", "area_code", "offence_id", "span", "period_end"),
    "core.recorded_crime_printed": ("table_id", "area_code", "offence_id", "span", "period_end"),
    "ref.population": ("area_code", "'population'", "mid_year"),
    "ref.area_parent": ("'lookup'", "area_code", "parent_level", "vintage"),
}
"""What rules call a figure of these tables."""


def _find_changes(
    connection: duckdb.DuckDBPyConnection, copies: Path, tables: Iterable[str], *, is_of_release: bool
) -> list[str]:
    """Published figures and relations that differ from those of the undamaged copies, as rules call them.

    `is_of_release` is False where other releases may state the same.
    """
    connection.execute(f"ATTACH {literal(str(warehouse_path(copies).resolve()))} AS undamaged (READ_ONLY)")
    changed = {figure for table in tables for figure in _find_changes_of(connection, table, is_of_release)}
    connection.execute("DETACH undamaged")
    return sorted(changed)


def _find_changes_of(connection: duckdb.DuckDBPyConnection, table: str, is_of_release: bool) -> list[str]:
    contract = contracts()[table]
    left_out = _PLACES if is_of_release else (*_PLACES, *_RELEASES)
    columns = ", ".join(quote(name) for name in contract.columns if name not in left_out)
    key = ", ".join(_KEYS.get(table, tuple(quote(name) for name in contract.key)))
    new, old = (f"SELECT {columns} FROM {database}{table}" for database in ("", "undamaged."))
    where = "WHERE NOT is_derived" if table == "ref.population" else ""
    query = (
        f"SELECT DISTINCT concat_ws('|', {key}) FROM "
        f"(({new} EXCEPT {old}) UNION ALL ({old} EXCEPT {new})) {where} ORDER BY ALL"
    )
    return [figure for (figure,) in connection.execute(query).fetchall()]


def _is_named(figure: str, named: set[str]) -> bool:
    """Whether a rule names a figure, with or without the table before it.

    A lookup holds for years without one, so that an area that is placed otherwise is named in any year.
    """
    if figure.startswith("lookup|"):
        return any(text.startswith(figure.rpartition("|")[0] + "|") for text in named)
    return any(text == figure or text.endswith(f"|{figure}") for text in named)
