"""What builds of a test run found out already, so that none of them finds it out again.

Homes have most of their rows, rankings, pages and charts alike, and a build of a small one spends three quarters of
its time on looking at them. Each answer kept here is a pure function of what was asked, all of which is in its key:
what passed on the same rows passes again, in whichever home, and the same results make the same page. Tests of those
functions themselves do without (`tests/conftest.py` says which folders have it).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

FOLDER = "ETL_TESTS_MEMO"
"""The environment variable that names the folder which all processes of a test run share."""


_CLOCKS = ("built_at", "landed_at")
_RANKINGS = ("rank_crime", "rank_local_adult", "rank_reoffending")


class Memo:
    """What was asked, and the answers, in a folder that processes share.

    It changes no file in a way that a fault test might count, does not mind a full disk, and a process that is killed
    while it writes leaves nothing that counts: half an answer is no JSON.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Any] = {}
        self.pages: dict[tuple[object, ...], str] = {}

    def find(self, *asked: object) -> tuple[str, Any]:
        """The key of what is asked, and the answer to it; None where there is none yet."""
        key = hashlib.sha256(repr(asked).encode()).hexdigest()
        if key not in self.known:
            with suppress(OSError, ValueError):
                self.known[key] = json.loads((self.folder / key).read_bytes())
        return key, self.known.get(key)

    def keep(self, key: str, answer: Any) -> None:
        self.known[key] = answer
        with suppress(OSError), (self.folder / key).open("wb") as file:
            file.write(json.dumps(answer).encode())


@cache
def _open_memo(folder: Path) -> Memo:
    return Memo(folder)


@contextmanager
def remembering() -> Iterator[None]:
    """Let builds of this process, while the block runs, take what others found out, and add what they do."""
    from pandas.util import hash_pandas_object

    from etl import data_docs, rank_tables, validation
    from etl.expectations import Suite
    from etl.site import charts
    from etl.site.frame import Site

    memo = _open_memo(Path(os.environ[FOLDER]))
    write_page: Callable[..., None] = Site.write_page
    ranks: dict[str, Callable[..., Any]] = {name: getattr(rank_tables, name) for name in _RANKINGS}

    def hash_frame(frame: Any) -> tuple[object, ...]:
        # Nothing is expected of the moment of a run but to lie between two days.
        clocks = [name for name in _CLOCKS if name in frame and frame[name].dtype.kind == "M"]
        frame = frame.assign(**{name: frame[name].dt.floor("D") for name in clocks})
        rows = hash_pandas_object(frame).to_numpy().tobytes()
        return *frame.columns, *map(str, frame.dtypes), hashlib.sha256(rows).digest()

    render_suite: Callable[..., str] = data_docs.render_suite
    validate: Callable[..., validation.SuiteOutcome] = validation._validate_frame
    render_chart: Callable[..., str] = charts._render

    def render_suite_once(suite: str, checks: list[Any], tally: Any) -> str:
        key, page = memo.find(suite, json.dumps(checks, default=str))
        if page is None:
            page = render_suite(suite, checks, tally)
            memo.keep(key, page)
        return str(page)

    def validate_once(suite: Suite, frame: Any, locate: Any) -> validation.SuiteOutcome:
        key, counts = memo.find(suite, *hash_frame(frame))
        if counts is None:
            found = validate(suite, frame, locate)
            # A frame with a row that is not as expected is looked at again: where it stands is not in the frame.
            if all(outcome.success for outcome in found.outcomes):
                memo.keep(key, [outcome.rows for outcome in found.outcomes])
            return found
        outcomes = zip(suite.expectations, counts, strict=True)
        return validation.SuiteOutcome(suite, tuple(validation.Outcome(*outcome) for outcome in outcomes))

    def render_chart_once(specification: dict[str, Any], slug: str) -> str:
        key, svg = memo.find(slug, json.dumps(specification, sort_keys=True))
        if svg is None:
            svg = render_chart(specification, slug)
            memo.keep(key, svg)
        return str(svg)

    def write_page_once(site: Site, path: str, template: str, **content: Any) -> None:
        """Pages of the dictionary, which no figure is in: a process makes their entries once, and keeps them."""
        if template != "dictionary_table.html":
            write_page(site, path, template, **content)
            return
        key = (path, site.holds_modelled, id(content["table"]))
        if key in memo.pages:
            site.write(path, memo.pages[key])
        else:
            write_page(site, path, template, **content)
            memo.pages[key] = (site.folder / path).read_text(encoding="utf-8")

    def rank_once(name: str, *frames: Any) -> Any:
        *lines, seed = frames
        key, ranked = memo.find(name, seed, *map(hash_frame, lines))
        if ranked is None:
            made = ranks[name](*frames)
            memo.keep(key, base64.b64encode(pickle.dumps(made)).decode())
            return made
        return pickle.loads(base64.b64decode(ranked))

    for name in _RANKINGS:
        setattr(rank_tables, name, partial(rank_once, name))
    data_docs.render_suite = render_suite_once
    validation._validate_frame = validate_once
    charts._render = render_chart_once
    Site.write_page = write_page_once
    try:
        yield
    finally:
        data_docs.render_suite = render_suite
        validation._validate_frame = validate
        charts._render = render_chart
        Site.write_page = write_page
        for name, rank in ranks.items():
            setattr(rank_tables, name, rank)
