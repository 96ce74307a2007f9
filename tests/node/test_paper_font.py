"""The font that ships: what it can write, how large it is, whose it is."""

import pytest
from fontTools.ttLib import TTFont

from node.papers.pdf import FONT

LIST_OF_2013 = (
    "鿍鿎鿏𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌𪟝𪣻𪤗𪨰𪨶𪩘𪾢𫄧𫄨𫄷𫄸"
    "𫇭𫌀𫍣𫍯𫍲𫍽𫐄𫐐𫐓𫑡𫓧𫓯𫓶𫓹𫔍𫔎𫔶𫖮𫖯𫖳𫗧𫗴𫘜𫘝𫘦𫘧𫘨𫘪𫘬𫚕𫚖𫚭𫛭𫞩𫟅𫟦𫟹𫟼𫠆𫠊𫠜𫢸𫫇𫭟𫭢𫭼𫮃𫰛𫵷𫶇𫷷𫸩𬀩𬀪"
    "𬂩𬃊𬇕𬇙𬇹𬉼𬊈𬊤𬌗𬍛𬍡𬍤𬒈𬒔𬒗𬕂𬘓𬘘𬘡𬘩𬘫𬘬𬘭𬘯𬙂𬙊𬙋𬜬𬜯𬞟𬟁𬟽𬣙𬣞𬣡𬣳𬤇𬤊𬤝𬨂𬨎𬩽𬪩𬬩𬬭𬬮𬬱𬬸𬬹𬬻𬬿𬭁𬭊𬭎"
    "𬭚𬭛𬭤𬭩𬭬𬭯𬭳𬭶𬭸𬭼𬮱𬮿𬯀𬯎𬱖𬱟𬳵𬳶𬳽𬳿𬴂𬴃𬴊𬶋𬶍𬶏𬶐𬶟𬶠𬶨𬶭𬶮𬷕𬸘𬸚𬸣𬸦𬸪𬹼𬺈𬺓"
)
"""What 通用规范汉字表 (8,105 characters) has beyond the two blocks below."""


@pytest.fixture(scope="module")
def known() -> frozenset[int]:
    with TTFont(FONT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def gb2312() -> str:
    pairs = (
        bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(161, 255)
    )
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


@pytest.mark.parametrize(
    "letters",
    [
        "𠮷䶮㐂㙓喆堃犇",  # names that older fonts do not have
        gb2312(),
        LIST_OF_2013,
        "".join(map(chr, range(0x4E00, 0x9FA6))),  # GB 18030, level 1
        "".join(map(chr, range(0x3400, 0x4DB6))),
        "0123456789ABCXYZabcxyz ，。；：！？（）《》〈〉【】〔〕“”‘’、…—·％℃㎡№〇",
        "□■①②⑩√×≤≥±",
    ],
    ids=["names", "gb2312", "2013", "block", "extension-a", "marks", "signs"],
)
def test_the_font_has_what_papers_here_are_written_in(
    known: frozenset[int], letters: str
) -> None:
    assert [char for char in letters if ord(char) not in known] == []


def test_the_font_is_small_enough_to_ship_and_says_whose_it_is() -> None:
    licence = FONT.with_name("OFL.txt").read_text(encoding="utf-8")

    with TTFont(FONT, lazy=True) as font:
        names = [font["name"].getDebugName(number) for number in (0, 13)]

    assert FONT.stat().st_size < 8 * 1024 * 1024
    assert "Adobe" in names[0] and "SIL Open Font License" in names[1]
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
