"""Keys at rest: who may open a home."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest

from node import enrol, vault
from node.errors import LockedOut, StoreDamaged, WrongPassword
from node.vault import Cost, Keys, VaultFile
from node.wiring import open_node
from sync import seal
from tests.node.nodes import CHEAP, DISTRICT, OPERATOR, PASSWORD, Three

KEYS = Keys(bytes(range(32)), is_plain=False)
RECOVERY = bytes(range(1, 33))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "vault.json"
    vault.keep(
        made,
        KEYS,
        "王芳",
        "对的",
        recovery_key=seal.public_seal_key(RECOVERY),
        cost=CHEAP,
    )
    return made


def wrong(path: Path, at_s: float = 1000.0) -> None:
    with pytest.raises(WrongPassword):
        vault.unlock(path, "王芳", "错的", lambda: at_s)


def test_the_right_password_opens_and_no_other(path: Path) -> None:
    assert vault.unlock(path, "王芳", "对的") == KEYS
    for operator, password in (("王芳", ""), ("王芳", "对的 "), ("李强", "对的")):
        with pytest.raises(WrongPassword):
            vault.unlock(path, operator, password)


def test_the_file_names_nobody_and_shows_no_key(path: Path) -> None:
    data = path.read_bytes()

    for encoding in ("utf-8", "gbk", "utf-16-le"):
        assert "王芳".encode(encoding) not in data
    assert KEYS.root.hex().encode() not in data.lower()


def test_the_recovery_key_opens_what_a_forgotten_password_closed(path: Path) -> None:
    file = msgspec.json.decode(path.read_bytes(), type=VaultFile)

    opened = seal.unseal(RECOVERY, b"lianban/recovery", bytes.fromhex(file.recovery))

    assert opened == KEYS.root


def test_the_district_can_recover_a_village(nodes: Three) -> None:
    file = msgspec.json.decode(nodes.village.home.vault.read_bytes(), type=VaultFile)
    recovery_key = nodes.district.secrets.recovery_key

    root = seal.unseal(recovery_key, b"lianban/recovery", bytes.fromhex(file.recovery))

    assert root == nodes.village.keys.root


def test_the_sixth_try_waits_and_a_restart_does_not_help(path: Path) -> None:
    for _ in range(vault.FREE_TRIES):
        wrong(path)

    with pytest.raises(LockedOut) as locked:
        vault.unlock(path, "王芳", "对的", lambda: 1001.0)

    assert 0 < locked.value.wait_s <= vault.FIRST_WAIT_S
    assert vault.unlock(path, "王芳", "对的", lambda: 1061.0) == KEYS


def test_each_further_try_waits_twice_as_long_up_to_an_hour(path: Path) -> None:
    at_s, waits = 1000.0, []
    for _ in range(vault.FREE_TRIES - 1):
        wrong(path, at_s)
    for _ in range(9):
        wrong(path, at_s)
        with pytest.raises(LockedOut) as locked:
            vault.unlock(path, "王芳", "对的", partial(float, at_s))
        waits.append(locked.value.wait_s - 1)
        at_s += waits[-1] + 1

    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_putting_the_clock_back_does_not_shorten_the_wait(path: Path) -> None:
    for _ in range(vault.FREE_TRIES):
        wrong(path)

    with pytest.raises(LockedOut):
        vault.unlock(path, "王芳", "对的", lambda: -(10.0**9))


def test_whoever_has_waited_as_long_as_was_said_may_try_again(path: Path) -> None:
    two_years_s = 2 * 365 * 86400.0
    for _ in range(vault.FREE_TRIES):
        wrong(path, 1000.0 + two_years_s)

    with pytest.raises(LockedOut) as locked:
        vault.unlock(path, "王芳", "对的", lambda: 1000.0)

    later_s = 1000.0 + locked.value.wait_s + 1
    assert vault.unlock(path, "王芳", "对的", lambda: later_s) == KEYS


def test_tries_that_run_side_by_side_all_count(path: Path) -> None:
    """A second try that reads the count before the first has written it is free."""
    all_ready = threading.Barrier(4)

    def guess() -> None:
        all_ready.wait()
        wrong(path)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(guess) for _ in range(4)]:
            done.result()

    file = msgspec.json.decode(path.read_bytes(), type=VaultFile)
    assert file.failures == 4


def test_a_right_password_forgets_the_wrong_ones(path: Path) -> None:
    for _ in range(3):
        wrong(path)
    vault.unlock(path, "王芳", "对的")

    for _ in range(vault.FREE_TRIES - 1):
        wrong(path)
    assert vault.unlock(path, "王芳", "对的") == KEYS


def test_a_second_operator_and_a_new_password(path: Path) -> None:
    vault.add_operator(path, KEYS, "李强", "另一个", CHEAP)
    vault.add_operator(path, KEYS, "王芳", "新的", CHEAP)

    assert vault.unlock(path, "李强", "另一个") == KEYS
    assert vault.unlock(path, "王芳", "新的") == KEYS
    wrong(path)
    with pytest.raises(WrongPassword):
        vault.unlock(path, "王芳", "对的")


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\x00", b'{"format":1}'])
def test_a_file_that_is_no_vault_is_said_to_be_none(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    with pytest.raises(StoreDamaged):
        vault.unlock(path, "王芳", "对的")


@pytest.mark.parametrize("field", ["name_key", "salt", "wrapped"])
def test_a_damaged_vault_is_said_to_be_damaged(path: Path, field: str) -> None:
    text = path.read_text()
    at = text.index('"', text.index(f'"{field}"') + len(field) + 2) + 1

    path.write_text(text[:at] + "zz" + text[at + 2 :])

    with pytest.raises((StoreDamaged, WrongPassword)):
        vault.unlock(path, "王芳", "对的")


def test_attachments_are_sealed_to_their_content_s_name() -> None:
    sealed = KEYS.seal_file("aa", "身份证复印件".encode())

    assert KEYS.unseal_file("aa", sealed).decode() == "身份证复印件"
    with pytest.raises(StoreDamaged):
        KEYS.unseal_file("bb", sealed)
    for at in range(0, len(sealed), 5):
        broken = bytearray(sealed)
        broken[at] ^= 1
        with pytest.raises(StoreDamaged):
            KEYS.unseal_file("aa", bytes(broken))


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_home_says_whether_it_is_encrypted(tmp_path: Path, is_plain: bool) -> None:
    made = enrol.init_district(
        tmp_path / "d",
        division=DISTRICT,
        name="江山市",
        operator="o",
        password="p",
        is_plain=is_plain,
        cost=CHEAP,
    )
    made.close()

    node = open_node(tmp_path / "d", "o", "p")
    try:
        assert node.store.is_encrypted is not is_plain
        assert node.keys.is_plain is is_plain
    finally:
        node.close()
    header = (tmp_path / "d" / "node.db").read_bytes()[:16]
    assert (header == b"SQLite format 3\x00") is is_plain


def test_a_plain_flag_does_not_open_an_encrypted_home(nodes: Three) -> None:
    home = nodes.village.home
    nodes.village.store.close()
    text = home.vault.read_text()
    home.vault.write_text(text.replace('"is_plain": false', '"is_plain": true'))

    try:
        with pytest.raises(StoreDamaged):
            open_node(home.path, OPERATOR, PASSWORD)
    finally:
        nodes.village.store.__init__(home.database, nodes.village.keys.database)  # type: ignore[misc]


def test_a_guess_at_a_password_costs_real_work_by_default() -> None:
    assert Cost().memory_kib >= 19 * 1024 and Cost().rounds >= 2


_FILLED_UP = """
import resource, signal, sys
from pathlib import Path
from node.errors import DiskFull
from node.files import write_durably
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_durably(Path(sys.argv[1]), b"n" * 5000)
except DiskFull as error:
    print("said", error)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    path.write_bytes(b"old")

    child = subprocess.run(
        [sys.executable, "-c", _FILLED_UP, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(vault.__file__).parents[1])},
    )

    assert path.read_bytes() == b"old"
    assert child.stdout.startswith("said")
