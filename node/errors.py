"""What can go wrong at a service point. One class for each decision of a caller."""

from collections.abc import Sequence
from dataclasses import dataclass


class NodeError(Exception):
    """Base of everything that `node` raises on purpose."""


class StepRefused(NodeError):
    """A step may not be taken: wrong state, wrong tier, or a reason is missing."""

    def __init__(
        self,
        case: str,
        state: str,
        step: str,
        why: str,
        allowed: Sequence[str] = (),
        tier: str = "",
        about: str = "",
    ) -> None:
        """Keep the facts, so that a screen can say it in Chinese.

        `why` is one of the keys of `REFUSALS` in `node.rights`, `tier` the one whose
        step it is, where that is known and another; `about` what of `node.facts` is
        missing or wrong, where that is why.
        """
        self.tier, self.about = tier, about
        self.case, self.state, self.step = case, state, step
        self.why, self.allowed = why, tuple(allowed)
        super().__init__(
            f"case {case} is {state}; {step!r} is refused ({why}); possible: "
            f"{', '.join(allowed) or 'nothing'}; nothing was changed"
        )


class ResultUnusable(NodeError):
    """A case is to build on the result of another, and cannot; nothing was written."""

    def __init__(self, number: str, item: str, wanted_by: str, why: str) -> None:
        """Keep the number and the item of the other case, the item of the new one, and
        why: "not-granted" or "not-taken".
        """
        self.number, self.item, self.wanted_by = number, item, wanted_by
        self.why = why
        super().__init__(
            f"the result of case {number} cannot be a paper of {wanted_by!r} ({why}); "
            "nothing was changed"
        )


class AnswersWrong(NodeError):
    """A form cannot be submitted as it is filled in; the draft is kept."""

    def __init__(self, problems: Sequence[tuple[str, str, str]]) -> None:
        """Keep (field key, label, message) for each fault."""
        self.problems = tuple(problems)
        keys = ", ".join(key for key, _, _ in problems)
        super().__init__(f"{len(problems)} fields are not right: {keys}")


CASE_WAITS = "case that waits for "


class NotFound(NodeError):
    """Nothing here has that name.

    A case that has come and cannot be read yet is a `what` of `CASE_WAITS` and a word
    for what it waits for.
    """

    def __init__(self, what: str, name: str) -> None:
        """Keep the kind of thing and what was asked for."""
        self.what, self.name = what, name
        super().__init__(f"no {what} {name!r} on this node; nothing was changed")


FILE_FAULTS: dict[str, str] = {
    "too-large": "more bytes than the item, or this program, allows",
    "empty": "there is nothing in it",
    "no-file": "a folder, a device or a pipe",
    "no-picture": "called like a picture and none",
    "picture-damaged": "a picture that is cut off or cannot be read",
    "picture-too-large": "a picture of too many pixels",
    "changed": "somebody wrote to it while it was read",
}
"""Why a file is refused: the word that travels in FileRefused, and what it means."""


class FileRefused(NodeError):
    """A file cannot be attached; nothing of it was stored."""

    def __init__(self, why: str, limit: int = 0) -> None:
        """Keep the reason, a key of `FILE_FAULTS`, and the limit if it is one: in
        bytes, or in pixels. What the file is called may name a person; so it is for
        the screen alone.
        """
        self.why, self.limit = why, limit
        self.name = ""
        super().__init__(f"a file is refused: {FILE_FAULTS[why]}; nothing was stored")


class Ambiguous(NodeError):
    """More than one thing fits; say more of its name."""

    def __init__(self, what: str, name: str, count: int) -> None:
        """Keep how many things fit."""
        self.what, self.name, self.count = what, name, count
        super().__init__(f"{count} {what}s fit {name!r}; nothing was changed")


class WrongPassword(NodeError):
    """The operator or the password is not right; nothing was opened."""


class LockedOut(NodeError):
    """Too many wrong passwords; wait."""

    def __init__(self, wait_s: int) -> None:
        """Keep how long to wait."""
        self.wait_s = wait_s
        super().__init__(f"too many wrong passwords; try again in {wait_s} s")


class HomeMissing(NodeError):
    """There is no node in this folder."""

    def __init__(self, path: str) -> None:
        """Keep the folder."""
        self.path = path
        super().__init__(f"{path} holds no node; run `lianban init` or `lianban join`")


class HomeTaken(NodeError):
    """The folder holds a node already."""

    def __init__(self, path: str) -> None:
        """Keep the folder."""
        self.path = path
        super().__init__(f"{path} holds a node already; nothing was changed")


class StoreBusy(NodeError):
    """Another process holds the store longer than we wait; try again."""


class DiskFull(NodeError):
    """The disk is full or refuses writes; nothing of this step was stored."""


class StoreDamaged(NodeError):
    """The database cannot be read as what it should be."""


class PackageDamaged(StoreDamaged):
    """What lies here of a published item is not what was published."""

    def __init__(self, name: str, code: str, version: str, digest: str) -> None:
        """Keep which; its name and code are those of the list, not of the bytes."""
        self.name, self.code, self.version = name, code, version
        self.digest = digest
        super().__init__(
            f"package {digest[:12]} of {name} ({code}, version {version}) is not what "
            "was published; it was not used, nothing was changed; `lianban rebuild` "
            "makes it again from the entries"
        )


class NoEncryption(NodeError):
    """No encrypting SQLite exists for this machine; `--plain` must be said."""


class WriteForbidden(NodeError):
    """This node may not write now: it has been put back to an older state."""


class Forked(WriteForbidden):
    """This node may not write: its data were copied, and both copies wrote on."""


class RevokedHere(WriteForbidden):
    """This node has been revoked: what it would write now nobody would take."""


class InviteRefused(NodeError):
    """An enrolment code does not fit, is used up, or is too old."""

    def __init__(self, why: str) -> None:
        """Keep the reason: a word that `tui.fault_words` knows."""
        self.why = why
        super().__init__(f"enrolment refused: {why}; nothing was changed")


RECEIPT_FAULTS: dict[str, str] = {
    "unreadable": "no whole code stands there",
    "pdf": "a PDF shows its code to a scanner, not to us",
    "unknown": "the signer is not in the roster",
    "signature": "the signature does not hold: mistyped, or changed",
    "changed": "the text of the paper is not what was signed",
    "revoked": "the signer was revoked, and nothing here says the same",
    "kind": "no such paper is known",
    "item": "the item is not known here, so neither is who may decide it",
    "tier": "the signer's tier may not say that",
    "elsewhere": "the signer does not speak for that place",
}
"""Why a paper is not believed: the word in ReceiptRefused, and what it means."""


class ReceiptRefused(NodeError):
    """A paper or its code proves nothing."""

    def __init__(self, why: str) -> None:
        """Keep the reason, a key of `RECEIPT_FAULTS`."""
        self.why = why
        super().__init__(f"the paper is not believed: {RECEIPT_FAULTS[why]}")


HISTORY_FAULTS: dict[str, str] = {
    "unreadable": "a line is not what such a file holds",
    "too-large": "no case has so much",
    "format": "it is of a newer program",
    "district": "it is of another district, by its root key",
    "certificate": "nobody whom the district knows has issued that certificate",
    "author": "there is no certificate of the author of an entry",
    "chain": "the chain of hashes does not lead here: something was changed before",
    "payload": "what the entry holds is not what was signed, or not of this case",
    "left-out": "the entry is of the case, and what it holds was taken out",
    "signature": "the author's signature does not hold",
    "revoked": "the author had been revoked before",
    "before": "an entry on which this one builds is lacking",
    "lacking": "not all entries that were put into it are there",
    "maker": "there is no certificate of whoever has made the file",
    "seal": "the maker's signature over the whole file does not hold",
}
"""Why a history is not believed: the word in HistoryRefused, and what it means."""


class HistoryRefused(NodeError):
    """A file with the history of a case proves nothing."""

    def __init__(
        self,
        why: str,
        *,
        line: int = 0,
        node: bytes = b"",
        name: str = "",
        sequence: int = 0,
    ) -> None:
        """Keep the reason, a key of `HISTORY_FAULTS`, and where: the line of the file,
        or the author (`name` where his certificate is there) and number of the entry.
        """
        self.why, self.line = why, line
        self.node, self.name, self.sequence = node, name, sequence
        where = f"line {line}" if line else f"entry {sequence} of {node.hex()[:16]}"
        super().__init__(
            f"the history is not believed ({where}): {HISTORY_FAULTS[why]}; "
            "nothing was changed"
        )


class DivisionWrong(NodeError):
    """A division is not one of the tier that it was said to be of."""

    def __init__(self, tier: str, division: str) -> None:
        """Keep both."""
        self.tier, self.division = tier, division
        super().__init__(f"{division[:40]!r} is not the division of a {tier}")


class NotAllowed(NodeError):
    """This node's certificate does not allow that."""

    def __init__(self, what: str) -> None:
        """Keep what was attempted."""
        self.what = what
        super().__init__(f"{what}: this node has no right to; nothing was changed")


class PeerImpossible(NodeError):
    """A neighbour cannot be visited, or left, as it was asked."""

    def __init__(self, why: str) -> None:
        """Keep the reason: a word that `tui.messages` knows."""
        self.why = why
        super().__init__(f"neighbour: {why}; nothing was changed")


class AddressTaken(NodeError):
    """The server cannot listen at an address."""

    def __init__(self, address: str, why: str) -> None:
        """Keep the address and what the system said."""
        self.address, self.why = address, why
        super().__init__(f"cannot listen at {address}: {why}")


class StickTrouble(NodeError):
    """A stick cannot be read or written; what was done on it before stands."""

    def __init__(self, why: str, folder: str) -> None:
        """Keep the reason, a word that `tui.fault_words` knows, and where it was."""
        self.why, self.folder = why, folder
        super().__init__(f"{folder}: {why}; nothing of this node was lost")


class CalendarSourceMissing(NodeError):
    """The package that knows the holidays is not installed here."""

    def __init__(self) -> None:
        """Say what can be done instead."""
        super().__init__(
            "chinesecalendar is not installed; nothing was published; install the "
            "extra `author`, or publish from a file"
        )


class NoCalendarYear(NodeError):
    """The source of the working calendar knows none of the years asked for."""

    def __init__(self, year: int) -> None:
        """Keep the first year that was asked for."""
        self.year = year
        super().__init__(f"no calendar of {year} is known; nothing was published")


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with a line of a file; `why` is a key of `CALENDAR_FAULTS`.

    `line` is 0 where it is no single line; `text` is what stands there.
    """

    line: int
    why: str
    text: str = ""


CALENDAR_FAULTS: dict[str, str] = {
    "missing": "there is no such file, or it may not be read",
    "unreadable": "it is no text, or larger than a calendar can be",
    "empty": "no day stands in it",
    "too-many": "more lines than a few years have",
    "columns": "it has not two or three columns",
    "date": "the first column is no date",
    "kind": "the second column is neither 休 nor 班",
    "name": "the name is too long, or holds what is no letter",
    "twice": "the day stands in another line already",
    "working": "a day of Monday to Friday is worked anyway",
    "fixed": "a statutory day is missing, so the file is not whole",
}
"""Why a file of days is refused."""


class CalendarRefused(NodeError):
    """A file of days cannot be published; nothing was."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        """Keep all faults, by line."""
        self.faults = tuple(faults)
        super().__init__(f"the calendar has {len(faults)} faults; nothing was changed")
