from msgspec.structs import replace

from forms.guide import exemptions, handed_in, sections
from forms.item import Item
from forms.material import Exemption, Material, Original, Proof
from forms.words import WORDS, word
from tests.forms.samples import ITEM
from tests.forms.test_item_faults import FULL


def as_text(item: Item) -> str:
    return "\n".join(
        line for one in sections(item) for line in (f"【{one.title}】", *one.lines)
    )


def test_every_value_of_an_item_has_a_word() -> None:
    for kind, words in WORDS.items():
        assert list(words) == list(kind)
        assert len(set(words.values())) == len(words)
        assert all(word(value) == words[value] for value in kind)


def test_the_five_public_things_are_sections_of_the_guide() -> None:
    titles = [section.title for section in sections(FULL)]

    assert titles == [
        *("谁能办", "材料", "流程", "时限", "收费", "怎么办、怎么取", "一起办的事"),
    ]


def test_the_guide_tells_limits_fees_and_where_the_days_go() -> None:
    text = as_text(FULL)

    assert "承诺 30 个工作日" in text
    assert "公示（村）：30 个工作日，不计入时限" in text
    assert "核验（区）：12 个工作日，与上一环节同时" in text
    assert "审核（公安局）：10 个工作日" in text
    assert "工本费：每证 10 元（某规定）" in text
    assert "一次也不用跑" in text


def test_an_item_of_the_first_format_has_a_guide_too() -> None:
    text = as_text(ITEM)

    assert "【材料】\n1. 身份证\n" in text
    assert "最多跑" not in text


def test_what_is_decided_at_once_is_said_so() -> None:
    item = replace(ITEM, legal_workdays=1, promise_workdays=1, same_day=True)

    assert "承诺当场办结" in as_text(item)


def test_a_paper_is_handed_in_as_its_words_or_its_numbers_say() -> None:
    assert handed_in(Material("a", "纸", copies="2 张")) == "2 张"
    kept = Material("a", "纸", original=Original.KEPT)
    assert handed_in(kept) == "原件 1 份"
    shown = Material("a", "纸", original=Original.CHECKED, copy_count=2)
    assert handed_in(shown) == "原件核验后退还，复印件 2 份"
    assert handed_in(Material("a", "纸")) == ""


def test_any_of_several_proofs_is_enough() -> None:
    paper = Material(
        "a",
        "纸",
        exempt_by=(
            Exemption(Proof.CERTIFICATE, "身份证电子证照"),
            Exemption(Proof.DATA, "人口库"),
        ),
    )

    assert exemptions(paper) == "免提交：凭身份证电子证照或人口库（数据共享）"
