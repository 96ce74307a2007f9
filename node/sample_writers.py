"""How a field is filled, by its kind: each writer draws one answer. Pure: no I/O, no
clock.
"""

import re
from collections.abc import Callable

from forms import credit_code
from forms.field import Field
from forms.kinds import DEFAULT_TEXT
from node.sample_people import ages_of, is_age, is_birth_date, sexes_of
from node.sample_scene import Scene, parts_of
from node.sample_spans import Span, spell, spell_day, tells
from node.sample_words import (
    AREA_CODES,
    BANKS,
    EFFECTS,
    HARDSHIPS,
    LANDLINE,
    MOBILES,
    PLACE_FIRST,
    PLACE_LAST,
    PLAIN_ANSWERS,
    REMARK_TIMES,
    REMARKS,
    SAME_HOME,
    SHOP_WORDS,
    SHOPS,
)

_AREAS = dict(pair.split(":") for pair in AREA_CODES.split())
_REFUSING = re.compile(r"不同意|disagree")

Write = Callable[["Scene"], str]


def _text(field: Field, who: str, _span: Span) -> Write:
    most = field.max_length or DEFAULT_TEXT
    tell = next(tell for words, tell in TEXTS if tells(words, field))
    return lambda scene: tell(scene, who)[:most].rstrip("·，")


def _name(scene: Scene, who: str) -> str:
    return scene.person(who).name


def _ethnicity(scene: Scene, who: str) -> str:
    return scene.person(who).ethnicity


def _address(scene: Scene, _who: str) -> str:
    if not scene.home or not scene.chance(SAME_HOME):
        group, house = scene.even(1, 16), scene.even(1, 160)
        scene.home = f"{_town(scene)}{_village(scene)}{group}组{house}号"
    return scene.home


def _town(scene: Scene) -> str:
    _, town, _ = parts_of(scene.village())
    end = "街道" if town < "100" else "乡" if "200" <= town < "400" else "镇"
    return _place(scene.village()[:9]) + end


def _village(scene: Scene) -> str:
    *_, village = parts_of(scene.village())
    return _place(scene.village()) + ("社区" if village < "200" else "村")


def _place(division: str) -> str:
    """Return a name that belongs to these digits, whatever is drawn."""
    last, first = divmod(int(division) * 2_654_435_761 % 2**32 >> 8, len(PLACE_FIRST))
    return PLACE_FIRST[first] + PLACE_LAST[last % len(PLACE_LAST)]


def _bank(scene: Scene, _who: str) -> str:
    return f"{scene.word(BANKS)}{_place(scene.village()[:9])}支行"


def _bank_account(scene: Scene, _who: str) -> str:
    """Return 19 digits, the last of which is right by Luhn."""
    body = f"62{scene.even(0, 10**8 - 1):08}{scene.even(0, 10**8 - 1):08}"
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[1::2])
    return body + str(-(doubled + sum(map(int, body[::2]))) % 10)


def _shop(scene: Scene, _who: str) -> str:
    return _town(scene) + scene.word(SHOP_WORDS) + scene.word(SHOPS)


def _hardship(scene: Scene, _who: str) -> str:
    kind = scene.answers.get("hardship", "")
    if kind not in HARDSHIPS:
        kind = scene.pick(list(HARDSHIPS))
    whose, what = (scene.word(words) for words in HARDSHIPS[kind])
    return f"{whose}{what}，已有{scene.few(1, 12)}年，{scene.word(EFFECTS)}"


def _remark(scene: Scene, _who: str) -> str:
    return scene.word(REMARK_TIMES) + scene.word(REMARKS)


def _plain(scene: Scene, _who: str) -> str:
    return scene.word(PLAIN_ANSWERS)


# By key or label; the first that is found.
TEXTS: tuple[tuple[str, Callable[[Scene, str], str]], ...] = (
    ("姓名|联系人", _name),
    ("account|账号|卡号", _bank_account),
    ("bank|银行", _bank),
    ("ethnic|民族", _ethnicity),
    ("address|地址|住址|户籍地|坐落|地点", _address),
    ("company|shop|business|名称|字号|企业|单位", _shop),
    ("name", _name),
    ("hardship|困难|原因|理由|事由", _hardship),
    ("remark|note|备注|说明", _remark),
    ("", _plain),
)


def _number(field: Field, who: str, span: Span) -> Write:
    def write(scene: Scene) -> str:
        if tells_age and span.holds(age := scene.age(who)):
            return str(age)
        drawn = scene.few(span.first, span.last)
        # Of an amount the cents are mostly nothing.
        plain = drawn - drawn % 10**span.places
        return spell(plain if plain >= span.low else drawn, span.places)

    tells_age = is_age(field)
    return write


def _day(field: Field, who: str, span: Span) -> Write:
    def write(scene: Scene) -> str:
        if tells_birth and span.holds(born := scene.person(who).born):
            return spell_day(born)
        return spell_day(scene.even(span.first, span.last))

    tells_birth = is_birth_date(field)
    return write


def _choice(field: Field, who: str, _span: Span) -> Write:
    by_sex, by_age = sexes_of(field.choices), ages_of(field.choices)
    values = [choice.value for choice in field.choices]
    agreeing = [
        c.value for c in field.choices if not _REFUSING.search(c.label + c.value)
    ]

    def write(scene: Scene) -> str:
        if by_sex and (sex := scene.person(who).sex) in by_sex:
            return by_sex[sex]
        if by_age:
            age = scene.age(who)
            fitting = [value for ages, value in by_age if age in ages]
            return scene.pick(fitting or values)
        offered = values if not agreeing or scene.chance(0.02) else agreeing
        # What is asked for most stands first, mostly.
        return offered[scene.few(0, len(offered) - 1)]

    return write


def _citizen_id(_field: Field, who: str, _span: Span) -> Write:
    return lambda scene: scene.number(who)


def _phone(field: Field, _who: str, _span: Span) -> Write:
    landline = 0.0 if tells("mobile|手机", field) else LANDLINE
    landline = 1.0 if tells("landline|固定|座机", field) else landline

    def write(scene: Scene) -> str:
        phone = ""
        # A contact is reached elsewhere than the applicant.
        while not phone or phone in scene.phones:
            is_fixed = scene.chance(landline)
            phone = _fixed(scene) if is_fixed else _mobile(scene)
        scene.phones.add(phone)
        return phone

    return write


def _mobile(scene: Scene) -> str:
    return f"{scene.word(MOBILES)}{scene.even(0, 10**8 - 1):08}"


def _fixed(scene: Scene) -> str:
    division = scene.setting.division
    area = _AREAS.get(division[:2], "057")
    if not area.startswith(("01", "02")):
        area += division[3]
    return f"{area}-{scene.even(2_000_000, 8_999_999)}"


def _files(_field: Field, _who: str, span: Span) -> Write:
    def write(scene: Scene) -> str:
        count = scene.few(span.first, span.last)
        return " ".join(_made_up_digest(scene) for _ in range(count))

    return write


def _made_up_digest(scene: Scene) -> str:
    return "".join(f"{scene.even(0, 2**32 - 1):08x}" for _ in range(8))


def _person_name(_field: Field, who: str, _span: Span) -> Write:
    return lambda scene: _name(scene, who)


def _division(_field: Field, _who: str, _span: Span) -> Write:
    return lambda scene: scene.village()


def _credit_code(_field: Field, _who: str, _span: Span) -> Write:
    def write(scene: Scene) -> str:
        organisation = f"MA{scene.even(0, 10**6 - 1):06}"
        check = credit_code.expected_organisation_character(organisation)
        first17 = f"91{scene.setting.division[:6]}{organisation}{check}"
        return first17 + credit_code.expected_check_character(first17)

    return write


def _always(text: str) -> Callable[[Field, str, Span], Write]:
    return lambda _field, _who, _span: lambda _scene: text


WRITERS: dict[str, Callable[[Field, str, Span], Write]] = {
    "text": _text,
    "integer": _number,
    "decimal": _number,
    "date": _day,
    "choice": _choice,
    "citizen_id": _citizen_id,
    "phone": _phone,
    "file": _files,
    "person_name": _person_name,
    "amount_yuan": _number,
    "division": _division,
    "credit_code": _credit_code,
    "choices": _choice,
    "acknowledge": _always("OK"),
    "time": _always("09:30"),
    "moment": _always("2026-01-05T09:30"),
    "point": _always("28.97 118.87"),
}
"""By kind: given a field, whose it is and its span, how an answer is drawn."""
