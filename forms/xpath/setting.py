"""What an expression may ask of the world, all given by the caller. Pure: no I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from random import Random

from lxml import etree

from forms.xpath.errors import NoValue


def _no_text(_id: str, _language: str) -> str:
    raise NoValue("这里没有多语言文字（jr:itext）")


def _no_table(_table: str, _column: str, _key_column: str, _key: str) -> str:
    raise NoValue("这里没有可查的数据表（pulldata）")


def _no_choices(_value: str, _path: str) -> str:
    raise NoValue("这里没有可查的选项（jr:choice-name）")


def _no_clock() -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The world of an expression.

    All elements named here must be in the same lxml tree as the node on which the
    expression is evaluated: libxml2 does not follow nodes of other documents.

    Attributes:
        now: aware, in the local zone; `today()` is its date.
        root: the root element of the primary instance. Absolute paths start above
            it, at its parent, which should have no other child; None, or an element
            without parent: at the document.
        instances: what `instance('id')` gives, so that `instance('id')/root/item`
            works: the element *around* `<root>`, which is `<instance>` in a form.
        current: what `current()` gives; None: the context node.
        language: the language on the screen, for `itext`, and for names of months.
        itext: (id, language) -> the text, or its `<value>` nodes.
        pull: (table, column, key column, key) -> the cell, "" if there is none.
        choice_name: (value, path of the question) -> the label of the choice.
        random: source of `random()`, `uuid()`, and of `randomize()` without a seed.
    """

    now: datetime = field(default_factory=_no_clock)
    root: etree._Element | None = None
    instances: Mapping[str, etree._Element] = field(default_factory=dict)
    current: etree._Element | None = None
    language: str = ""
    itext: Callable[[str, str], str | Sequence[etree._Element]] = _no_text
    pull: Callable[[str, str, str, str], str] = _no_table
    choice_name: Callable[[str, str], str] = _no_choices
    random: Random = field(default_factory=lambda: Random(0))

    @property
    def zone(self) -> tzinfo:
        """The zone in which dates begin."""
        return self.now.tzinfo or UTC
