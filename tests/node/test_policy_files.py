"""Which files a case may name, and how large they may be, as receivers judge."""

from node import upkeep
from node.cases import open_case
from tests.node.forge import (
    copy_of,
    file_text,
    item_of,
    put_entries,
    put_entry,
)
from tests.node.nodes import (
    ELDER,
    VILLAGE,
    Three,
    causes,
    shared_digests,
    submit,
    sync,
    sync_all,
)


def test_a_material_is_written_once(nodes: Three) -> None:
    case = submit(nodes.village).id
    copy = copy_of(nodes.village, case)
    files = {"a" * 64: file_text(9)}
    first = copy.write(nodes.village, "amend", more={"materials": files})
    files = {"a" * 64: file_text(8)}
    second = copy.write(nodes.village, "amend", more={"materials": files})

    put_entries(nodes.village, [(copy.id, first), (copy.id, second)])
    sync(nodes.village, nodes.town)

    assert causes(nodes.town) == ["field"]
    assert open_case(nodes.town, case).materials["a" * 64].size == 9


def test_the_sum_of_a_case_counts_what_its_author_knew(nodes: Three) -> None:
    item = item_of(nodes.village, ELDER)
    half = item.case_limit_bytes // 2
    assert half > item.file_limit_bytes
    case = submit(nodes.village).id
    sync_all(nodes)
    count = half // item.file_limit_bytes
    for node, digit in ((nodes.village, "a"), (nodes.town, "b")):
        # Each by itself is within the limit, and so is what both have added at once.
        copy = copy_of(node, case)
        files = {
            f"{digit}{n:063x}": file_text(item.file_limit_bytes) for n in range(count)
        }
        raw = copy.write(node, "amend", more={"materials": files})
        put_entry(node, copy.id, raw, scope=VILLAGE)
    sync_all(nodes)
    assert causes(nodes.district) == []

    # What follows knows of both; it is one byte too much.
    upkeep.rebuild(nodes.town)  # what it forged is in its own document then
    copy = copy_of(nodes.town, case)
    size = item.case_limit_bytes - 2 * count * item.file_limit_bytes
    files = {"c" * 64: file_text(size + 1)}
    assert size + 1 <= item.file_limit_bytes
    put_entry(
        nodes.town,
        copy.id,
        copy.write(nodes.town, "amend", more={"materials": files}),
        scope=VILLAGE,
    )
    sync_all(nodes)

    assert causes(nodes.district) == ["field"]


def test_the_limits_of_files_are_judged_alike_in_one_run_and_one_by_one(
    nodes: Three,
) -> None:
    item = item_of(nodes.village, ELDER)
    case = submit(nodes.village).id
    sync(nodes.village, nodes.town)
    copy = copy_of(nodes.village, case)
    for number in range(item.case_limit_bytes // item.file_limit_bytes + 1):
        files = {f"{number:064x}": file_text(item.file_limit_bytes)}
        raw = copy.write(nodes.village, "amend", more={"materials": files})
        put_entry(nodes.village, copy.id, raw)
        sync(nodes.village, nodes.town)
    sync(nodes.town, nodes.district)

    assert causes(nodes.town) == causes(nodes.district) == ["field"]
    assert shared_digests(nodes.town, nodes.district)
