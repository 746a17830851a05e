"""Reads workbooks in a process of their own: one that makes a library abort, or eat all memory, ends only that.

`python -m etl.reading_process` takes requests on its standard input, one line of JSON each, and answers with
frames: a letter, a length, and that many bytes. T is a table (an Arrow stream), E why the file cannot be read,
D that it is done.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from etl.corrections import Correction
from etl.errors import LayoutError
from etl.sources import Source, load_source

MEMORY_BYTES = 8 << 30
"""What the process may take: eight times what the largest published workbook needs."""

_TABLE, _ERROR, _DONE = b"T", b"E", b"D"
_LENGTH_BYTES = 8


class ReadingProcess:
    """A process that reads workbooks, started when the first is read; use it as a context."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._is_busy = False

    def __enter__(self) -> ReadingProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(
        self, path: Path, media_type: str, source: Source, corrections: Sequence[Correction] = ()
    ) -> Iterator[pa.Table]:
        """What `etl.reading.read_tables` gives for a file.

        Raises:
            LayoutError: the file cannot be read; rule `crash` where reading it ended the process.
        """
        if self._is_busy:
            self._end()  # the last file was not read to its end
        process = self._process or self._start()
        self._is_busy = True
        assert process.stdin is not None
        assert process.stdout is not None
        request = {
            "path": str(path),
            "media_type": media_type,
            "source": source.source,
            "corrections": [correction.model_dump(mode="json") for correction in corrections],
        }
        with suppress(BrokenPipeError):  # then there is no answer either
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        while True:
            letter, content = _receive(process.stdout)
            if letter == _TABLE:
                yield pa.ipc.open_stream(content).read_all()
            elif letter == _ERROR:
                self._is_busy = False
                raise LayoutError(**json.loads(content))
            elif letter == _DONE:
                self._is_busy = False
                return
            else:
                status = self._end()
                raise LayoutError(
                    f"it ended the process that read it (status {status}), which may take "
                    f"{self._memory_bytes >> 30} GiB of memory",
                    "open it by hand: it is damaged, or built to do harm",
                    rule="crash",
                )

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "etl.reading_process", str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    def _end(self) -> int | None:
        process, self._process, self._is_busy = self._process, None, False
        if process is None:
            return None
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        if process.stdout is not None:
            process.stdout.close()  # whoever still writes there ends
        return process.wait()


def _receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """The next frame; empty where the process has ended."""
    head = stream.read(1 + _LENGTH_BYTES)
    if len(head) < 1 + _LENGTH_BYTES:
        return b"", b""
    length = int.from_bytes(head[1:], "big")
    content = stream.read(length)
    return (head[:1], content) if len(content) == length else (b"", b"")


def _send(stream: IO[bytes], letter: bytes, content: bytes | pa.Buffer = b"") -> None:
    stream.write(letter + len(content).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(content)
    stream.flush()


def _serialise(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _answer(request: dict[str, Any], answers: IO[bytes]) -> None:
    from etl.reading import read_tables

    try:
        corrections = [Correction.model_validate(correction) for correction in request["corrections"]]
        source = load_source(request["source"])
        for table in read_tables(Path(request["path"]), request["media_type"], source, corrections):
            _send(answers, _TABLE, _serialise(table))
    except LayoutError as error:
        content = {"what": error.what, "next_step": error.next_step, "rule": error.rule}
        _send(answers, _ERROR, json.dumps(content).encode())
    except (Exception, MemoryError) as error:
        content = {"what": f"{type(error).__name__}: {error}", "next_step": "report it", "rule": "crash"}
        _send(answers, _ERROR, json.dumps(content).encode())
    else:
        _send(answers, _DONE)


def main() -> None:
    """Answer requests until there are no more; what libraries print goes nowhere."""
    memory_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers, suppress(BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        for line in sys.stdin.buffer:
            _answer(json.loads(line), answers)


if __name__ == "__main__":
    main()
