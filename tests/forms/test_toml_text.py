from hypothesis import given, settings
from hypothesis import strategies as st

from forms.catalog import read_entries, shipped
from forms.catalog.reader import Entry
from forms.catalog.text import remark_of, write_item
from forms.catalog.toml import read_item
from tests.forms.entries import entries

REMARKS = st.lists(st.text(st.sampled_from("甲a #\\\"'")), max_size=3).map(
    lambda lines: "\n".join(line.rstrip() for line in lines)
)


@given(entry=entries(), remark=REMARKS)
@settings(deadline=None, max_examples=60)
def test_any_item_is_read_as_it_was_written(entry: Entry, remark: str) -> None:
    text = write_item(entry, remark)

    reading = read_item(text)

    assert reading.faults == []
    assert reading.entry == entry
    assert remark_of(text) == remark


def test_the_items_that_ship_are_read_as_they_were_written() -> None:
    for entry in read_entries(shipped()):
        assert read_item(write_item(entry)).entry == entry


def test_a_written_item_looks_like_one_that_a_person_wrote() -> None:
    entry = next(e for e in read_entries(shipped()) if e.form == "property_transfer.md")

    lines = write_item(entry, "A remark.").split("\n")

    assert lines[:2] == ["# A remark.", 'version = "2026112101"']
    assert 'guide = """' in lines
    assert "[[fee]]" in lines and "[[step]]" in lines
    assert "required = true" not in lines  # what has its default is left out
