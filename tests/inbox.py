"""A service on this machine that takes alerts, as `json://` of apprise sends them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Inbox:
    """Keeps what is sent to `url`, and answers with `status`, once `waits_for` has come; use it as a context."""

    status: int = 200
    waits_for: Event | None = None
    received: list[dict[str, Any]] = field(default_factory=list)
    has_received: Event = field(default_factory=Event)

    def __enter__(self) -> Inbox:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inbox.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                inbox.has_received.set()
                if inbox.waits_for:
                    inbox.waits_for.wait(60)
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}"
