"""Plain paths, as binds and questions name their nodes. Pure: no I/O."""

import re

MAX_PATH = 4_000
"""Most characters of a path with conditions; a longer one is no path."""

_STEP = re.compile(r"@?[^\W\d][\w.\-]*(:[^\W\d][\w.\-]*)?")
_CURRENT = re.compile(r"current\(\s*\)\s*/\s*")


_PREDICATE = re.compile(
    r"""\[(?:[^\[\]"']|"[^"]*"|'[^']*')*\]"""  # one with no other inside
)


def without_predicates(written: str) -> str:
    """Return a path without its conditions, those that are nested included."""
    if len(written) > MAX_PATH:
        return written
    while True:
        shorter = _PREDICATE.sub("", written)
        if shorter == written:
            return written
        written = shorter


def absolute(written: str, context: str) -> str | None:
    """Return the absolute path that is meant, seen from `context`.

    Returns:
        None: it is no plain path (it has predicates, functions or odd axes), or
        leads out of the document.
    """
    text = _CURRENT.sub("", written.strip(), count=1)
    steps = [] if text.startswith("/") else [s for s in context.split("/") if s]
    for step in (part.strip() for part in text.removeprefix("/").split("/")):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif _STEP.fullmatch(step):
            steps.append(step)
        elif step != ".":
            return None
    return "/" + "/".join(steps) if steps else None
