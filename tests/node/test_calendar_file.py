"""The table of days that an office writes in a spreadsheet."""

from datetime import date

import pytest

from node.calendar_file import FILE_LIMIT_BYTES, MOST_LINES, read_tables
from node.calendar_source import known_tables
from node.errors import CalendarRefused
from node.workdays import Calendar, Day, YearTable, fault_of

NOTICE_2026 = """日期,类型,名称
2026-01-01,休,元旦
2026-01-02,休,元旦
2026-01-03,休,元旦
2026-01-04,班,元旦
2026/2/14,班,春节
2026年2月28日,班,春节
2026-02-16,休,春节
2026-02-17,休,春节
2026-02-18,休,春节
2026-02-19,休,春节
2026-02-20,休,春节
2026-02-23,休,春节
2026-04-06,休,清明节
2026-05-01,休,劳动节
2026-05-04,休,劳动节
2026-05-05,休,劳动节
2026-05-09,班,劳动节
2026-06-19,休,端午节
２０２６-09-20,班,国庆节
2026-09-25,休,中秋节
2026-10-01,休,国庆节
2026-10-02,休,国庆节
2026-10-05,休,国庆节
2026-10-06,休,国庆节
2026-10-07,休,国庆节
2026-10-10,班,国庆节
"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(CalendarRefused) as refused:
        read_tables(text.encode(), "本区")
    return [(one.line, one.why) for one in refused.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_that_a_spreadsheet_saved_is_the_year_of_the_package(
    encoding: str,
) -> None:
    data = NOTICE_2026.replace("\n", "\r\n").encode(encoding)

    (table,) = read_tables(data, "国办发明电〔2025〕")

    (known,) = known_tables(2026)
    assert [d.on for d in table.rest] == [d.on for d in known.rest]
    assert [d.on for d in table.work] == [d.on for d in known.work]
    assert table.source == "国办发明电〔2025〕"
    assert fault_of(table) == ""


def test_a_file_of_two_years_gives_two_tables() -> None:
    text = NOTICE_2026 + "2024-01-01,休\n"

    tables = read_tables(text.encode(), "本区")

    assert [table.year for table in tables] == [2024, 2026]
    assert not Calendar(tables).is_workday(date(2024, 1, 1))


WRONG = {
    "no date": ("2026-02-30,休,春节", "date"),
    "a year of long ago": ("1026-02-14,班,春节", "date"),
    "another word": ("2026-04-07,假,春节", "kind"),
    "one column": ("2026-04-07", "columns"),
    "four columns": ("2026-04-07,休,春节,国办", "columns"),
    "the same day again": ("2026-10-10,班", "twice"),
    "worked anyway": ("2026-03-02,班", "working"),
    "a name without end": ("2026-04-07,休," + "春" * 21, "name"),
    "a name that turns the line": ("2026-04-07,休,\u202e春节", "name"),
    "a quotation mark left open": ('"2026-04-07,休,春节', "columns"),
}


@pytest.mark.parametrize(("line", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_named_by_its_number(line: str, why: str) -> None:
    assert faults(NOTICE_2026 + "\n" + line + "\n") == [(29, why)]


def test_all_faults_are_named_at_once() -> None:
    text = NOTICE_2026 + "".join(f"{line}\n" for line, _ in WRONG.values())

    assert [why for _, why in faults(text)] == [why for _, why in WRONG.values()]


def test_a_file_that_was_cut_off_is_refused() -> None:
    """What it lacks would be worked all over the district."""
    # 2026-10-03 is a Saturday.
    assert faults(NOTICE_2026[:300]) == [(0, "fixed"), (0, "fixed")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        ("日期,类型,名称\n".encode(), "empty"),
        (b"\xff\xfe\x00", "unreadable"),
        (b"PK\x03\x04\x00\x00", "unreadable"),
        (b"x" * (FILE_LIMIT_BYTES + 1), "unreadable"),
        (b"\n" * (MOST_LINES + 1), "too-many"),
    ],
)
def test_what_is_no_table_is_refused_as_such(data: bytes, why: str) -> None:
    with pytest.raises(CalendarRefused) as refused:
        read_tables(data, "本区")

    assert [one.why for one in refused.value.faults] == [why]


# -- what no table can be ------------------------------------------------------------

MONDAY, SATURDAY = Day(date(2026, 3, 2), "休"), Day(date(2026, 3, 7), "班")
HOSTILE = {
    "a year of nobody's": YearTable(9999, (), (), "x"),
    "a year before all": YearTable(-1, (), (), "x"),
    "400 days": YearTable(2026, (MONDAY,) * 400, (), "x"),
    "the same day twice": YearTable(2026, (MONDAY, MONDAY), (), "x"),
    "days out of order": YearTable(2026, (Day(date(2026, 3, 3), ""), MONDAY), (), "x"),
    "a day of another year": YearTable(2027, (MONDAY,), (), "x"),
    "a free Saturday": YearTable(2026, (SATURDAY,), (), "x"),
    "a worked Monday": YearTable(2026, (), (MONDAY,), "x"),
    "a name without end": YearTable(2026, (Day(MONDAY.on, "春" * 21),), (), "x"),
    "a name that obeys nobody": YearTable(2026, (Day(MONDAY.on, "\x1b[2J"),), (), "x"),
    "no source": YearTable(2026, (), (), ""),
    "a source without end": YearTable(2026, (), (), "x" * 61),
}


@pytest.mark.parametrize("table", HOSTILE.values(), ids=HOSTILE)
def test_a_table_that_cannot_be_is_none(table: YearTable) -> None:
    assert fault_of(table)


def test_all_years_of_the_package_can_be_tables() -> None:
    assert [fault_of(table) for table in known_tables(2004)] == [""] * 23
