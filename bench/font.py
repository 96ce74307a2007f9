"""Make the font of the papers: `make font SOURCE=NotoSansCJK-Regular.ttc`.

The source is Noto Sans CJK 2.004 as its project publishes it (SIL Open Font License
1.1, no reserved names; Debian: fonts-noto-cjk). Whole it is 19 MB in five languages
and takes 2.8 s and 143 MB to open. Kept are the simplified Chinese shapes of every
ideograph in it, letters, digits and signs; dropped are Japanese kana, Korean, shaping
and vertical tables. What must be there is written in `tests/node/test_paper_font.py`.

The outlines stay cubic (CFF) as they are: as TrueType outlines GB 2312 alone takes
2.05 MB instead of 1.55, and fpdf2 embeds both.
"""

import sys
from collections.abc import Iterable

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from node.papers.pdf import FONT

SIMPLIFIED_CHINESE = 2
"""Which of the five fonts in the collection."""

BLOCKS = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin letters of names
    (0x01CD, 0x01DC),  # pinyin
    (0x2010, 0x203B),  # dashes, quotation marks, ellipsis
    (0x2100, 0x214F),  # ℃, № and their like
    (0x2160, 0x217F),  # Roman numerals
    (0x2190, 0x2193),  # arrows
    (0x2200, 0x22FF),  # signs of arithmetic
    (0x2460, 0x249B),  # numbers in circles
    (0x25A0, 0x25FF),  # squares, among them the one for what is missing
    (0x2605, 0x2606),  # stars
    (0x2713, 0x2717),  # ticks
    (0x3000, 0x303F),  # Chinese punctuation
    (0x3105, 0x312F),  # bopomofo
    (0x31C0, 0x31E3),  # strokes
    (0x3220, 0x3250),  # numbers in brackets
    (0x3280, 0x33FF),  # units in one letter, as ㎡
    (0x3400, 0x4DBF),  # extension A
    (0x4E00, 0x9FFF),  # the ideographs
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0xFF01, 0xFFEE),  # full width
    (0x20000, 0x3FFFF),  # extensions B and later, as far as the source has them
)
"""First and last code point, both kept."""

UNUSED_TABLES = ("BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx")


def main(arguments: list[str]) -> None:
    """Write the font where `node.papers.pdf` looks for it."""
    # Not recalculated: the same source gives the same bytes.
    source = TTFont(
        arguments[0],
        fontNumber=SIMPLIFIED_CHINESE,
        lazy=True,
        recalcTimestamp=False,
    )
    kept = _kept(source.getBestCmap())
    options = Options(hinting=False, layout_features=[], notdef_outline=True)
    options.drop_tables += UNUSED_TABLES
    # The licence and the copyright stay inside the file.
    options.name_IDs = ["*"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=kept)
    subsetter.subset(source)
    source.save(FONT)
    print(f"{FONT.name}: {len(kept)} characters, {FONT.stat().st_size} bytes")


def _kept(known: Iterable[int]) -> set[int]:
    return {
        point for point in known if any(low <= point <= high for low, high in BLOCKS)
    }


if __name__ == "__main__":
    main(sys.argv[1:])
