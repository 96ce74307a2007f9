"""Functions of this field of work: what an id number tells. Pure: no I/O.

They have a prefix, since no standard knows them; the meaning is documented for those
who write forms. What is no id number (yet) tells nothing: the value is blank.
"""

from collections.abc import Callable
from datetime import date

from forms import citizen_id
from forms.text import narrow
from forms.xpath.function import Function, Type, Use, row
from forms.xpath.setting import Setting


def _told(tell: Callable[[str, date], object]) -> Callable[[Setting, str], str]:
    """Return a function that asks an id number, and is blank where it is none."""

    def work(setting: Setting, typed: str) -> str:
        number = "".join(narrow(typed).split()).upper()
        try:
            return str(tell(number, setting.now.date()))
        except ValueError:
            return ""

    return work


_born = _told(lambda number, _today: citizen_id.birth_date(number))
_sex = _told(lambda number, _today: citizen_id.sex(number))
_age = _told(citizen_id.age_on)

ROWS: list[Function] = [
    row("lianban:birth-date", "s", Type.DATE, _born),
    row("lianban:sex", "s", Type.STRING, _sex),
    row("lianban:age", "s", Type.STRING, _age, Use.TIME),
]
