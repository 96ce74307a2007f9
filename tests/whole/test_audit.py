"""Who is put out, and what is written down, from the command line."""

from tests.whole.places import Places, submit_some, sync


def test_a_village_is_put_out_and_everybody_can_read_why(places: Places) -> None:
    district, town, village = places.every()
    with village.open() as node:
        (held,) = submit_some(node, 1, seed=1)
    for place in (village, town):
        sync(place)
    name = "三江口村"

    asked = district.run("node", "revoke", name, "--reason", "电脑丢了", stdin="n\n")
    wrong = town.run("node", "revoke", name, "--reason", "电脑丢了", "--yes")
    done = district.run("node", "revoke", name, "--reason", "电脑丢了", "--yes")
    sync(town)
    refused = village.run("sync")
    listed = town.read("node", "list")["nodes"]
    records = district.read("audit", "list")["records"]
    words = district.run("audit", "list").stdout.splitlines()

    assert (asked.returncode, wrong.returncode, done.returncode) == (130, 5, 0)
    assert "停用三江口村" in asked.stdout + asked.stderr
    assert refused.returncode == 5
    assert {n["name"]: n["revoked"] for n in listed}[name] is True
    assert records[0]["act"] == "revoke"
    assert (records[0]["note"], records[0]["by"]) == ("电脑丢了", "admin")
    assert "停用站点" in words[0] and "三江口村" in words[0] and "电脑丢了" in words[0]
    acts = [record["act"] for record in records]
    assert {"invite", "join", "enrol", "publish"} <= set(acts)
    assert any("朱林镇" in line and "开邀请码" in line for line in words)
    with district.open() as node:
        assert node.store.cases.get(bytes.fromhex(held)) is not None
