"""What a build keeps out, stops or warns of: `quarantine/`, derived from landed files, code and declarations.

`lines.parquet` holds every line that could not be placed, `items.json` one item a file, name or rule with the cells at
fault. Every build rewrites both; a version keeps its items too. `etl.settling` says what would settle an item.
"""

from __future__ import annotations

import filecmp
import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etl.corrections import CORRECTIONS, Correction, load_corrections
from etl.errors import JusticeError, WrongUseError
from etl.files import read_object, remove_abandoned, write_beside, write_json
from etl.sources import declared_sources
from etl.violations import ACCEPTED, Accepted, Violation, load_accepted

if TYPE_CHECKING:
    from etl.gates import Broken, Verdict
    from etl.landing import Release
    from etl.reading import KeptOut

ITEMS = "items.json"
LINES = "lines.parquet"

STALE = "stale_entry"
"""The rule that an entry of `accepted.yml` or `corrections.yml` breaks which can match nothing as it is written."""

_LINES_KEPT = 1_000
_ID_LENGTH = 8
_IDS_NAMED = 20

State = Literal["kept_out", "stopped", "warned"]


@dataclass(frozen=True)
class Line:
    """One figure at fault, as a violation says it. `release_id` and `cell` are None where they are not known."""

    release_id: str | None
    cell: str | None
    figure: str
    expected: str | None
    found: str | None


@dataclass(frozen=True)
class Item:
    """Something that was kept out, stopped publication, or is only warned of.

    Attributes:
        item_id: short, and the same in every build.
        state: what became of it.
        kind: `file` (it could not be read), `name` (no area bears it), `rule` (figures break one).
        rule: the rule that it broke.
        sha256: the file; None for rules that name none.
        release_id: the release; None where several have the file, or none is at fault.
        filename: the file's name, or that of the declaration at fault; None without either.
        count: how many figures or lines.
        message: one sentence for the operator, with what to do next.
        reason: why the rule is there; None where the message says it.
        lines: the first figures at fault.
        suite: the table or rule (`check.<rule>`) whose suite says so; None for what no suite says.
    """

    item_id: str
    state: State
    kind: Literal["file", "name", "rule"]
    rule: str
    sha256: str | None
    release_id: str | None
    filename: str | None
    count: int
    message: str
    reason: str | None = None
    lines: tuple[Line, ...] = ()
    suite: str | None = None

    @property
    def short_message(self) -> str:
        """The message without what stands beside it in a list, and without what to do next."""
        said = self.message.partition(f"rule {self.rule}")[2].partition(": ")[2] or self.message
        return said.rpartition(" → ")[0] or said


def make_items(
    releases: Iterable[Release],
    unread: Iterable[KeptOut],
    quarantined: Iterable[dict[str, Any]],
    verdict: Verdict,
) -> list[Item]:
    """All items of a build, in a total order: files that were not read, names, rules, stale entries."""
    releases = list(releases)
    filenames = {record.sha256: record.filename for release in releases for record in release.records}
    items = [_item_of_file(kept_out) for kept_out in unread]
    items += [_item_of_name(summary) for summary in quarantined]
    for (release_id, sha256), brokens in verdict.kept_out.items():
        items += [_item_of_rule(broken, "kept_out", release_id, sha256, filenames[sha256]) for broken in brokens]
    items += [_item_of_rule(broken, "stopped", *_find_file(broken, filenames)) for broken in verdict.stopped]
    items += [_item_of_rule(broken, "warned", *_find_file(broken, filenames)) for broken in verdict.warned]
    items += _find_stale(releases, verdict)
    return sorted(items, key=lambda item: (item.state, item.kind, item.rule, item.filename or "", item.item_id))


def _make_id(*parts: str | None) -> str:
    return hashlib.sha256("|".join(part or "" for part in parts).encode()).hexdigest()[:_ID_LENGTH]


def make_name_id(sha256: str, level: str, published_name: str) -> str:
    """The id of the item of a name that no area bears."""
    return _make_id("name", sha256, level, published_name)


def _item_of_file(kept_out: KeptOut) -> Item:
    return Item(
        item_id=_make_id("file", kept_out.sha256),
        state="kept_out",
        kind="file",
        rule=kept_out.rule,
        sha256=kept_out.sha256,
        release_id=None,
        filename=kept_out.filename,
        count=1,
        message=kept_out.message,
    )


def _item_of_name(summary: dict[str, Any]) -> Item:
    nearest = f"; nearest are {summary['nearest_names']}" if summary["nearest_names"] else ""
    message = (
        f"{summary['filename']}, rule {summary['rule']}: no area, or more than one, is called "
        f"{summary['published_name']!r} ({summary['level']}): {summary['lines']} lines, the first at "
        f"{summary['sha256'][:12]}!{summary['first_cell']}{nearest} → "
        "add the name to warehouse/ref/fixed_area_name.csv, or land the geography that knows it"
    )
    return Item(
        item_id=make_name_id(summary["sha256"], summary["level"], summary["published_name"]),
        state="kept_out",
        kind="name",
        rule=summary["rule"],
        sha256=summary["sha256"],
        release_id=None,
        filename=summary["filename"],
        count=summary["lines"],
        message=message,
        lines=(Line(None, f"{summary['sha256'][:12]}!{summary['first_cell']}", summary["published_name"], None, None),),
    )


def _find_file(broken: Broken, filenames: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    """Release, SHA-256 and name of the file that a suite on tidy lines speaks of; Nones for any other suite."""
    first = broken.violations[0]
    if not broken.suite.name.startswith("tidy.") or first.sha256 is None:
        return None, None, None
    return first.release_id, first.sha256, filenames[first.sha256]


def _item_of_rule(
    broken: Broken,
    state: State,
    release_id: str | None = None,
    sha256: str | None = None,
    filename: str | None = None,
) -> Item:
    rule = broken.violations[0].rule
    item_id = _make_id("rule", state, broken.suite.name, rule, release_id, sha256)
    first = broken.violations[0]
    of = f"{filename} ({release_id}), rule {rule}" if filename else f"rule {rule}"
    table = "" if broken.suite.is_rule else f" of {broken.suite.name}"
    says = _say_difference(first)
    place = f"{first.cell}: " if first.cell and first.cell != first.figure else ""
    number = "1 violation" if broken.count == 1 else f"{broken.count:,} violations, the first"
    message = (
        f"{of}{table}: {number}: {place}{first.figure}{says} ({broken.expectation.meta.reason}) → "
        f"justice-etl quarantine {item_id}"
    )
    lines = tuple(Line(v.release_id, v.cell, v.figure, v.expected, v.found) for v in broken.violations[:_LINES_KEPT])
    return Item(
        item_id=item_id,
        state=state,
        kind="rule",
        rule=rule,
        sha256=sha256,
        release_id=release_id,
        filename=filename,
        count=broken.count,
        message=_make_printable(message),
        reason=broken.expectation.meta.reason,
        lines=lines,
        suite=broken.suite.name,
    )


def _make_printable(text: str) -> str:
    """A text without what would command a terminal: published text can hold anything."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _say_difference(violation: Violation) -> str:
    says = f", expected {violation.expected}" if violation.expected is not None else ""
    return says + (f", found {violation.found}" if violation.found is not None else "")


# --- stale entries ---------------------------------------------------------------------------------------


def list_entries() -> Iterator[tuple[str, str, Accepted | Correction]]:
    """Every declared entry with the id that its item has where it is stale, and its file.

    Raises:
        JusticeError: a declaration is not what it must be.
    """
    for source in declared_sources():
        for name, entries in ((ACCEPTED, load_accepted(source)), (CORRECTIONS, load_corrections(source))):
            file = f"etl/sources/{source}/{name}"
            for entry in entries:
                yield _make_id("entry", file, entry.model_dump_json()), file, entry


def _find_stale(releases: list[Release], verdict: Verdict) -> Iterator[Item]:
    """Entries of landed editions that can match nothing as they are written.

    An entry whose figure breaks no rule is none of them: what it is compared with may not be landed here.
    """
    names: dict[str, set[str]] = {}
    for release in releases:
        of_edition = names.setdefault(f"{release.source}/{release.edition}", set())
        of_edition |= {record.filename for record in release.records}
    for item_id, file, entry in list_entries():
        edition = f"{Path(file).parent.name}/{entry.edition}"
        if edition in names:
            if isinstance(entry, Accepted):
                why = _say_unfit(entry, edition, verdict)
            else:
                why = _say_absent(entry, names[edition])
            if why:
                yield _item_of_entry(item_id, file, entry, why)


def _say_unfit(entry: Accepted, edition: str, verdict: Verdict) -> str | None:
    """Why an accepted anomaly lets nothing through for good; None where it does, or might."""
    suites = [outcome.suite for outcome in verdict.outcomes.values()]
    rules = {suite.rule for suite in suites if suite.name.startswith("check.")}
    rules |= {expectation.name for suite in suites for expectation in suite.expectations}
    if entry.rule not in rules:
        return "there is no such rule"
    said = (entry.rule, edition, entry.figure)
    accepted = {(v.rule, v.edition, v.figure, v.expected, v.found) for v in verdict.accepted}
    brokens = [*verdict.stopped, *verdict.warned, *(b for of_file in verdict.kept_out.values() for b in of_file)]
    counted = [v for broken in brokens for v in broken.violations if (v.rule, v.edition, v.figure) == said]
    if (*said, entry.expected, entry.found) in accepted or not counted:
        return None
    return f"the figure breaks the rule otherwise{_say_difference(counted[0])}"


def _say_absent(entry: Correction, names: set[str]) -> str | None:
    """Why a correction repairs nothing; None where it does (a cell that does not fit keeps its file out)."""
    pattern = re.compile(entry.filename or ".*", re.DOTALL)
    return None if any(map(pattern.fullmatch, names)) else "no landed file of the edition is called so"


def _item_of_entry(item_id: str, file: str, entry: Accepted | Correction, why: str) -> Item:
    of = f"rule {entry.rule}, {entry.figure}" if isinstance(entry, Accepted) else f"{entry.place} of {entry.filename}"
    return Item(
        item_id=item_id,
        state="warned",
        kind="rule",
        rule=STALE,
        sha256=None,
        release_id=None,
        filename=file,
        count=1,
        message=(
            f"{file}, rule {STALE}: the entry of {entry.edition}, {of}, matches nothing any more: {why} → "
            f"justice-etl quarantine {item_id}"
        ),
    )


# --- items.json ------------------------------------------------------------------------------------------


def write_items(folder: Path, items: Iterable[Item]) -> None:
    """Write the items of a build to a version's folder."""
    write_json(folder / ITEMS, {"items": [asdict(item) for item in items]})


def show_items(home: Path, folder: Path) -> None:
    """Let `quarantine/` hold what a version keeps out, which may be one that was built before."""
    remove_abandoned(home / "quarantine", below=False)
    for name in (ITEMS, LINES):
        shown, kept = home / "quarantine" / name, folder / name
        if kept.exists() and not (shown.exists() and filecmp.cmp(shown, kept, shallow=False)):
            with kept.open("rb") as source, write_beside(shown) as target:
                shutil.copyfileobj(source, target)


def is_built(home: Path) -> bool:
    """Whether any build has said what it keeps out."""
    return (home / "quarantine" / ITEMS).exists()


def read_items(home: Path) -> list[Item]:
    """The items of the last build; none before the first.

    Raises:
        JusticeError: the file is damaged.
    """
    path = home / "quarantine" / ITEMS
    if not path.exists():
        return []
    entries = read_object(path, "items")["items"]
    try:
        return [Item(**(entry | {"lines": tuple(Line(**line) for line in entry["lines"])})) for entry in entries]
    except (TypeError, KeyError) as error:
        raise JusticeError(
            f"{path} is of another release of justice-etl, or damaged: {error}", "build again"
        ) from error


def find_item(home: Path, start: str) -> Item:
    """The item of the last build whose id begins so.

    Raises:
        WrongUseError: there is none, or more than one; names those there are.
    """
    items = read_items(home)
    found = [item for item in items if item.item_id.startswith(start)]
    if len(found) == 1:
        return found[0]
    if found:
        raise WrongUseError(f"several items begin with {start!r}: {_name_ids(found)}", "give more of the id")
    raise WrongUseError(f"there is no item {start!r} in the quarantine", f"there are: {_name_ids(items) or 'none'}")


def _name_ids(items: list[Item]) -> str:
    named = ", ".join(item.item_id for item in items[:_IDS_NAMED])
    return named + (f" and {len(items) - _IDS_NAMED} more" if len(items) > _IDS_NAMED else "")


def summarise(items: Iterable[Item]) -> Iterator[dict[str, Any]]:
    """The items as a manifest carries them: without their lines."""
    for item in items:
        summary = asdict(replace(item, lines=()))
        yield {name: value for name, value in summary.items() if name != "lines"}
