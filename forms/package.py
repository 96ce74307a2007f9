"""An item with its form, as it is published and stored. Pure: no I/O.

The bytes are JSON in one canonical form: keys in the order of the types, what has its
default value left out. So a package has one digest, and a key that is added later
with a default leaves the digests of older packages as they are. Whoever adds a kind,
a role or a key raises `FORMAT` for the packages that use it: a row in `_SINCE`.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property

import msgspec
from msgspec import Struct, field

from forms import faults
from forms.errors import DefinitionRefused, Fault, PackageRefused, PackageTooNew
from forms.field import Choice, Field
from forms.filling.plan import Plan
from forms.filling.prepare import prepare
from forms.filling.structure import Place
from forms.flat import definition_of
from forms.item import Applicant, Item, Material
from forms.kinds import KINDS
from forms.questions import headings, keys_of, questions, template_of
from forms.service import Member
from forms.xform.definition import Definition

__all__ = ["FORMAT", "MAX_BYTES", "Choice", "Field", "Package"]
__all__ += ["decode", "digest", "encode", "format_of"]

FORMAT = 3
"""1: a list of fields. 2: a form in full, or an item that says more than its guide.
3: a joint package that says which of its papers serve which member.
"""
_FIRST = 1
MAX_BYTES = 500 * 1024
"""An entry of a stream holds no more than 512 KiB."""


class Package(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
    dict=True,  # for what is worked out once
):
    """An item and its form, in one version."""

    # A factory's value is never left out, so the format is always on the wire.
    format: int = field(default_factory=lambda: _FIRST)
    version: str
    """Digits, a later version is a higher number: "2026112101"."""
    item: Item
    fields: tuple[Field, ...] = ()
    form: Definition | None = None
    """In place of `fields`, from format 2 on."""

    def field_of(self, role: str) -> Field | None:
        """Return the field that plays this role (a key of `forms.field.ROLES`)."""
        return self._by_role.get(role)

    def question(self, key: str) -> Field | None:
        """Return the question to which an answer with this key belongs."""
        return self._by_key.get(key) or self._by_key.get(template_of(key))

    def label(self, key: str) -> str:
        """Return what an answer is called; a key that the form does not have, itself.

        In a repeat the numbers of the instances stand behind: "收入（第 2 组）".
        """
        field = self.question(key)
        if field is None:
            return key
        numbers = [part[:3].lstrip("0") for part in key.split("/") if part[0].isdigit()]
        return f"{field.label}（第 {'.'.join(numbers)} 组）" if numbers else field.label

    def full_label(self, key: str) -> str:
        """Return what an answer is called where it stands alone, away from the form.

        The group stands before what could be taken for another question:
        "紧急联系人·电话" in a form that asks for the applicant's "联系电话" as well.
        """
        label = self.label(key)
        asked = self.question(key)
        if asked is None:
            return label
        alike = [o for o in self.questions if o.label.endswith(asked.label)]
        heading = self._headings.get(asked.key, "")
        return f"{heading}·{label}" if heading and len(alike) > 1 else label

    def takes(self, key: str) -> bool:
        """Say whether an answer may stand under this key."""
        return key in self.answer_keys or (
            self.form is not None and template_of(key) in self.answer_keys
        )

    @cached_property
    def questions(self) -> tuple[Field, ...]:
        """All that is asked or calculated, in the order of the form."""
        if self.form is None:
            return self.fields
        return questions(self.plan)

    @cached_property
    def answer_keys(self) -> frozenset[str]:
        """The keys under which answers may stand, without numbers of instances."""
        return frozenset(f.key for f in self.questions if KINDS[f.kind].answers)

    @cached_property
    def plan(self) -> Plan:
        """The form, made ready to be filled in."""
        return prepare(definition_of(self.fields) if self.form is None else self.form)

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where in the form each question stands, by key."""
        return keys_of(self.plan)

    @cached_property
    def keys_by_place(self) -> dict[Place, str]:
        """The key of each question, by its place in the form."""
        return {place: key for key, place in self.places.items()}

    @cached_property
    def _headings(self) -> dict[str, str]:
        return headings(self.plan)

    @cached_property
    def _by_role(self) -> dict[str, Field]:
        return {field.role: field for field in reversed(self.questions)}

    @cached_property
    def _by_key(self) -> dict[str, Field]:
        return {field.key: field for field in self.questions}


class _Head(Struct):
    """As much as must be known before the rest can be understood."""

    format: int


_HEAD = msgspec.json.Decoder(_Head)
_DECODER = msgspec.json.Decoder(Package)
_ENCODER = msgspec.json.Encoder()
_DEFAULTS: dict[type[Struct], dict[str, object]] = {
    shape: {f.name: f.default for f in msgspec.structs.fields(shape)}
    for shape in (Item, Material, Member)
}


# Which keys came with which format; what is not listed was there from the first.
_SINCE: dict[int, dict[type[Struct], tuple[str, ...]]] = {
    2: {
        Item: (
            *("category", "codes", "other_applicants", "also_accept", "also_decide"),
            *("same_day", "steps", "urgent", "modes", "online_depth", "trips"),
            *("delivery", "result", "fees", "conditions", "procedure", "members"),
            "effective_on",
        ),
        Material: (
            *("original", "copy_count", "issuer", "condition", "relevant"),
            "exempt_by",
        ),
    },
    3: {Member: ("materials",)},
}


def format_of(item: Item, form: Definition | None = None) -> int:
    """Return the lowest format that knows all that an item and its form say."""
    parts: tuple[Struct, ...] = (item, *item.materials, *item.members)
    used = [
        since
        for since, keys in _SINCE.items()
        for part in parts
        if any(_is_said(part, key) for key in keys.get(type(part), ()))
    ]
    if item.applicant == Applicant.ORGANISATION or form is not None:
        used.append(2)
    return max(used, default=_FIRST)


def encode(package: Package) -> bytes:
    """Return the canonical bytes of a package.

    Raises:
        PackageRefused: `decode` would not take it.
    """
    found = list(_faults(package))
    least = format_of(package.item, package.form)
    if not least <= package.format <= FORMAT:
        found.append(Fault(("format",), f"应为 {least} 到 {FORMAT}"))
    if found:
        said = "；".join(f"{f.place} {f.message}" for f in found[: faults.SHOWN])
        raise PackageRefused(f"有 {len(found)} 处不对：{said}", found)
    data = _ENCODER.encode(package)
    if len(data) > MAX_BYTES:
        raise PackageRefused(_too_large(len(data)))
    return data


def decode(data: bytes) -> Package:
    """Return the package that these bytes hold, from whomever they came.

    Raises:
        PackageTooNew: of a later format than this program knows.
        PackageRefused: too large, not of this shape, not canonical, or with faults.
    """
    if len(data) > MAX_BYTES:
        raise PackageRefused(_too_large(len(data)))
    try:
        head = _HEAD.decode(data)
        if head.format > FORMAT:
            raise PackageTooNew(head.format, FORMAT)
        package = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PackageRefused(f"内容读不懂（{str(error)[:200]}）") from error
    if encode(package) != data:
        raise PackageRefused("内容不是规范写法（次序、空白或默认值不同）")
    return package


def _faults(package: Package) -> Iterator[Fault]:
    if package.form is None:
        yield from faults.of_package(package.version, package.item, package.fields)
        return
    if package.fields:
        yield Fault(("fields",), "有了表单就不能再列字段")
    try:
        asked = package.questions
    except DefinitionRefused as refused:
        for one in refused.faults[: faults.SHOWN]:
            yield Fault(("form",), str(one))
        return
    yield from faults.of_full_package(package.version, package.item, asked)


def digest(data: bytes) -> str:
    """Return the SHA-256 of encoded bytes, in hex: the name of this very package."""
    return hashlib.sha256(data).hexdigest()


def _is_said(part: Struct, key: str) -> bool:
    """Return whether a key has another value than its default."""
    return bool(getattr(part, key) != _DEFAULTS[type(part)][key])


def _too_large(size_bytes: int) -> str:
    return f"有 {size_bytes} 字节，最多 {MAX_BYTES} 字节"
