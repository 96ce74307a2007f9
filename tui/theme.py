"""How lianban looks: calm colours, and the few classes that all screens share. Pure.

Offline is grey: it is a normal state. Red is for what a person has to put right.
No colour is the only sign of anything: a mark or a word always stands beside it.
"""

from collections.abc import Mapping

from textual.theme import Theme

THEME = Theme(
    name="lianban",
    primary="#2f6f8f",
    secondary="#4a5f6a",
    accent="#8fb8c8",
    warning="#c9a24b",
    error="#c7584f",
    success="#6f9f6f",
    foreground="#dcdcd6",
    background="#16191b",
    surface="#1d2124",
    panel="#262b2f",
    dark=True,
    variables={
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#2f6f8f",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#30383d",
        "footer-key-foreground": "#8fb8c8",
    },
)

STYLES = """
.quiet, .offline { color: $text-muted; }
.alert { color: $text-warning; text-style: bold; }
.problem { color: $text-error; }
.title { text-style: bold; }
"""
"""Shared classes, for `App.CSS`; `quiet` and `offline` are grey."""

POOR_TERMINALS = frozenset({"linux", "vt100", "vt220", "screen", "xterm", "ansi"})
"""Values of TERM that promise 16 colours or fewer; there we use the terminal's own."""


def theme_name(environment: Mapping[str, str]) -> str:
    """Return the theme for the terminal that `environment` (TERM, COLORTERM) describes.

    `ansi-dark` uses the terminal's own sixteen colours and never guesses a background.
    """
    if environment.get("COLORTERM", "") in {"truecolor", "24bit"}:
        return THEME.name
    if environment.get("TERM", "") in POOR_TERMINALS:
        return "ansi-dark"
    return THEME.name
