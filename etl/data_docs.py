"""Data Docs: one page a Great Expectations suite, and an index of them, that load nothing from anywhere.

Great Expectations words the expectations and what was found. Its page is not used: it loads scripts, fonts and a
logo from other hosts, and names the run and its time. Ours is the same on every build of the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from etl.validation import import_great_expectations

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from jinja2 import Environment

CRITICAL = "critical"

# Columns beside those of Great Expectations, and where each comes from in an expectation's `meta`.
OF_META = {"Set on": "set_on", "Reason": "reason"}
TABLE_LEVEL = "Whole table"

# What Great Expectations marks with an icon of a font that we do not load.
STATUSES = {"✅": "passed", "❌": "failed", "❗": "not checked"}

# The list of all failing rows makes a page slow and large; it stays in the results.
SHOWN = ("element_count", "missing_count", "unexpected_count", "unexpected_percent", "observed_value", "details")
SAMPLES = ("partial_unexpected_list", "partial_unexpected_counts")

STYLE = """
body { color: #0b0c0c; background: #fff; font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto;
  padding: 1rem; overflow-wrap: break-word; }
a { color: #1a5fb4; }
h2 { margin-top: 2rem; font-size: 1.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { border-bottom: 1px solid #8a8f94; padding: .4rem .6rem; text-align: left; vertical-align: top; }
td table { width: auto; margin-top: .5rem; }
td.number, th.number { text-align: right; }
th[scope=row] { min-width: 8rem; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
.badge { background: #eef0f2; padding: 0 .2rem; }
.failed { color: #a51d1d; }
"""

HEAD = f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{{{ title }}}}</title>
<style>{STYLE}</style>
</head>
<body>
"""

SUITE_PAGE = (
    HEAD
    + """<nav><a href="index.html">All suites</a></nav>
<main>
<h1>{{ title }}</h1>
<p><strong class="{{ tally.outcome }}">{{ tally.outcome }}</strong>: {{ tally.expectations }} expectations,
of which failed: {{ tally.failed }} critical, {{ tally.warned }} warning.</p>
{% for column, table in sections %}
<h2 id="section-{{ loop.index }}">{{ column }}</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="section-{{ loop.index }}">
{{ table | render_content_block | safe }}
</div>
{% endfor %}
</main>
</body>
</html>
"""
)

INDEX_PAGE = (
    HEAD
    + """<main>
<h1>{{ title }}</h1>
<p>What was expected of this version's tables, and what was found. A critical expectation that fails keeps a version
from being published; a warning does not.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Suites of expectations">
<table>
<caption>Suites of expectations</caption>
<thead><tr><th scope="col">Suite</th><th scope="col">Result</th><th scope="col" class="number">Expectations</th>
<th scope="col" class="number">Failed</th><th scope="col" class="number">Warnings</th></tr></thead>
<tbody>
{% for suite, link, tally in suites %}
<tr><th scope="row"><a href="{{ link }}">{{ suite }}</a></th>
<td class="{{ tally.outcome }}">{{ tally.outcome }}</td><td class="number">{{ tally.expectations }}</td>
<td class="number">{{ tally.failed }}</td><td class="number">{{ tally.warned }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</main>
</body>
</html>
"""
)

# Not escaped by its name, unlike the pages: the filters return HTML, and escape what is not theirs.
TABLE = """<table>
{% if content_block["header_row"] %}<thead><tr>
{% for cell in content_block["header_row"] %}<th scope="col">{{ cell | render_content_block }}</th>{% endfor %}
</tr></thead>{% endif %}
<tbody>
{% for row in content_block["table"] %}
<tr>{% for cell in row %}<td>{{ cell | render_content_block }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
"""

# Great Expectations' other templates stay, but for those with scripts and those that hide stack traces.
TEMPLATES = {
    "suite.html": SUITE_PAGE,
    "index.html": INDEX_PAGE,
    "table.j2": TABLE,
    "bootstrap_table.j2": "",
    "collapse.j2": "",
    "graph.j2": "",
}


@dataclass(frozen=True)
class Tally:
    """How many expectations a suite has, and how many critical and warning ones of them failed."""

    expectations: int
    failed: int
    warned: int

    @property
    def outcome(self) -> str:
        """`failed` when a critical one did, `warned` when only others did, or `passed`."""
        if self.failed:
            return "failed"
        return "warned" if self.warned else "passed"


def write_data_docs(folder: Path, results: Mapping[str, ExpectationSuiteValidationResult | Mapping[str, Any]]) -> None:
    """Write a page for every suite and `index.html` into `folder`, which is made if it is not there.

    Args:
        folder: where to write; pages of the same names are replaced.
        results: by suite, whose name is that of its page: a result, or a dict of the shape that its
            `to_json_dict` gives. An expectation's `meta` may hold `reason` and `set_on`, and `rule` where one page
            is about several.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suites = []
    for suite, result in sorted(results.items()):
        checks = list(result["results"])
        tally = count(checks)
        (folder / f"{suite}.html").write_text(render_suite(suite, checks, tally), encoding="utf-8")
        suites.append((suite, f"{quote(suite)}.html", tally))
    index = _environment().get_template("index.html").render(title="Data Docs", suites=suites)
    (folder / "index.html").write_text(index, encoding="utf-8")


def count(checks: Iterable[Any]) -> Tally:
    """Count the results of a suite's expectations."""
    severities = [(_severity(check), bool(check["success"])) for check in checks]
    failed = [severity for severity, success in severities if not success]
    critical = failed.count(CRITICAL)
    return Tally(expectations=len(severities), failed=critical, warned=len(failed) - critical)


def render_suite(suite: str, checks: Iterable[Any], tally: Tally) -> str:
    """The page of one suite: a table for the expectations of the whole table, then one for each column or rule."""
    groups: dict[str, list[Any]] = {TABLE_LEVEL: []}
    for check in checks:
        of = check["expectation_config"]["meta"] or {}
        column = check["expectation_config"]["kwargs"].get("column", TABLE_LEVEL)
        groups.setdefault(of.get("rule", column), []).append(check)
    sections = [(column, _table_of(group)) for column, group in groups.items() if group]
    template = _environment().get_template("suite.html")
    return str(template.render(title=f"Suite {suite}", tally=tally, sections=sections))


def _table_of(checks: list[Any]) -> dict[str, Any]:
    """Great Expectations' table of some results, with severity, date and reason beside each."""
    import_great_expectations()
    from great_expectations.render.renderer.content_block.validation_results_table_content_block import (
        ValidationResultsTableContentBlockRenderer,
    )

    block: Any = ValidationResultsTableContentBlockRenderer.render(
        [_shown_result(check) for check in checks], include_column_name=False
    )
    table: dict[str, Any] = block.to_json_dict()
    table["header_row"] = [*table["header_row"], "Severity", *OF_META]
    for row, check in zip(table["table"], checks, strict=True):
        meta = check["expectation_config"]["meta"] or {}
        row += [_severity(check), *(meta.get(name) for name in OF_META.values())]
    return table


def _severity(check: Any) -> str:
    severity = check["expectation_config"]["severity"]
    return str(getattr(severity, "value", severity))


def _shown_result(check: Any) -> ExpectationValidationResult:
    """A copy of what a page shows of a result; Great Expectations writes into what it renders."""
    import_great_expectations()
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.util import convert_to_json_serializable

    config = check["expectation_config"]
    result = check["result"] or {}
    # The samples of an expectation that passed are values it forgave.
    names = SHOWN if check["success"] else SHOWN + SAMPLES
    return ExpectationValidationResult(
        success=check["success"],
        expectation_config=ExpectationConfiguration(
            type=config["type"],
            kwargs=convert_to_json_serializable(dict(config["kwargs"])),
            description=config.get("description"),
        ),
        # The renderers fail on pandas' missing values; in JSON they are none.
        result=convert_to_json_serializable({name: result[name] for name in names if name in result}),
        exception_info=_first_exception(check["exception_info"]),
    )


def _first_exception(info: Mapping[str, Any] | None) -> dict[str, Any]:
    """The first exception without its trace, which names folders of this machine.

    Great Expectations gives either what happened, or that by metric.
    """
    found = info or {}
    if "raised_exception" not in found:
        found = next(iter(found.values()), {})
    raised = bool(found.get("raised_exception"))
    message = str(found.get("exception_message")) if raised else None
    return {"raised_exception": raised, "exception_message": message, "exception_traceback": ""}


@cache
def _environment() -> Environment:
    """Great Expectations' templates with ours before them; compiled once for all pages."""
    import_great_expectations()
    from great_expectations.render.view.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, DictLoader

    view: Any = DefaultJinjaPageView()
    environment: Environment = view.env
    environment.loader = ChoiceLoader([DictLoader(TEMPLATES), view.env.loader])
    environment.filters["render_content_block"] = _block_filter(view)
    environment.filters["render_string_template"] = _text_filter(view)
    return environment


def _block_filter(view: Any) -> Callable[..., str]:
    """Render a block, or escape what is none: Great Expectations puts values of the data into pages as they are."""
    from jinja2 import pass_context

    @pass_context
    def render(context: Any, block: Any, index: Any = None, content_block_id: Any = None) -> str:
        if _is_block(block):
            return str(view.render_content_block(context, block, index, content_block_id))
        if isinstance(block, list) and any(_is_block(item) for item in block):
            return "".join(render(context, item, index, content_block_id) for item in block)
        values = block if isinstance(block, list) else [block]
        return escape(", ".join("" if value is None else str(value) for value in values))

    return render


def _is_block(value: Any) -> bool:
    return isinstance(value, dict) and "content_block_type" in value


def _text_filter(view: Any) -> Callable[[Any], str]:
    """Render a sentence with its parameters, and a status as a word."""

    def render(template: Any) -> str:
        if not isinstance(template, dict):
            return escape(str(template))
        params = template.get("params", {})
        status = STATUSES.get(params.get("markdown_status_icon", ""))
        if status:
            return f'<strong class="{"passed" if status == "passed" else "failed"}">{status}</strong>'
        safe = {name: value if isinstance(value, str | int | float) else str(value) for name, value in params.items()}
        text = escape(template.get("template") or "", quote=False)
        return str(view.render_string_template({**template, "template": text, "params": safe}))

    return render
