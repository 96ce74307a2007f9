"""What happened, as JSON lines, without personal data.

Only the keys of `ALLOWED` are ever written, whatever a caller passes; so a name or
an id number cannot get in by mistake. Two old files are kept.
"""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict

ALLOWED = {
    "event",
    "level",
    "timestamp",
    "address",
    "cause",
    "entries",
    "failures",
    "peer",
    "received",
    "requests",
    "sent",
}
FILE_LIMIT_BYTES = 1024 * 1024
OLD_FILES = 2


def log_to(path: Path) -> None:
    """Send all events of this process to a file."""
    handler = RotatingFileHandler(
        path, maxBytes=FILE_LIMIT_BYTES, backupCount=OLD_FILES, encoding="utf-8"
    )
    path.chmod(0o600)
    logger = logging.getLogger("lianban")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _only_allowed(_: Any, __: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key in ALLOWED}


def cause_of(error: Exception) -> str:
    """Return what went wrong and where, without any value: those may be personal."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = frame.tb_frame.f_code.co_qualname if frame else "?"
    return f"{type(error).__name__} in {where}:{frame.tb_lineno if frame else 0}"
