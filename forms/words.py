"""What people call the values of an item. Pure: no I/O.

Used where an item is read or written as text: guide and workbook. A new value is a
member of its type and a word here.
"""

from collections.abc import Mapping
from enum import StrEnum

from forms.item import Applicant
from forms.material import Original, Proof
from forms.service import CodeKind, Delivery, Mode, OnlineDepth, Tier

WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Tier: {Tier.VILLAGE: "村", Tier.TOWN: "镇", Tier.DISTRICT: "区"},
    Applicant: {
        Applicant.PERSON: "个人",
        Applicant.HOUSEHOLD: "家庭",
        Applicant.COUPLE: "夫妻",
        Applicant.BUSINESS: "企业",
        Applicant.ORGANISATION: "机关事业单位和社会组织",
    },
    Mode: {
        Mode.WINDOW: "窗口",
        Mode.ONLINE: "网办",
        Mode.AGENT: "代办",
        Mode.VISIT: "上门",
        Mode.POST: "双向快递",
        Mode.SITE: "勘查带回",
    },
    OnlineDepth: {
        OnlineDepth.NONE: "不能网办",
        OnlineDepth.PRE_REVIEW: "网上预审",
        OnlineDepth.FINAL_REVIEW: "网上终审",
        OnlineDepth.FULL: "全程网办",
    },
    Delivery: {
        Delivery.COUNTER: "窗口自取",
        Delivery.POST: "快递",
        Delivery.AGENT: "代办员送达",
        Delivery.ELECTRONIC: "电子证照",
    },
    CodeKind: {
        CodeKind.BASE: "基本编码",
        CodeKind.IMPLEMENTING: "实施编码",
        CodeKind.BUSINESS: "业务办理项编码",
        CodeKind.LOCAL: "地方编码",
    },
    Original: {
        Original.UNSAID: "",
        Original.CHECKED: "核验后退还",
        Original.KEPT: "收取",
        Original.NOT_NEEDED: "不需要",
    },
    Proof: {
        Proof.CERTIFICATE: "电子证照",
        Proof.DATA: "数据共享",
        Proof.RESULT: "办理结果",
        Proof.PROMISE: "告知承诺",
    },
}


def word(value: StrEnum) -> str:
    """Return what people call a value."""
    return WORDS[type(value)][value]


def words_of(kind: type[StrEnum]) -> dict[str, str]:
    """Return what people call all values of a type, by what is stored of each."""
    return {str(value): called for value, called in WORDS[kind].items()}
