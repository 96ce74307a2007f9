"""The tables, as migrations. A migration that has run somewhere is never edited.

Truth: streams, entries, checkpoints, vectors, roster, certificates (they come from
entries but must be readable before any), drafts, settings, attachments, peers.
A row of `streams` with an empty `branch` is a stream's main line; the others hold what
follows a parting, and are named by the hash of their first entry.
Everything else is derived from entries, and `rebuild` makes it again.
"""

from sqlite_utils import Database, Migrations

migrations = Migrations("lianban")

DERIVED = (
    "changes",
    "documents",
    "cases",
    "ledger",
    "search",
    "packages",
    "calendars",
    "pending",
    "quarantine",
    "batches",
    "audits",
    "materials",
    "holders",
    "missing",
    "evidence",
    "carried",
)
"""Tables that `rebuild` empties and makes again, in this order."""


@migrations()
def first_tables(db: Database) -> None:
    """Everything that the first release needs."""
    for statement in filter(str.strip, _FIRST.split(";")):
        db.execute(statement)


_FIRST = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;

CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL, node BLOB NOT NULL, epoch INTEGER NOT NULL,
    branch BLOB NOT NULL DEFAULT x'',
    base INTEGER NOT NULL DEFAULT 0, base_hash BLOB NOT NULL,
    sequence INTEGER NOT NULL, hash BLOB NOT NULL,
    claimed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (scope, node, epoch, branch)
);
CREATE INDEX streams_branches ON streams (scope, node, epoch) WHERE branch != x'';

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (id),
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    document BLOB NOT NULL,
    roster_version INTEGER NOT NULL,
    written_at_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    hash BLOB NOT NULL,
    payload_hash BLOB,
    payload BLOB,
    verdict TEXT,
    UNIQUE (stream, sequence)
);
CREATE INDEX entries_by_document ON entries (document, stream, sequence)
    WHERE document != x'';

CREATE TABLE checkpoints (
    stream INTEGER NOT NULL, sequence INTEGER NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (stream, sequence)
) WITHOUT ROWID;

CREATE TABLE vectors (
    holder BLOB NOT NULL, scope TEXT NOT NULL,
    counter INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (holder, scope)
);
CREATE TABLE vector_heads (
    stream INTEGER NOT NULL, holder BLOB NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (stream, holder)
) WITHOUT ROWID;
CREATE TABLE arrivals (
    stream INTEGER NOT NULL, holder BLOB NOT NULL, sequence INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (stream, holder, sequence)
) WITHOUT ROWID;
CREATE TABLE told (
    peer BLOB NOT NULL, holder BLOB NOT NULL, scope TEXT NOT NULL,
    counter INTEGER NOT NULL,
    PRIMARY KEY (peer, holder, scope)
) WITHOUT ROWID;

CREATE TABLE roster (version INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE certificates (
    node BLOB NOT NULL, epoch INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (node, epoch)
) WITHOUT ROWID;
CREATE TABLE invites (
    id BLOB PRIMARY KEY, body BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL, tries INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE peers (
    node BLOB PRIMARY KEY,
    url TEXT NOT NULL DEFAULT '',
    last_try_at_ms INTEGER, last_result TEXT, last_success_at_ms INTEGER,
    last_seen_at_ms INTEGER,
    failures INTEGER NOT NULL DEFAULT 0, offline_since_ms INTEGER,
    bytes_out INTEGER NOT NULL DEFAULT 0, bytes_in INTEGER NOT NULL DEFAULT 0,
    pace_bytes INTEGER NOT NULL DEFAULT 65536
) WITHOUT ROWID;
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, peer BLOB NOT NULL,
    cause TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE forks (
    stream INTEGER NOT NULL, sequence INTEGER NOT NULL,
    hash BLOB NOT NULL, other_hash BLOB NOT NULL, signature BLOB NOT NULL,
    found_at_ms INTEGER NOT NULL,
    PRIMARY KEY (stream, sequence)
) WITHOUT ROWID;
CREATE TABLE untold (stream INTEGER PRIMARY KEY);

CREATE TABLE evidence (
    entry INTEGER PRIMARY KEY,
    scope TEXT NOT NULL, node BLOB NOT NULL, epoch INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
    state TEXT NOT NULL, previous BLOB NOT NULL
);
CREATE INDEX evidence_by_stream ON evidence (scope, node, epoch);
CREATE INDEX evidence_to_look_at ON evidence (entry) WHERE state = 'new';
CREATE TABLE carried (entry INTEGER PRIMARY KEY, carrier INTEGER NOT NULL);

CREATE TABLE changes (
    document BLOB NOT NULL, hash BLOB NOT NULL,
    actor BLOB NOT NULL, sequence INTEGER NOT NULL, last_op INTEGER NOT NULL,
    epoch INTEGER NOT NULL, entry INTEGER NOT NULL, verdict TEXT NOT NULL,
    PRIMARY KEY (document, actor, sequence)
) WITHOUT ROWID;

CREATE TABLE documents (
    id BLOB PRIMARY KEY, scope TEXT NOT NULL,
    birth BLOB NOT NULL, heads BLOB NOT NULL,
    snapshot BLOB  -- NULL: the payloads of its few changes say it all
);

CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    document BLOB NOT NULL UNIQUE,
    number TEXT NOT NULL,
    division TEXT NOT NULL,
    taken_in_at TEXT NOT NULL,
    package TEXT NOT NULL,
    item_code TEXT NOT NULL, item_name TEXT NOT NULL, department TEXT NOT NULL,
    decide TEXT NOT NULL,
    applicant TEXT NOT NULL,
    state TEXT NOT NULL,
    mark TEXT NOT NULL,
    settler TEXT NOT NULL, open_count INTEGER NOT NULL, had_conflict INTEGER NOT NULL,
    submitted_at_ms INTEGER NOT NULL, changed_at_ms INTEGER NOT NULL,
    received_on TEXT NOT NULL, due_on TEXT NOT NULL, warn_on TEXT NOT NULL,
    reckoned_to TEXT NOT NULL,
    is_urgent INTEGER NOT NULL, has_lapsed INTEGER NOT NULL,
    is_paper_only INTEGER NOT NULL,
    queue_ms INTEGER NOT NULL
);
CREATE INDEX cases_by_number ON cases (number);
CREATE INDEX cases_by_change ON cases (changed_at_ms, id);
CREATE INDEX cases_by_state
    ON cases (state, changed_at_ms, id, division, taken_in_at);
CREATE INDEX cases_in_queue
    ON cases (state, queue_ms, id, division, taken_in_at);
CREATE INDEX cases_by_due ON cases (due_on, id, warn_on) WHERE due_on != '';
CREATE INDEX cases_by_warning ON cases (warn_on, due_on) WHERE due_on != '';
CREATE INDEX cases_lapsed ON cases (has_lapsed) WHERE has_lapsed = 1;
CREATE INDEX urgent_cases ON cases (changed_at_ms, id) WHERE is_urgent = 1;
CREATE INDEX cases_reckoned ON cases (reckoned_to, received_on);
CREATE INDEX joint_cases ON cases (state, division) WHERE division != taken_in_at;
CREATE INDEX cases_to_settle ON cases (settler, changed_at_ms, id, open_count)
    WHERE settler != '';

CREATE VIRTUAL TABLE search USING fts5(
    name, initials, numbers, tokenize = 'unicode61', columnsize = 0
);

CREATE TABLE packages (
    digest TEXT PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL,
    version TEXT NOT NULL, body BLOB NOT NULL, entry INTEGER NOT NULL,
    effective_on TEXT NOT NULL  -- "": as soon as it is known
);
CREATE INDEX packages_by_code ON packages (code, entry);

CREATE TABLE pending (
    entry INTEGER PRIMARY KEY, document BLOB NOT NULL,
    waits_for TEXT NOT NULL, name BLOB NOT NULL
);
CREATE INDEX pending_by_document ON pending (document);

CREATE TABLE quarantine (
    entry INTEGER PRIMARY KEY, cause TEXT NOT NULL, detail TEXT NOT NULL
);

CREATE TABLE batches (
    entry INTEGER PRIMARY KEY, id BLOB NOT NULL, number TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX batches_by_id ON batches (id);

CREATE TABLE audits (
    entry INTEGER PRIMARY KEY, node BLOB NOT NULL, act TEXT NOT NULL,
    subject TEXT NOT NULL, note TEXT NOT NULL, at_ms INTEGER NOT NULL,
    operator TEXT NOT NULL, peer BLOB NOT NULL
);
CREATE INDEX audits_by_peer ON audits (node, act, peer);

CREATE TABLE drafts (
    document BLOB PRIMARY KEY, nonce BLOB NOT NULL, number TEXT NOT NULL,
    division TEXT NOT NULL,
    package TEXT NOT NULL, answers TEXT NOT NULL,
    begun_at_ms INTEGER NOT NULL, saved_at_ms INTEGER NOT NULL,
    last_field TEXT NOT NULL, files BLOB NOT NULL
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE attachments (
    digest BLOB PRIMARY KEY, size_bytes INTEGER NOT NULL,
    name TEXT NOT NULL, kind TEXT NOT NULL, kept_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE asked (
    peer BLOB NOT NULL, digest BLOB NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (peer, digest)
) WITHOUT ROWID;

CREATE TABLE materials (
    document BLOB NOT NULL, digest BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    node BLOB NOT NULL, entry INTEGER NOT NULL,
    PRIMARY KEY (document, digest, node, size_bytes)
) WITHOUT ROWID;
CREATE INDEX materials_by_digest ON materials (digest);
CREATE TABLE holders (
    document BLOB NOT NULL, digest BLOB NOT NULL, node BLOB NOT NULL,
    scope TEXT NOT NULL, is_ahead INTEGER NOT NULL,
    PRIMARY KEY (document, digest, node, scope)
) WITHOUT ROWID;
CREATE INDEX holders_ahead ON holders (node) WHERE is_ahead = 1;
CREATE TABLE missing (
    document BLOB NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (document, digest)
) WITHOUT ROWID;
CREATE INDEX missing_by_digest ON missing (digest);

CREATE TABLE packs_made (
    peer BLOB NOT NULL, epoch INTEGER NOT NULL, pack INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL, state TEXT NOT NULL,
    volumes INTEGER NOT NULL, size_bytes INTEGER NOT NULL, entries INTEGER NOT NULL,
    mark BLOB NOT NULL,
    PRIMARY KEY (peer, epoch, pack)
) WITHOUT ROWID;
CREATE TABLE pack_heads (
    peer BLOB NOT NULL, epoch INTEGER NOT NULL, pack INTEGER NOT NULL,
    stream INTEGER NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (peer, epoch, pack, stream)
) WITHOUT ROWID;
CREATE TABLE pack_files (
    peer BLOB NOT NULL, epoch INTEGER NOT NULL, pack INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (peer, epoch, pack, digest)
) WITHOUT ROWID;
CREATE TABLE packs_come (
    sender BLOB NOT NULL, pack INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (sender, pack)
) WITHOUT ROWID;
CREATE TABLE pack_words (
    peer BLOB PRIMARY KEY, epoch INTEGER NOT NULL, floor INTEGER NOT NULL,
    count INTEGER NOT NULL, made BLOB NOT NULL, came BLOB NOT NULL, said BLOB NOT NULL
) WITHOUT ROWID
"""


@migrations()
def published_calendars(db: Database) -> None:
    """The working days of years."""
    db.execute(
        "CREATE TABLE calendars ("
        "entry INTEGER PRIMARY KEY, year INTEGER NOT NULL, version INTEGER NOT NULL, "
        "published_at_ms INTEGER NOT NULL, body BLOB NOT NULL)"
    )


@migrations()
def ledger(db: Database) -> None:
    """What is counted of each case."""
    db.execute(
        "CREATE TABLE ledger ("
        "document BLOB PRIMARY KEY, heads BLOB NOT NULL, number TEXT NOT NULL, "
        "item_code TEXT NOT NULL, item_name TEXT NOT NULL, department TEXT NOT NULL, "
        "town TEXT NOT NULL, place TEXT NOT NULL, "
        "desk TEXT NOT NULL, agent TEXT NOT NULL, "
        "received_on TEXT NOT NULL, accepted_on TEXT NOT NULL, "
        "decided_on TEXT NOT NULL, delivered_on TEXT NOT NULL, "
        "closed_on TEXT NOT NULL, outcome TEXT NOT NULL, "
        "due_on TEXT NOT NULL, due_from TEXT NOT NULL, paused_on TEXT NOT NULL, "
        "legal_workdays INTEGER NOT NULL, promise_workdays INTEGER NOT NULL, "
        "is_urgent INTEGER NOT NULL, trips_promised INTEGER, trips INTEGER, "
        "zero_trip TEXT NOT NULL, points INTEGER NOT NULL, rating INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX ledger_by_day ON ledger (received_on, place)")


@migrations()
def what_cases_wait_for(db: Database) -> None:
    """Home visits, certificates to look up, and departments that have a case.

    The ledger is emptied, so that rows and lines of what is here are made again, see
    `node.upgrade`.
    """
    for column in (
        "is_visit INTEGER NOT NULL DEFAULT 0",
        "has_lookup INTEGER NOT NULL DEFAULT 0",
        "waits_for TEXT NOT NULL DEFAULT ''",
    ):
        db.execute(f"ALTER TABLE cases ADD COLUMN {column}")
    for index in (
        "visits ON cases (changed_at_ms, id) WHERE is_visit = 1",
        "paper_only ON cases (changed_at_ms, id) WHERE is_paper_only = 1",
        "lookups ON cases (changed_at_ms, id) WHERE has_lookup = 1",
        "awaited ON cases (state, queue_ms, id, waits_for) WHERE waits_for != ''",
    ):
        db.execute(f"CREATE INDEX cases_{index}")
    db.execute("DELETE FROM ledger")


@migrations()
def what_drafts_follow(db: Database) -> None:
    """The case on whose result a draft builds."""
    db.execute("ALTER TABLE drafts ADD COLUMN follows TEXT NOT NULL DEFAULT ''")


@migrations()
def views(db: Database) -> None:
    """Who has looked at a case on a day is asked whenever one is opened."""
    db.execute("CREATE INDEX audits_by_subject ON audits (subject, act, operator)")
