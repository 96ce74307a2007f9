"""The baseline: plain SQLite at both ends and one gzip'd NDJSON POST.

No TLS, no signatures, no CRDT, no search index: what is left when a program only has
to bring the same data from one machine to another. WAL and `synchronous=FULL` as ours.
The sender and the receiver are processes of their own, see `bench.ends`.
"""

import gzip
import http.client
import json
import sqlite3
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# zlib's own default. Level 9, Python's, saves 4 % of W1's bytes for twice the CPU of
# compressing: it would make the byte budget harder and the CPU budget easier.
GZIP_LEVEL = 6

_TABLE = """
CREATE TABLE IF NOT EXISTS cases (
    id TEXT PRIMARY KEY, number TEXT, item TEXT, answers TEXT, events TEXT
)
"""
_INSERT = (
    "INSERT INTO cases VALUES (:id, :number, :item, :answers, json_array(:event)) "
    "ON CONFLICT DO NOTHING"  # whoever heard no answer sends it again
)
_UPDATE = (
    "UPDATE cases SET answers = json_patch(answers, :answers), "
    "events = json_insert(events, '$[#]', json(:event)) WHERE id = :id"
)


def open_plain(path: Path) -> sqlite3.Connection:
    """Return a plain store, made if it is missing."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(_TABLE)
    # What is to be sent, and to whom: the baseline looks nothing up.
    db.execute("CREATE TABLE IF NOT EXISTS outbox (peer TEXT, line TEXT)")
    return db


def keep(db: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> int:
    """Store new cases, or changes of cases that are there, in one transaction."""
    count = 0
    db.execute("BEGIN IMMEDIATE")
    for row in rows:
        values = {k: v if isinstance(v, str) else _json(v) for k, v in row.items()}
        db.execute(_INSERT if "number" in row else _UPDATE, values)
        count += 1
    db.execute("COMMIT")
    return count


def put_out(
    db: sqlite3.Connection, rows: Iterable[dict[str, Any]], peer: str = ""
) -> None:
    """Lay rows ready for a peer below, or for the one above if none is named."""
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO outbox VALUES (?, ?)", [(peer, _json(row)) for row in rows]
    )
    db.execute("COMMIT")


def take_out(db: sqlite3.Connection, peer: str = "") -> list[str]:
    """Return what lies ready for a peer, and lay it ready no longer."""
    rows = db.execute("DELETE FROM outbox WHERE peer = ? RETURNING line", (peer,))
    return [line for (line,) in rows]


def send(db: sqlite3.Connection, name: str, port: int) -> http.client.HTTPConnection:
    """Post all that lies ready, store what comes back; return the open connection."""
    rows = db.execute("SELECT line FROM outbox WHERE peer = ''")
    lines = [line for (line,) in rows]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Encoding": "gzip"}
    connection.request("POST", f"/cases/{name}", _packed(lines), headers)
    response = connection.getresponse()
    reply = response.read()
    assert int(response.headers["Stored"]) == len(lines)
    if reply:
        keep(db, map(json.loads, _unpacked(reply)))
    return connection


def make_receiver(path: Path, port: int) -> ThreadingHTTPServer:
    """Return a server that stores what is posted to it, and gives what lies ready."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = self.rfile.read(size)
            if len(body) < size:
                return  # cut off: all of it has to come again
            lines = _unpacked(body)
            db = open_plain(path)
            stored = keep(db, map(json.loads, lines))
            waiting = take_out(db, self.path.rpartition("/")[2])
            db.close()
            reply = _packed(waiting) if waiting else b""
            self.send_response(200)
            self.send_header("Stored", str(stored))
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _packed(lines: list[str]) -> bytes:
    return gzip.compress("\n".join(lines).encode(), GZIP_LEVEL)


def _unpacked(body: bytes) -> list[bytes]:
    return gzip.decompress(body).splitlines()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
