"""What functions know of the evaluation that calls them. Pure: no I/O, no clock.

libxml2 passes no data of ours to a function, so it lies here, once for each thread. A
hook of the caller may evaluate another expression meanwhile, therefore it is put back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree

from forms.xpath.regex import MAX_STEPS
from forms.xpath.setting import Setting


class _Running(threading.local):
    setting = Setting()
    owner: etree._Element | None = None  # the element at which it runs
    regex_steps = 0  # how many more steps of regular expressions it may take


RUNNING = _Running()


@contextmanager
def running(setting: Setting, owner: etree._Element) -> Iterator[None]:
    """Make this the setting of the functions that are called inside."""
    before = RUNNING.setting, RUNNING.owner, RUNNING.regex_steps
    RUNNING.setting, RUNNING.owner, RUNNING.regex_steps = setting, owner, MAX_STEPS
    try:
        yield
    finally:
        RUNNING.setting, RUNNING.owner, RUNNING.regex_steps = before


def is_of_tree(element: etree._Element, owner: etree._Element | None) -> bool:
    """Tell whether libxml2 may be given an element.

    It would show us nodes of another tree whose document may be gone.
    """
    return (
        owner is not None
        and element.getroottree().getroot() is owner.getroottree().getroot()
    )
