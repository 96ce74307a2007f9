"""The contract of the store: who has which files of cases."""

from node.store import Store
from node.store.attachments import KeptFile, MaterialRow
from node.store.documents import Birth, DocumentRow
from sync.seal import sha256

ME, OTHER = b"m" * 16, b"o" * 16


def file(name: str) -> bytes:
    return sha256(name.encode())


def put_document(store: Store, document: bytes, scope: str) -> None:
    birth = Birth(b"a" * 24, (("materials", 3),), "p", "n", "x")
    store.documents.put([DocumentRow(document, scope, birth, (), b"")])


def test_a_file_is_missed_until_it_is_here_and_said_to_be(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        files.put_materials([MaterialRow(case_, file("a"), 9, OTHER, 1)], ME)
    assert files.missing_held_by(OTHER, 9) == [(file("a"), "330881105201")]
    assert files.missing_held_by(ME, 9) == files.unsaid(9) == []
    assert files.all_missing() == {file("a")}

    with store.transaction():
        files.put(KeptFile(file("a"), 9))
    assert files.missing_held_by(OTHER, 9) == [] and files.all_missing() == set()
    assert files.unsaid(9) == [("330881105201", case_, file("a"))]

    with store.transaction():
        files.put_holders(ME, "330881105201", [(case_, file("a"))])
        files.settle(ME, [case_])
    assert files.unsaid(9) == []
    assert files.held_by(ME, [case_]) == {(case_, file("a"))}

    with store.transaction():
        files.drop(file("a"))
    assert files.all_missing() == {file("a")}


def test_what_this_node_has_named_itself_need_not_be_said(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        files.put(KeptFile(file("a"), 9, "身份证.jpg", "image/jpeg", 5))
        files.put_materials([MaterialRow(case_, file("a"), 9, ME, 1)], ME)

    assert files.unsaid(9) == [] and files.all_missing() == set()
    assert files.held_by(ME, [case_]) == {(case_, file("a"))}


def test_a_claim_counts_only_in_the_scope_where_the_case_lives(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        files.put_holders(OTHER, "330881105202", [(case_, file("a"))])
        files.put_holders(OTHER, "330881105201", [(case_, file("b"))])
        put_document(store, case_, "330881105201")
        rows_ = [MaterialRow(case_, file(n), 9, b"x" * 16, 1) for n in "ab"]
        files.put_materials(rows_, ME)

    assert files.held_by(OTHER, [case_]) == {(case_, file("b"))}
    assert files.missing_held_by(OTHER, 9) == [(file("b"), "330881105201")]


def test_files_are_asked_for_by_the_age_of_their_cases(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        for number, entry in enumerate((30, 10, 20)):
            document = bytes([number]) * 16
            put_document(store, document, "330881105201")
            row = MaterialRow(document, file(str(number)), 9, OTHER, entry)
            files.put_materials([row], ME)

    found = [digest for digest, _ in files.missing_held_by(OTHER, 2)]
    assert found == [file("1"), file("2")]


def test_several_sizes_of_a_file_are_all_kept_and_one_row_twice_once(
    store: Store,
) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        for size, entry in ((9, 4), (7, 2), (9, 3)):
            files.put_materials([MaterialRow(case_, file("a"), size, OTHER, entry)], ME)

    assert files.sizes([file("a"), file("b")]) == {file("a"): {7, 9}}
    assert [(r.size_bytes, r.entry) for r in files.materials_of([case_])] == [
        (7, 2),
        (9, 3),
    ]
    store.documents.forget(case_)
    assert files.materials_of([case_]) == [] and files.all_missing() == set()


def test_the_name_by_which_a_file_was_taken_in_is_not_lost(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        files.put(KeptFile(file("a"), 9, "甲.pdf", "application/pdf", 5))
        files.put(KeptFile(file("a"), 9, kept_at_ms=7))
    assert files.get(file("a")) == KeptFile(
        file("a"), 9, "甲.pdf", "application/pdf", 5
    )
    assert files.unnamed(5) == [] and files.unnamed(6) == [file("a")]

    with store.transaction():
        files.put(KeptFile(file("a"), 9, "乙.pdf", "application/pdf", 8))
    assert next(iter(files.all())).name == "乙.pdf"


def test_what_a_neighbour_asks_for_replaces_what_it_asked_before(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        files.set_asked(OTHER, [(file("a"), 1), (file("b"), 2)])
        files.set_asked(ME, [(file("a"), 7)])
        files.set_asked(OTHER, [(file("b"), 3)])

    assert files.asked(OTHER) == {file("b"): 3} and files.asked(ME) == {file("a"): 7}
