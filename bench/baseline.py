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
_INSERT = "INSERT INTO cases VALUES (:id, :number, :item, :answers, json_array(:event))"
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
    # What is to be sent, in the sender's store: the baseline looks nothing up.
    db.execute("CREATE TABLE IF NOT EXISTS outbox (line TEXT)")
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


def put_out(db: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Lay rows ready for sending."""
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO outbox VALUES (?)", [(_json(row),) for row in rows])
    db.execute("COMMIT")


def take_out(db: sqlite3.Connection) -> list[str]:
    """Return what lies ready for sending, and lay it ready no longer."""
    return [line for (line,) in db.execute("DELETE FROM outbox RETURNING line")]


def send(db: sqlite3.Connection, port: int) -> http.client.HTTPConnection:
    """Post all that lies ready; return the connection, still open."""
    lines = [line for (line,) in db.execute("SELECT line FROM outbox")]
    body = gzip.compress("\n".join(lines).encode(), GZIP_LEVEL)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/cases", body, {"Content-Encoding": "gzip"})
    stored = json.loads(connection.getresponse().read())["stored"]
    assert stored == len(lines)
    return connection


def make_receiver(path: Path, port: int) -> ThreadingHTTPServer:
    """Return a server that stores what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            lines = gzip.decompress(body).splitlines()
            db = open_plain(path)
            reply = _json({"stored": keep(db, map(json.loads, lines))}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
