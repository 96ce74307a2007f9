"""The line of keys at the foot of a screen, in Chinese, each key clickable."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.keys import format_key
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.text import cells, harmless

KEY_NAMES = {
    "enter": "回车",
    "space": "空格",
    "escape": "Esc",
    "tab": "Tab",
    "backspace": "退格",
    "delete": "Del",
    "insert": "Ins",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
"""The rest are named by what is printed on the key: F5, /, ↑, N."""

MODIFIER_NAMES = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt"}

MORE = "…"
NEVER_CUT = frozenset({"f1", "f10"})


@dataclass(frozen=True, slots=True)
class Hint:
    """One key of the bar; `start` to `end` are its cells, the end not included."""

    key: str
    name: str
    label: str
    start: int
    end: int


def key_name(key: str) -> str:
    """Return what a village clerk calls `key`, Textual's name of it."""
    *modifiers, last = key.split("+")
    name = KEY_NAMES.get(last) or format_key(last)
    if len(name) == 1 or (name[:1] == "f" and name[1:].isdigit()):
        name = name.upper()
    return "-".join([MODIFIER_NAMES.get(word, word) for word in modifiers] + [name])


def lay_out(bindings: Iterable[Binding], width: int) -> list[Hint]:
    """Return the hints that fit `width` cells, first bindings before later ones.

    Two spaces part the hints if all of them fit so, one if not. How to get help and
    how to leave is never what is left out.
    """
    named = [
        (
            binding.key,
            harmless(binding.key_display or key_name(binding.key)),
            harmless(binding.description),
        )
        for binding in bindings
    ]
    roomy = _placed(named, gap=2)
    if not roomy or roomy[-1].end <= width:
        return roomy
    tight = _placed(named, gap=1)
    if tight[-1].end <= width:
        return tight
    kept = [one for one in named if one[0] in NEVER_CUT]
    rest = [one for one in named if one[0] not in NEVER_CUT]
    while rest:
        rest.pop()
        fitting = _placed([*rest, *kept], gap=1)
        if not fitting or fitting[-1].end + 1 + cells(MORE) <= width:
            return fitting
    return [hint for hint in tight if hint.end + 1 + cells(MORE) <= width]


class KeyBar(Widget):
    """Shows the keys that do something now, and presses them when clicked.

    The order is Textual's: the focused widget's bindings, the screen's, the app's; so a
    screen names its most important keys first. A binding with an English description
    (Textual brings some) is never shown.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        background: $footer-background;
        color: $footer-foreground;

        & > .key-bar--key { color: $footer-key-foreground; text-style: bold; }
    }
    """

    def on_mount(self) -> None:
        """Follow focus and screen, since both change which keys are live."""

        def changed(_: Screen[object]) -> None:
            self.refresh()

        self.screen.bindings_updated_signal.subscribe(self, changed)

    @property
    def hints(self) -> list[Hint]:
        """The keys on show, with their cells."""
        return lay_out(self._bindings_on_show(), self.size.width)

    def render_line(self, y: int) -> Strip:
        """Draw the bar."""
        width = self.size.width
        if y != 0:
            return Strip.blank(width, self.rich_style)
        bindings = self._bindings_on_show()
        hints = lay_out(bindings, width)
        key_style = self.get_component_rich_style("key-bar--key")
        line: list[Segment] = []
        column = 0
        for hint in hints:
            line.append(Segment(" " * (hint.start - column), self.rich_style))
            line.append(Segment(hint.name, key_style))
            line.append(Segment(f" {hint.label}", self.rich_style))
            column = hint.end
        if len(hints) < len(bindings):
            line.append(Segment(f" {MORE}", self.rich_style))
        return Strip(line).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        event.stop()
        for hint in self.hints:
            if hint.start <= event.x < hint.end:
                self.app.simulate_key(hint.key)

    def _bindings_on_show(self) -> list[Binding]:
        """Return one binding for each action; several keys may lead to one."""
        chosen: dict[tuple[object, str], Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and not binding.description.isascii():
                chosen.setdefault((active.node, binding.action), binding)
        return list(chosen.values())


def _placed(named: list[tuple[str, str, str]], gap: int) -> list[Hint]:
    hints: list[Hint] = []
    start = 1
    for key, name, label in named:
        end = start + cells(name) + 1 + cells(label)
        hints.append(Hint(key, name, label, start, end))
        start = end + gap
    return hints
