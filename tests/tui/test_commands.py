"""Commands as a person runs them, in this process: what they say, and what they do."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from node import drafting, roster
from node.cases import open_case
from sync.errors import Revoked
from sync.identity import fingerprint_words
from tests.tui.desks import ELDER, ITEM, Desks, Line, enrolled, submit
from tests.tui.shell import Shell
from tui import labels


def put_out(desks: Desks) -> None:
    """Revoke the village, and let it hear so."""
    roster.revoke(desks.district, desks.village.certificate, "电脑被偷")
    desks.sync(desks.town)
    with pytest.raises(Revoked):
        desks.sync(desks.village)


def test_a_revoked_desk_is_told_so_wherever_it_looks(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    put_out(desks)
    stick = tmp_path / "stick"
    stick.mkdir()

    status = lianban(desks.village, "status")
    carried = lianban(desks.village, "carry", "in", str(stick))
    at_town = lianban(desks.town, "status")

    assert labels.REVOKED_HERE in status.out
    assert labels.REVOKED_HERE in carried.err
    lines = [one.split() for one in at_town.out.splitlines() if "耀里村" in one]
    assert lines[0] == ["耀里村", "已停用"]
    assert lines[1][0] == "拒收"
    assert "没有收下耀里村的数据包：那个站点已被停用。" in lines[1][-1]


def twice_rejoined(desks: Desks, lianban: Shell) -> str:
    """Let the village begin anew twice, as two copies of it would; return the words."""
    words = ""
    for _ in range(2):
        code = lianban(
            desks.town,
            *("invite", "--tier", "village", "--division", "330881105201"),
            *("--name", "耀里村", "--address", "127.0.0.1:1"),
        ).out.strip()
        Line.inviter = desks.town
        said = lianban(desks.village, "rejoin", code)
        assert said.code == 0
        words += said.err
    desks.sync(desks.town)
    return words


def test_a_revocation_names_all_desks_that_it_stops(
    desks: Desks, lianban: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice_rejoined(desks, lianban)
    revoke = ("node", "revoke", "耀里村2号机", "--reason", "电脑丢失")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    asked = lianban(desks.district, *revoke)
    is_stopped = desks.district.roster.is_revoked(desks.village.id)
    done = lianban(desks.district, *revoke, "--yes")
    listed = lianban(desks.district, "audit", "list").out.splitlines()

    everybody = "耀里村、耀里村2号机、耀里村3号机"
    assert (asked.code, is_stopped, done.code) == (130, False, 0)
    assert everybody in asked.err and "是按 y，否按 n" in asked.err
    assert "没有改动" in asked.err
    assert everybody in done.err
    assert everybody in listed[0]
    enrolled = [one for one in listed if "登记入名册" in one and "耀里村" in one]
    assert [one.split()[-1] for one in enrolled] == [
        "耀里村3号机",
        "耀里村2号机",
        "耀里村",
    ]


def test_one_of_two_desks_is_called_by_its_number(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    second = enrolled(
        desks.town, tmp_path / "two", "village", "330881105201", "耀里村", "王芳"
    )
    second.close()

    which = lianban(desks.town, "node", "show", "耀里村")
    first = lianban(desks.town, "node", "show", "耀里村1号机")
    other = lianban(desks.town, "node", "show", "耀里村2号机")

    assert which.code == 1
    assert "耀里村 对得上 2 个站点" in which.err and "耀里村2号机" in which.err
    assert fingerprint_words(desks.village.id) in first.out
    assert fingerprint_words(second.id) in other.out


def test_a_case_that_could_not_be_submitted_says_where_its_text_is(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    put_out(desks)
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps(ELDER))

    made = lianban(desks.village, "case", "new", ITEM, "--fields", str(fields))

    (draft,) = desks.village.store.drafts.all()
    assert made.code == 5
    assert labels.REVOKED_HERE in made.err
    assert f"都在草稿 {draft.id} 里" in made.err


def test_rejoin_says_how_drafts_are_called_now_and_finds_them_by_the_old_name(
    desks: Desks, lianban: Shell
) -> None:
    was = drafting.begin_draft(desks.village, ITEM, ELDER)

    said = twice_rejoined(desks, lianban)
    (now,) = desks.village.store.drafts.all()
    by_id = lianban(desks.village, "case", "show", was.id[:12])
    by_number = lianban(desks.village, "case", "show", was.number)
    made = lianban(desks.village, "case", "submit", was.id)
    after = lianban(desks.village, "case", "show", was.id)

    assert now.id != was.id
    assert f"{was.id[:12]}（{was.number}） → " in said
    assert f"→ {now.id[:12]}（{now.number}）" in said
    assert now.number in by_id.out and now.number in by_number.out
    assert made.out.strip() == now.id
    assert now.number in after.out


@pytest.mark.parametrize(
    ("tier", "division", "said"),
    [
        ("town", "330881105", "有 9 位，要 12 位数字。镇的是前 9 位加 3 个 0"),
        ("village", "330881105000", "不是这一级的。村的 12 位都是自己的"),
        ("town", "33088110520x", "不是这一级的。镇的是前 9 位加 3 个 0"),
    ],
)
def test_a_wrong_division_is_told_how_it_is_written(
    desks: Desks, lianban: Shell, tier: str, division: str, said: str
) -> None:
    done = lianban(
        desks.district,
        *("invite", "--tier", tier, "--division", division, "--name", "某地"),
        *("--address", "127.0.0.1:1"),
    )

    assert done.code == 1
    assert said in done.err


def test_a_stick_with_acknowledgements_only_says_what_has_arrived(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = submit(desks.village)
    stick = tmp_path / "stick"
    stick.mkdir()

    lianban(desks.village, "carry", "out", str(stick), "--to", "贺村镇")
    lianban(desks.town, "carry", "in", str(stick))
    home = lianban(desks.village, "carry", "in", str(stick))
    at_district = lianban(desks.district, "status")
    shown = lianban(desks.village, "case", "show", case.id)

    assert "带回了回执：1 件已到镇。" in home.err
    assert at_district.code == 0
    assert "到达  镇 已到" in shown.out


def test_a_draft_is_shown_without_how_far_it_has_come(
    desks: Desks, lianban: Shell
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)

    shown = lianban(desks.village, "case", "show", draft.id)
    told = lianban(desks.village, "case", "show", draft.id, "--json")

    assert "草稿" in shown.out
    assert "到达" not in shown.out
    assert json.loads(told.out)["sync"] == {"town": None, "district": None}


def test_what_is_shown_says_who_where_and_what_may_be_filled_in(
    desks: Desks, lianban: Shell
) -> None:
    case = submit(desks.village)

    shown = lianban(desks.village, "case", "show", case.id).out
    item = lianban(desks.village, "catalog", "show", ITEM).out
    usage = lianban(desks.village, "case", "show", "--help").out
    carry = lianban(desks.village, "carry", "out", "--help").out

    (happened,) = [line for line in shown.splitlines() if line.startswith("经过")]
    assert "耀里村  李秀英" in happened
    assert "female 女" in item
    assert "case show [选项] 办件" in usage
    assert "目录" in carry and "--volume-size 大小" in carry


def test_a_command_starts_without_the_screens() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import tui.commands.cases, sys; print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()

    assert "tui.commands.cases" in said
    assert not [name for name in said if name.partition(".")[0] == "textual"]


def test_a_notice_of_correction_is_written_for_one_case_only(
    desks: Desks, lianban: Shell
) -> None:
    one, other = submit(desks.village).id, submit(desks.village).id
    desks.sync(desks.village)

    said = lianban(desks.town, "case", "return", one, other, "--reason", "缺材料")

    assert said.code == 2 and "一件一件" in said.err
    states = [open_case(desks.town, case).story.state for case in (one, other)]
    assert states == ["submitted", "submitted"]
