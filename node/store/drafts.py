"""Drafts, which lie on this node only, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.store.connection import Handle
from sync.canonical import decode, encode


@dataclass(frozen=True, slots=True)
class Draft:
    """A case that is not submitted: it is in no stream and never leaves the node.

    `division` is the place that it is for; `files` are digests of files that go with
    it, besides those that answers name; `follows` is the number of the case on whose
    result it builds, "" for none.
    """

    document: bytes
    nonce: bytes
    number: str
    division: str
    package: str
    answers: dict[str, str]
    begun_at_ms: int
    saved_at_ms: int
    last_field: str
    files: tuple[str, ...] = ()
    follows: str = ""

    @property
    def id(self) -> str:
        """The id that the case will have."""
        return self.document.hex()


class Drafts:
    """What has been begun here and is not submitted."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def put(self, draft: Draft) -> None:
        """Keep a draft in the place of what was there."""
        self._db.execute(
            "INSERT OR REPLACE INTO drafts (document, nonce, number, division, "
            "package, answers, begun_at_ms, saved_at_ms, last_field, files, follows) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                draft.document,
                draft.nonce,
                draft.number,
                draft.division,
                draft.package,
                encode(draft.answers),
                draft.begun_at_ms,
                draft.saved_at_ms,
                draft.last_field,
                encode(draft.files),
                draft.follows,
            ),
        )

    def get(self, document: bytes) -> Draft | None:
        """Return a draft by the id that its case will have."""
        found = self._read("document = ?", (document,))
        return found[0] if found else None

    def all(self) -> list[Draft]:
        """Return all drafts, the last saved first."""
        return self._read("1", ())

    def drop(self, document: bytes) -> None:
        """Remove a draft: it has become a case, or was thrown away by a person."""
        self._db.execute("DELETE FROM drafts WHERE document = ?", (document,))

    def _read(self, where: str, values: Sequence[object]) -> list[Draft]:
        return [
            Draft(
                *(row[0], row[1], row[2], row[3], row[4], _answers(row[5])),
                *(row[6], row[7], row[8], _files(row[9]), row[10]),
            )
            for row in self._db.execute(
                "SELECT document, nonce, number, division, package, answers, "
                "begun_at_ms, saved_at_ms, last_field, files, follows FROM drafts "
                f"WHERE {where} ORDER BY saved_at_ms DESC",
                values,
            )
        ]


def _answers(data: bytes) -> dict[str, str]:
    return decode(data, dict[str, str], limit_bytes=4 * 1024 * 1024)


def _files(data: bytes) -> tuple[str, ...]:
    return decode(data, tuple[str, ...], limit_bytes=1024 * 1024)
