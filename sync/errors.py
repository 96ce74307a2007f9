"""What can go wrong between two copies. One class for each decision of a caller."""


class SyncError(Exception):
    """Base of everything that `sync` raises on purpose."""


class PeerFault(SyncError):
    """What the peer sent does not hold. Nothing of it was stored."""


class Malformed(PeerFault):
    """Bytes are not the canonical encoding of what was expected."""

    def __init__(self, what: str, why: str) -> None:
        """Keep `what` was read and `why` it was refused."""
        self.what, self.why = what, why
        super().__init__(f"{what}: {why}; nothing was stored")


class NotTrusted(PeerFault):
    """A signature, a key or a right does not hold."""

    def __init__(self, what: str, why: str) -> None:
        """Keep `what` was judged and `why` it was refused."""
        self.what, self.why = what, why
        super().__init__(f"{what}: {why}; nothing was stored")


class Ahead(PeerFault):
    """Something before it is not here yet: it is good, and comes too early."""

    def __init__(self, what: str, held: int) -> None:
        """Keep `what` came, and how far this node holds."""
        self.what, self.held = what, held
        super().__init__(f"{what}: this node holds up to {held}; nothing was stored")


class ScopeNotShared(NotTrusted):
    """A peer has come with a scope that it, its author, or this node does not hold."""

    def __init__(self, what: str, scope: str, why: str) -> None:
        """Keep the scope: whoever asks for what is not his is written down."""
        self.scope = scope
        super().__init__(what, why)


class Revoked(NotTrusted):
    """A bundle is from a node that has been revoked; it may not speak any more."""

    def __init__(self, node: bytes) -> None:
        """Keep which node it is."""
        self.node = node
        super().__init__("bundle", f"node {node.hex()} has been revoked")


class NotForUs(PeerFault):
    """A bundle is addressed to another node; it stays unopened."""

    def __init__(self, recipient: str) -> None:
        """Keep the node that the bundle is for."""
        self.recipient = recipient
        super().__init__(f"the bundle is for node {recipient}; it was not opened")


class TooNew(PeerFault):
    """The peer speaks a newer format; keep the bytes and upgrade this node."""

    def __init__(self, what: str, version: int, known: int) -> None:
        """Keep which format was met and which is known here."""
        self.what, self.version, self.known = what, version, known
        super().__init__(
            f"{what} has format {version}, this node knows up to {known}; "
            "nothing was opened; upgrade this node"
        )


class ChangeRefused(SyncError):
    """A change may not come near the library; a pure verdict over its bytes."""

    def __init__(self, cause: str, detail: str) -> None:
        """Keep the `cause` (a word for tables) and the `detail` (for people)."""
        self.cause, self.detail = cause, detail
        super().__init__(f"{cause}: {detail}")


class DocumentDamaged(SyncError):
    """A stored snapshot cannot be read; rebuild it from the entries."""


class PeerUnreachable(SyncError):
    """No answer came; try again later, nothing was lost."""

    def __init__(self, url: str, why: str) -> None:
        """Keep where and why, in words for a person."""
        self.url, self.why = url, why
        self.was_heard = False
        """Whether something of the peer came before the line failed."""
        super().__init__(f"{url}: {why}; nothing was lost, try again later")


class PeerRefused(SyncError):
    """The peer answered, and said no."""

    def __init__(self, url: str, status: int, why: str, retry_after_s: int = 0) -> None:
        """Keep the HTTP status, the peer's sentence, and how long to leave it alone."""
        self.url, self.status, self.why = url, status, why
        self.retry_after_s = retry_after_s
        super().__init__(f"{url} refused ({status}): {why}")
