"""A form as data: all that an XForm says, typed and immutable. Pure: no I/O.

The parts are as the ODK XForms specification names them; expressions stay text and
are compiled by `forms.filling`. `encode` gives JSON in one canonical form (keys in the
order of the types, default values left out), so that a village needs no XML of the
author.
"""

import msgspec
from msgspec import Struct

from forms.errors import DefinitionRefused

MAX_BYTES = 16 * 1024 * 1024
"""Most bytes of an encoded definition, its lists included."""


class Element(Struct, frozen=True, omit_defaults=True):
    """One element of an instance, with its default value.

    An unprefixed element has no namespace for expressions, whatever `xmlns` stands
    over it; `namespace` is kept for writing it out again.
    """

    name: str
    """As written: "name", or with a prefix "orx:meta"."""
    namespace: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    """Name as written, and value; `jr:template` is not among them."""
    text: str = ""
    children: tuple["Element", ...] = ()
    is_template: bool = False


class Output(Struct, frozen=True):
    """A place in a text where the value of an expression stands."""

    value: str


class Text(Struct, frozen=True, omit_defaults=True):
    """A text for people: an expression that gives it, or its parts in order."""

    ref: str = ""
    """An expression, mostly jr:itext('id'); empty: see `parts`."""
    parts: tuple[str | Output, ...] = ()

    def __bool__(self) -> bool:
        """A text of no parts is none."""
        return bool(self.ref or self.parts)


NO_TEXT = Text()


class Form(Struct, frozen=True):
    """One form of a text in one language: "" is the plain one, others "short",
    "long", "guidance", "image", "audio", "video", "big-image".
    """

    name: str
    parts: tuple[str | Output, ...]


class Entry(Struct, frozen=True):
    """A text with its id, in one language."""

    id: str
    forms: tuple[Form, ...]


class Translation(Struct, frozen=True, omit_defaults=True):
    """The texts of one language."""

    language: str
    texts: tuple[Entry, ...]
    is_default: bool = False


class Bind(Struct, frozen=True, omit_defaults=True):
    """What holds for a node: its type and its expressions; empty: none."""

    ref: str
    """Absolute path, without positions."""
    type: str = "string"
    relevant: str = ""
    required: str = ""
    readonly: str = ""
    constraint: str = ""
    calculate: str = ""
    required_message: Text = NO_TEXT
    constraint_message: Text = NO_TEXT
    preload: str = ""
    preload_params: str = ""
    other: tuple[tuple[str, str], ...] = ()
    """All other attributes, name as written and value: ("orx:max-pixels", "1024")."""


class Action(Struct, frozen=True, omit_defaults=True):
    """A value that is set when something happens (`setvalue`)."""

    events: tuple[str, ...]
    ref: str
    """Absolute path of what is set, without positions."""
    target: str = ""
    """An expression for it, where the path has conditions; empty: the nearest."""
    value: str = ""
    """An expression; empty: see `text`."""
    text: str = ""


class Choice(Struct, frozen=True):
    """An answer that is offered."""

    value: str
    label: Text


class Itemset(Struct, frozen=True, omit_defaults=True):
    """Answers that are offered from a list: one for each node of `nodeset`."""

    nodeset: str
    value: str
    label: str = ""
    """Expressions, seen from the node of a choice."""


class Control(Struct, frozen=True, omit_defaults=True, tag="control"):
    """A question on the screen."""

    kind: str
    """A key of `forms.xform.body.CONTROLS`."""
    ref: str
    appearance: str = ""
    label: Text = NO_TEXT
    hint: Text = NO_TEXT
    choices: tuple[Choice, ...] = ()
    itemset: Itemset | None = None
    other: tuple[tuple[str, str], ...] = ()
    """All other attributes: ("start", "1"), ("mediatype", "image/*")."""
    actions: tuple[Action, ...] = ()


class Group(Struct, frozen=True, omit_defaults=True, tag="group"):
    """Questions that stand together; `ref` may be empty."""

    ref: str = ""
    appearance: str = ""
    label: Text = NO_TEXT
    parts: tuple["Control | Group | Repeat", ...] = ()
    actions: tuple[Action, ...] = ()


class Repeat(Struct, frozen=True, omit_defaults=True, tag="repeat"):
    """Questions that are asked any number of times."""

    ref: str
    appearance: str = ""
    label: Text = NO_TEXT
    parts: tuple["Control | Group | Repeat", ...] = ()
    actions: tuple[Action, ...] = ()
    count: str = ""
    """An expression for how many; empty: as many as the user wants."""
    is_fixed: bool = False
    """Nobody may add or remove (jr:noAddRemove)."""


Part = Control | Group | Repeat


class Secondary(Struct, frozen=True, omit_defaults=True):
    """A list that expressions read: held here, or by its address elsewhere."""

    id: str
    source: str = ""
    """As "jr://file-csv/villages.csv"; whoever opens the form brings the list."""
    root: Element | None = None


class Definition(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A form."""

    id: str
    instance: Element
    instance_id: str = ""
    """By which expressions may name the instance itself; mostly none."""
    version: str = ""
    title: str = ""
    style: str = ""
    namespaces: tuple[tuple[str, str], ...] = ()
    """Prefix and URI, for expressions."""
    binds: tuple[Bind, ...] = ()
    body: tuple[Part, ...] = ()
    secondary: tuple[Secondary, ...] = ()
    translations: tuple[Translation, ...] = ()
    actions: tuple[Action, ...] = ()
    submission: tuple[tuple[str, str], ...] = ()
    """The attributes of `submission`: address, method, key."""


_DECODER = msgspec.json.Decoder(Definition)
_ENCODER = msgspec.json.Encoder()


def encode(definition: Definition) -> bytes:
    """Return the canonical bytes of a definition."""
    return _ENCODER.encode(definition)


def decode(data: bytes) -> Definition:
    """Return the definition that these bytes hold.

    What its expressions mean is judged by `forms.filling.prepare`, not here.

    Raises:
        DefinitionRefused: too large, or not of this shape.
    """
    if len(data) > MAX_BYTES:
        reason = f"有 {len(data)} 字节，最多 {MAX_BYTES} 字节"
        raise DefinitionRefused("", reason)
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DefinitionRefused("", f"内容读不懂（{str(error)[:200]}）") from error
