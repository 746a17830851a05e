"""docker/nginx.conf says the same as the code, where both must say something."""

from __future__ import annotations

import re

from etl.published_files import MEDIA_TYPES
from etl.serve import ALWAYS, SITE_POLICY
from etl.settings import project_root

CONF = (project_root() / "docker" / "nginx.conf").read_text()


def test_types_are_the_same() -> None:
    [block] = re.findall(r"types \{(\s[^}]+)\}", CONF)
    types = re.findall(r'^\s*(?:"([^"]+)"|(\S+)) (\w+);$', block, re.MULTILINE)
    assert {f".{suffix}": quoted or plain for quoted, plain, suffix in types} == MEDIA_TYPES


def test_headers_are_the_same() -> None:
    headers = {
        name: quoted or plain
        for name, quoted, plain in re.findall(r'add_header (\S+) (?:"([^"]*)"|([^;"]+?)) always;', CONF)
    }
    assert headers.items() >= ALWAYS.items()
    assert headers["Content-Security-Policy"].replace("$inline", "") == SITE_POLICY
    assert set(headers) - set(ALWAYS) == {"Cache-Control", "Content-Security-Policy", "Allow", "Retry-After"}
