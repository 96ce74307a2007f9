"""Giving a file or a paper out, to where a person has named."""

import os
from pathlib import Path

from node import attachments, audit
from node.cases import Case
from node.desks import desk_name
from node.errors import DiskFull, NotFound
from node.files import SHOWN_PATH, path_of, write_durably
from node.material import safe_name
from node.wiring import Node

MOST_NAMESAKES = 1000


def save(node: Node, case: Case, digest: str, number: int, folder: Path) -> Path:
    """Write a file of a case into `folder` and return its path; nothing there is
    replaced. That it left the home is written down first, to be answered for.

    What the file is called comes from whoever wrote the case, so it is made harmless;
    `number` stands in where no name is left.

    Raises:
        NotFound: no such folder, or the file is not here yet.
        StoreDamaged: it cannot be read; nothing of it is left in the folder.
        DiskFull: the folder does not take it.
        WriteForbidden: nothing can be written down now.
    """
    if node.store.attachments.get(bytes.fromhex(digest)) is None:
        raise NotFound("attachment", digest[:12])
    try:
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise NotFound("folder", folder.name) from error
    try:
        with node.store.transaction():
            note = digest[: audit.SUBJECT_LIMIT]
            about = case.row.number[: audit.SUBJECT_LIMIT]
            audit.record(node, audit.EXPORT, about, note=note, by=node.operator)
        name, handle = _make(inside, safe_name(case.materials[digest].name, number))
        try:
            with os.fdopen(handle, "wb") as out:
                for data in attachments.read(node, digest):
                    out.write(data)
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            os.unlink(name, dir_fd=inside)
            raise
    except OSError as error:
        raise DiskFull(f"a file was not written: {error.strerror}") from error
    finally:
        os.close(inside)
    return folder / name


def place_in(typed: str, name: str) -> Path:
    """Return the file that a person means: in a folder, the one called `name`.

    Raises:
        NotFound: it can be no path here.
    """
    try:
        path = path_of(typed, "folder")
        return path / name if path.is_dir() else path
    except (OSError, ValueError) as error:  # too long, or not ours to look into
        raise NotFound("folder", typed[:SHOWN_PATH]) from error


def printed_by(node: Node) -> str:
    """Return the foot of a paper: which desk has printed it, and when."""
    at = node.now().strftime("%Y-%m-%d %H:%M")
    return f"{desk_name(node.certificate)}　{at} 打印"


def save_paper(path: Path, data: bytes) -> None:
    """Write a paper that was made here, in place of what was there; all or nothing.

    Raises:
        NotFound: the folder is not there.
        DiskFull: it does not take the file.
    """
    try:
        if not path.parent.is_dir():
            raise NotFound("folder", path.parent.name)
        write_durably(path, data)
    except OSError as error:
        raise DiskFull(f"a paper was not written: {error.strerror}") from error


def _make(folder: int, name: str) -> tuple[str, int]:
    """Make a new file in an open folder, under this name or one like it."""
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for count in range(1, MOST_NAMESAKES):
        made = name if count == 1 else f"{stem} ({count}){dot}{ending}"
        try:
            return made, os.open(made, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
    raise DiskFull("the folder holds too many files of that name")
