"""Any item that may stand in a catalogue, for property tests."""

from hypothesis import strategies as st

from forms.catalog.reader import Entry
from forms.field import Choice, Field
from forms.item import Applicant, Item, Tier
from forms.material import Exemption, Material, Original, Proof
from forms.service import (
    Code,
    CodeKind,
    Delivery,
    Fee,
    Member,
    Mode,
    OnlineDepth,
    Step,
    Urgent,
)

# What is dangerous in TOML, in XML or in Excel, between what is usual.
SIGNS = "甲乙𠮷䶮·１ aZ09\"'\\=+-@#[]{}|,;、，&<>_x$%\U0001f3e0"
TEXTS = st.text(st.sampled_from(SIGNS), min_size=1, max_size=12).filter(str.strip)
MAYBE = st.just("") | TEXTS
TRICKY = st.sampled_from(
    [
        "=1+1",
        "_x000D_",
        "001",
        "1e5",
        "TRUE",
        "是",
        "'x",
        '"""',
        "\\",
        "#",
        "2026-01-01",
    ]
)
LINES = st.lists(TEXTS | TRICKY, max_size=3).map(tuple)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)


def some(kind: type) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(list(kind)), unique=True).map(tuple)


@st.composite
def materials(draw: st.DrawFn, keys: list[str]) -> tuple[Material, ...]:
    names = draw(st.lists(KEYS, max_size=3, unique=True))
    return tuple(
        Material(
            key=name,
            name=draw(TEXTS),
            required=draw(st.booleans()),
            copies=draw(MAYBE),
            review=draw(LINES),
            proves=tuple(draw(st.lists(st.sampled_from(keys), max_size=2))),
            original=draw(st.sampled_from(Original)),
            copy_count=draw(st.none() | st.integers(0, 99)),
            issuer=draw(MAYBE | TRICKY),
            condition=draw(MAYBE),
            relevant=draw(st.sampled_from(["", f"${{{keys[0]}}} = 'a|b'"])),
            exempt_by=tuple(
                draw(
                    st.lists(
                        st.builds(Exemption, st.just(Proof.RESULT), TEXTS, MAYBE)
                        | st.builds(Exemption, st.just(Proof.DATA), TEXTS | TRICKY),
                        max_size=2,
                    )
                )
            ),
        )
        for name in names
    )


@st.composite
def fields(draw: st.DrawFn) -> tuple[Field, ...]:
    keys = draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    made = []
    for key in keys:
        kind = draw(st.sampled_from(["text", "integer", "choice", "phone"]))
        made.append(
            Field(
                key,
                kind,
                draw(TEXTS),
                required=draw(st.booleans()),
                hint=draw(MAYBE | TRICKY),
                subject=draw(st.none() | KEYS),
                minimum=draw(st.none() | st.just("007")) if kind == "integer" else None,
                max_length=draw(st.none() | st.just(60)) if kind == "text" else None,
                choices=(Choice("=a", "甲"), Choice("b|c", "乙"))
                if kind == "choice"
                else (),
            )
        )
    return tuple(made)


@st.composite
def entries(draw: st.DrawFn, code: str | None = None) -> Entry:
    form = draw(st.sampled_from(["", "form.md"]))
    asked = () if form else draw(fields())
    keys = [field.key for field in asked] or ["name"]
    legal = draw(st.integers(30, 60))
    fees = draw(
        st.lists(st.builds(Fee, TEXTS, TEXTS, TEXTS, st.just("0.5"), MAYBE), max_size=2)
    )
    same_day = draw(st.booleans())
    promise = 1 if same_day else legal - 1
    item = Item(
        code=code or draw(TEXTS | TRICKY),
        code_scheme=draw(TEXTS),
        name=draw(TEXTS),
        department=draw(TEXTS),
        applicant=Applicant.PERSON,
        collect=draw(st.sampled_from([(Tier.VILLAGE, Tier.TOWN), (Tier.VILLAGE,)])),
        accept=Tier.TOWN,
        decide=Tier.DISTRICT,
        legal_workdays=legal,
        promise_workdays=promise,
        fee=draw(TEXTS.filter(lambda text: text != "不收费")),
        legal_basis=draw(MAYBE),
        guide="\n".join(draw(LINES)),
        difficulty=draw(st.integers(0, 100)),
        keywords=draw(LINES),
        category=draw(MAYBE),
        codes=draw(
            st.sampled_from([(), (Code(CodeKind.BASE, "000131128000", "GB/T"),)])
        ),
        other_applicants=draw(
            st.sampled_from([(), (Applicant.COUPLE, Applicant.ORGANISATION)])
        ),
        also_accept=draw(st.sampled_from([(), (Tier.VILLAGE, Tier.DISTRICT)])),
        also_decide=draw(st.sampled_from([(), (Tier.TOWN,)])),
        same_day=same_day,
        steps=tuple(
            draw(
                st.lists(
                    st.builds(
                        Step,
                        TEXTS,
                        st.sampled_from(Tier),
                        st.just(0),
                        MAYBE,
                        st.just(False),
                        st.booleans(),
                    ),
                    max_size=3,
                )
            )
        ),
        urgent=draw(
            st.none() | st.builds(Urgent, TEXTS, st.sampled_from(Tier), st.just(1))
        ),
        modes=draw(some(Mode)),  # type: ignore[arg-type]
        online_depth=draw(st.sampled_from(OnlineDepth)),
        trips=draw(st.none() | st.integers(0, 20)),
        delivery=draw(some(Delivery)),  # type: ignore[arg-type]
        result=draw(MAYBE | TRICKY),
        fees=tuple(fees),
        conditions=draw(LINES),
        procedure=draw(LINES),
        members=draw(st.sampled_from([(), (Member("别的", "出生", "公安局"),)])),
        effective_on=draw(st.sampled_from(["", "2026-12-01"])),
        materials=draw(materials(keys)),
    )
    version = str(draw(st.integers(1, 10**16 - 1)))
    return Entry(version, item, asked, form)
