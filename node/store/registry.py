"""Settings, roster, neighbours, packages and batches, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.store.connection import Handle
from sync.canonical import decode, encode
from sync.exchange import MOST_PACE_BYTES
from sync.identity import RosterEntry, SignedCertificate

_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """A neighbour, and how it went with it. Times in milliseconds, None: never.

    `pace_bytes` is how large bundles to it are made, see `sync.exchange.pace_after`.
    """

    node: bytes
    url: str = ""
    last_try_at_ms: int | None = None
    last_result: str | None = None
    last_success_at_ms: int | None = None
    last_seen_at_ms: int | None = None
    failures: int = 0
    offline_since_ms: int | None = None
    bytes_out: int = 0
    bytes_in: int = 0
    pace_bytes: int = MOST_PACE_BYTES


LAST_DAY = "9999-12-31"
"""Asked for what is in force then, what was published last is the answer."""


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A published package."""

    digest: str
    code: str
    name: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """The published working days of a year; `body` is a `PublishedTable`."""

    entry: int
    year: int
    version: int
    published_at_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A list of cases that a town has forwarded together."""

    id: bytes
    number: str
    entry: int
    made_at_ms: int
    count: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An act that `node` has written down; see `node.audit`."""

    entry: int
    node: bytes
    act: str
    subject: str
    note: str
    at_ms: int
    by: str
    peer: bytes


class Registry:
    """Everything small that a node must remember."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    # -- settings and counters --------------------------------------------------

    def setting(self, key: str) -> bytes | None:
        """Return a setting's bytes."""
        row = self._db.execute(
            "SELECT value FROM settings WHERE key = ?", (key,)
        ).fetchone()
        return row[0] if row else None

    def set_setting(self, key: str, value: bytes) -> None:
        """Keep a setting."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))

    def settings_under(self, prefix: str) -> list[bytes]:
        """Return the bytes of all settings whose keys begin so."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT value FROM settings WHERE key BETWEEN ? AND ?",
                (prefix, prefix + chr(0x10FFFF)),
            )
        ]

    def next_count(self, name: str) -> int:
        """Return 1, 2, 3... for each call with the same name; never twice the same."""
        self._db.execute(
            "INSERT INTO counters VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (name,),
        )
        row = self._db.execute("SELECT value FROM counters WHERE name = ?", (name,))
        return int(row.fetchone()[0])

    # -- roster -----------------------------------------------------------------

    def put_roster_entry(self, entry: RosterEntry) -> None:
        """Keep a step of the roster."""
        self._db.execute(
            "INSERT OR REPLACE INTO roster VALUES (?, ?)",
            (entry.version, encode(entry)),
        )

    def roster_entry(self, version: int) -> RosterEntry | None:
        """Return one step of the roster."""
        row = self._db.execute(
            "SELECT body FROM roster WHERE version = ?", (version,)
        ).fetchone()
        return decode(row[0], RosterEntry, limit_bytes=_LIMIT) if row else None

    def roster_entries(self, after: int = 0) -> list[RosterEntry]:
        """Return the steps of the roster after version `after`, in order."""
        return [
            decode(row[0], RosterEntry, limit_bytes=_LIMIT)
            for row in self._db.execute(
                "SELECT body FROM roster WHERE version > ? ORDER BY version", (after,)
            )
        ]

    def put_certificate(
        self, node: bytes, epoch: int, signed: SignedCertificate
    ) -> None:
        """Keep a certificate that is not in the roster yet."""
        self._db.execute(
            "INSERT OR REPLACE INTO certificates VALUES (?, ?, ?)",
            (node, epoch, encode(signed)),
        )

    def certificates(self) -> list[SignedCertificate]:
        """Return the certificates that came outside the roster."""
        return [
            decode(row[0], SignedCertificate, limit_bytes=_LIMIT)
            for row in self._db.execute("SELECT body FROM certificates")
        ]

    def roster_mark(self) -> tuple[int, int]:
        """Return two numbers that change whenever more is known about nodes."""
        row = self._db.execute(
            "SELECT (SELECT coalesce(max(version), 0) FROM roster), "
            "(SELECT count(*) FROM certificates)"
        ).fetchone()
        return row[0], row[1]

    # -- invites ----------------------------------------------------------------

    def put_invite(self, invite: bytes, body: bytes, expires_at_ms: int) -> None:
        """Keep an enrolment code that was given out."""
        self._db.execute(
            "INSERT INTO invites VALUES (?, ?, ?, 0)", (invite, body, expires_at_ms)
        )

    def invite(self, invite: bytes) -> tuple[bytes, int, int] | None:
        """Return (body, expires at in milliseconds, tries)."""
        row = self._db.execute(
            "SELECT body, expires_at_ms, tries FROM invites WHERE id = ?", (invite,)
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def count_try(self, invite: bytes) -> None:
        """Count one more try at a code."""
        self._db.execute("UPDATE invites SET tries = tries + 1 WHERE id = ?", (invite,))

    def set_invite(self, invite: bytes, body: bytes) -> None:
        """Replace what is kept about an invitation."""
        self._db.execute("UPDATE invites SET body = ? WHERE id = ?", (body, invite))

    # -- neighbours ---------------------------------------------------------------

    def peer(self, node: bytes) -> Peer:
        """Return what is known of a neighbour; an empty record if nothing is."""
        row = self._db.execute("SELECT * FROM peers WHERE node = ?", (node,)).fetchone()
        return Peer(*row) if row else Peer(node)

    def peers(self) -> list[Peer]:
        """Return all neighbours that were ever met."""
        return [Peer(*row) for row in self._db.execute("SELECT * FROM peers")]

    def set_peer(self, peer: Peer) -> None:
        """Keep a neighbour's record."""
        self._db.execute(
            "INSERT OR REPLACE INTO peers (node, url, last_try_at_ms, last_result, "
            "last_success_at_ms, last_seen_at_ms, failures, offline_since_ms, "
            "bytes_out, bytes_in, pace_bytes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                peer.node,
                peer.url,
                peer.last_try_at_ms,
                peer.last_result,
                peer.last_success_at_ms,
                peer.last_seen_at_ms,
                peer.failures,
                peer.offline_since_ms,
                peer.bytes_out,
                peer.bytes_in,
                peer.pace_bytes,
            ),
        )

    # -- packages -----------------------------------------------------------------

    def put_package(self, row: PackageRow, entry: int, effective_on: str = "") -> None:
        """Keep a package, in force from a day on, or as soon as it is known."""
        self._db.execute(
            "INSERT INTO packages VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (digest) DO UPDATE SET entry = max(entry, excluded.entry)",
            (
                row.digest,
                row.code,
                row.name,
                row.version,
                row.body,
                entry,
                effective_on,
            ),
        )

    def package(self, digest: str) -> PackageRow | None:
        """Return a package by its content."""
        row = self._db.execute(
            "SELECT digest, code, name, version, body FROM packages WHERE digest = ?",
            (digest,),
        ).fetchone()
        return PackageRow(*row) if row else None

    def current_packages(self, on: str = LAST_DAY) -> list[PackageRow]:
        """Return the package of each code that is in force on a day, by code.

        It is the last published of those whose day has come.
        """
        return [
            PackageRow(*row)
            for row in self._db.execute(
                "SELECT digest, code, name, version, body FROM packages p "
                "WHERE entry = (SELECT max(entry) FROM packages "
                "WHERE code = p.code AND effective_on <= ?) "
                "ORDER BY code",
                (on,),
            )
        ]

    def package_digests(self) -> list[str]:
        """Return the digests of all packages that are held, of whatever version."""
        rows = self._db.execute("SELECT digest FROM packages ORDER BY entry")
        return [row[0] for row in rows]

    def package_of_entry(self, entry: int) -> PackageRow | None:
        """Return the package that an entry has published last."""
        row = self._db.execute(
            "SELECT digest, code, name, version, body FROM packages WHERE entry = ?",
            (entry,),
        ).fetchone()
        return PackageRow(*row) if row else None

    def current_digest(self, code: str, on: str = LAST_DAY) -> str:
        """Return the package of a code that is in force on a day; "": there is none."""
        row = self._db.execute(
            "SELECT digest FROM packages WHERE code = ? AND effective_on <= ? "
            "ORDER BY entry DESC LIMIT 1",
            (code, on),
        ).fetchone()
        return str(row[0]) if row else ""

    def published_at_ms(self, digest: str) -> int:
        """Return when a package that is held was last published, by its author."""
        row = self._db.execute(
            "SELECT e.written_at_ms FROM packages p JOIN entries e ON e.id = p.entry "
            "WHERE p.digest = ?",
            (digest,),
        ).fetchone()
        return int(row[0])

    # -- working calendar ---------------------------------------------------------

    def put_calendar(self, row: CalendarRow) -> None:
        """Keep a year's working days."""
        self._db.execute(
            "INSERT OR REPLACE INTO calendars VALUES (?, ?, ?, ?, ?)",
            (row.entry, row.year, row.version, row.published_at_ms, row.body),
        )

    def current_calendars(self) -> list[CalendarRow]:
        """Return what is in force of each year, by year."""
        rows = self._db.execute(
            "SELECT entry, year, version, published_at_ms, body FROM calendars "
            # Of one version the same one everywhere, whichever came first.
            "ORDER BY year, version, body"
        )
        in_force = {row[1]: CalendarRow(*row) for row in rows}
        return list(in_force.values())

    def calendar_mark(self) -> tuple[int, int]:
        """Return two numbers that change whenever another table is kept."""
        row = self._db.execute(
            "SELECT count(*), coalesce(max(entry), 0) FROM calendars"
        ).fetchone()
        return row[0], row[1]

    # -- batches ------------------------------------------------------------------

    def put_batch(self, row: BatchRow) -> None:
        """Keep a batch."""
        self._db.execute(
            "INSERT OR REPLACE INTO batches "
            "(entry, id, number, made_at_ms, count, body) VALUES (?, ?, ?, ?, ?, ?)",
            (row.entry, row.id, row.number, row.made_at_ms, row.count, row.body),
        )

    def has_batch(self, batch: bytes) -> bool:
        """Say whether a batch of this id is held."""
        row = self._db.execute("SELECT 1 FROM batches WHERE id = ?", (batch,))
        return row.fetchone() is not None

    def has_batch_on(self, batch: bytes, lines: Sequence[int]) -> bool:
        """Say whether a batch of this id stands on lines of a stream, by their rows."""
        marks = ",".join("?" * len(lines))
        row = self._db.execute(
            "SELECT 1 FROM batches b JOIN entries e ON e.id = b.entry "
            f"WHERE b.id = ? AND e.stream IN ({marks})",
            (batch, *lines),
        )
        return row.fetchone() is not None

    def batches(self, limit: int) -> list[BatchRow]:
        """Return the newest batches."""
        return [
            BatchRow(*row)
            for row in self._db.execute(
                "SELECT id, number, entry, made_at_ms, count, body FROM batches "
                "ORDER BY made_at_ms DESC LIMIT ?",
                (limit,),
            )
        ]

    # -- audit --------------------------------------------------------------------

    def put_audit(self, row: AuditRow) -> None:
        """Keep an act that was written down."""
        self._db.execute(
            "INSERT OR REPLACE INTO audits VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.entry,
                row.node,
                row.act,
                row.subject,
                row.note,
                row.at_ms,
                row.by,
                row.peer,
            ),
        )

    def last_audit_ms(self, node: bytes, act: str, peer: bytes) -> int | None:
        """Return when a node has last written down an act that concerns a peer."""
        row = self._db.execute(
            "SELECT at_ms FROM audits WHERE node = ? AND act = ? AND peer = ? "
            "ORDER BY entry DESC LIMIT 1",
            (node, act, peer),
        ).fetchone()
        return row[0] if row else None

    def last_view_ms(
        self, node: bytes, act: str, subject: str, operator: str
    ) -> int | None:
        """Return when an operator's act about a subject was last written down here."""
        row = self._db.execute(
            "SELECT at_ms FROM audits WHERE subject = ? AND act = ? AND operator = ? "
            "AND node = ? ORDER BY entry DESC LIMIT 1",
            (subject, act, operator, node),
        ).fetchone()
        return row[0] if row else None

    def audits(self, limit: int) -> list[AuditRow]:
        """Return what was written down here and below, the last to come first."""
        return [
            AuditRow(*row)
            for row in self._db.execute(
                "SELECT entry, node, act, subject, note, at_ms, operator, peer "
                "FROM audits ORDER BY entry DESC LIMIT ?",
                (limit,),
            )
        ]
