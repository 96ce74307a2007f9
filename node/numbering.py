"""The numbers that a node gives to cases and batches; none is ever given twice."""

from node.batches import batch_id
from node.wiring import Node


def next_number(node: Node) -> str:
    """Return the next case number 办件编号 of this node: it is never used twice.

    12 digits division, 6 digits date, 2 digits terminal, 4 digits count of the day,
    1 check character (ISO 7064 MOD 11-2 over the digits).
    """
    day, terminal = _day(node), f"{node.certificate.terminal:02d}"
    while True:
        count = node.store.registry.next_count(f"case/{day}")
        digits = f"{node.certificate.division}{day}{terminal}{count:04d}"
        number = digits + check_character(digits)
        # A restored backup counts from where it was.
        if not node.store.cases.has_number(number):
            return number


def is_ours(node: Node, number: str) -> bool:
    """Say whether a number was counted at our terminal: a copy of this node may have
    given one from before we began anew.
    """
    return number[18:20] == f"{node.certificate.terminal:02d}"


def next_batch_number(node: Node) -> str:
    """Return the next batch number 批次编号: place, day, and the count of the day."""
    day, terminal = _day(node), node.certificate.terminal
    # The first desk of a place needs no number.
    series = "B" if terminal == 1 else f"{terminal:02d}B"
    while True:
        count = node.store.registry.next_count(f"batch/{day}")
        number = f"{node.certificate.division[:9]}-{day}-{series}{count:03d}"
        if not node.store.registry.has_batch(batch_id(node.id, number)):
            return number


def check_character(digits: str) -> str:
    """Return the ISO 7064 MOD 11-2 check character of a string of digits."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def _day(node: Node) -> str:
    return node.today().strftime("%y%m%d")
