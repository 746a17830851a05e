"""The text of a `source.yml` with something added, comments and order kept: what a person would type.

Every function takes the text and returns the text changed. What is written in one place for several layouts (an
anchor) is changed there, for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Path = Sequence[str]
"""Keys that lead from a layout to a part of it."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one that reads the declarations (etl.files)
_MERGE = "tag:yaml.org,2002:merge"


def parse(text: str) -> Any:
    """What the text of a declaration says.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(text, Loader=_LOADER)


def escape(text: str) -> str:
    """A regular expression for a text as it stands, readable; any year will do in the place of a year."""
    plain = re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)
    return re.sub(r"(?<!\d)(19|20)\d\d(?!\d)", r"\\d{4}", plain)


def add_header(text: str, layout: str, column: str, header: str) -> str:
    """Another header for a column of a layout."""
    node = _find(_find_layout(text, layout), ["columns", column])
    headers = _get(node, "headers")
    if headers is None:
        return _add_key(text, node, "headers", [header])
    if isinstance(headers, yaml.ScalarNode):
        return _replace(text, headers, _flow([headers.value, header]))
    return _append(text, headers, header)


def widen(text: str, layout: str, key: str, pattern: str) -> str:
    """A regular expression of a layout (`sheet`, `title`) that fits something else too."""
    node = _get(_find_layout(text, layout), key)
    assert isinstance(node, yaml.ScalarNode)
    if "(?x" in node.value:  # there spaces do not count
        pattern = pattern.replace(" ", r"\ ")
    end = "\n" if node.style in ("|", ">") else ""
    return _replace(text, node, _scalar(f"{node.value}|{pattern}") + end)


def add_rule(text: str, layout: str | None, key: str, rule: Mapping[str, str]) -> str:
    """A line in a list of rules (`ignore_columns`, `categories`) of a layout, or (`ignore_sheets`) of the source."""
    node = _compose(text) if layout is None else _find_layout(text, layout)
    rules = _get(node, key)
    return _add_key(text, node, key, [dict(rule)]) if rules is None else _append(text, rules, dict(rule))


def add_layout(text: str, layout: str, changes: Mapping[str, Any]) -> str:
    """A layout at the end of the list that is as another one but for `changes`.

    It merges the anchored layout that is most like it, and says only what differs; it is anchored itself, under its
    name, for others to merge.
    """
    layouts = _get(_compose(text), "layouts")
    written: list[dict[str, Any]] = parse(text)["layouts"]
    wanted = next(entry for entry in written if entry["layout"] == layout) | dict(changes)
    assert isinstance(layouts, yaml.SequenceNode)
    anchors = _find_anchors(text)
    bases = [
        (anchors[node.start_mark.index], entry)
        for node, entry in zip(layouts.value, written, strict=True)
        if node.start_mark.index in anchors and entry.keys() <= wanted.keys()
    ]
    anchor, own = "", wanted
    for name, entry in bases:
        rest = {key: value for key, value in wanted.items() if entry.get(key) != value}
        if len(rest) < len(own):
            anchor, own = name, rest
    lines = [f"&{wanted['layout']}", *([f"<<: *{anchor}"] if anchor else [])]
    lines += [line for key, value in own.items() for line in _lines(key, value)]
    margin = " " * layouts.start_mark.column
    return _insert(text, _last_line(layouts), [f"{margin}{'  ' if n else '- '}{line}" for n, line in enumerate(lines)])


def _lines(key: str, value: Any) -> list[str]:
    """A key and its value in the style of the declarations: one line an entry of a list or a column."""
    if isinstance(value, list) and value:
        return [f"{key}:", *(f"  - {_flow(item)}" for item in value)]
    if isinstance(value, dict) and value:
        return [f"{key}:", *(f"  {name}: {_flow(item)}" for name, item in value.items())]
    return [f"{key}: {_flow(value)}"]


def _scalar(text: str) -> str:
    return _flow([text])[1:-1]


def _flow(value: Any) -> str:
    if not isinstance(value, (list, dict)):
        return _flow([value])[1:-1]
    dumped: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return dumped.strip()


# --- where a thing stands ------------------------------------------------------------------------------


def _compose(text: str) -> yaml.MappingNode:
    node = yaml.compose(text, Loader=_LOADER)
    assert isinstance(node, yaml.MappingNode)
    return node


def _get(node: yaml.Node, key: str) -> yaml.Node | None:
    """The value of a key, also one that is merged."""
    assert isinstance(node, yaml.MappingNode)
    for name, value in node.value:
        if name.value == key and name.tag != _MERGE:
            found: yaml.Node = value
            return found
    for name, value in node.value:
        if name.tag == _MERGE:
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if (inherited := _get(merged, key)) is not None:
                    return inherited
    return None


def _find(node: yaml.Node, path: Path) -> yaml.MappingNode:
    for key in path:
        found = _get(node, key)
        assert found is not None, key
        node = found
    assert isinstance(node, yaml.MappingNode)
    return node


def _find_layout(text: str, layout: str) -> yaml.MappingNode:
    layouts = _get(_compose(text), "layouts")
    assert isinstance(layouts, yaml.SequenceNode)
    for node in layouts.value:
        name = _get(node, "layout")
        if isinstance(name, yaml.ScalarNode) and name.value == layout:
            assert isinstance(node, yaml.MappingNode)
            return node
    raise KeyError(layout)


def _find_anchors(text: str) -> dict[int, str]:
    """Where a mapping with an anchor starts → the anchor."""
    events = yaml.parse(text, Loader=_LOADER)
    return {
        event.start_mark.index: event.anchor
        for event in events
        if isinstance(event, yaml.MappingStartEvent) and event.anchor and event.start_mark
    }


def _last_line(node: yaml.Node) -> int:
    """The 0-based line on which a node really ends; PyYAML counts blank lines and comments after a block to it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        parts = [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]
        return max(_last_line(part) for part in parts)
    is_block_text = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    line: int = node.end_mark.line
    return line - 1 if is_block_text else line


# --- changing text -------------------------------------------------------------------------------------


def _replace(text: str, node: yaml.Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def _insert(text: str, line: int, new: list[str]) -> str:
    """Lines after a 0-based line."""
    lines = text.splitlines()
    return "\n".join([*lines[: line + 1], *new, *lines[line + 1 :]]) + "\n"


def _append(text: str, node: yaml.Node, item: Any) -> str:
    """An item at the end of a list, in the list's own style; an empty one becomes a list of lines."""
    assert isinstance(node, yaml.SequenceNode)
    if not node.flow_style:
        margin = " " * (node.value[0].start_mark.column - len("- "))
        return _insert(text, _last_line(node), [f"{margin}- {_flow(item)}"])
    if node.value:
        end = node.end_mark.index - 1
        return f"{text[:end].rstrip()}, {_flow(item)}{text[end:]}"
    line = text.splitlines()[node.start_mark.line]
    margin = " " * (len(line) - len(line.lstrip()) + 2)
    return f"{text[: node.start_mark.index].rstrip(' ')}\n{margin}- {_flow(item)}{text[node.end_mark.index :]}"


def _add_key(text: str, node: yaml.MappingNode, key: str, value: list[Any]) -> str:
    """A key at the end of a mapping."""
    if node.flow_style:
        start = node.value[0][0].start_mark.index
        return f"{text[:start]}{key}: {_flow(value)}, {text[start:]}"
    margin = " " * node.value[0][0].start_mark.column
    return _insert(text, _last_line(node), [margin + line for line in _lines(key, value)])
