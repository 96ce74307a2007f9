"""The life cycle as a chart for ARCHITECTURE.md, made from the tables. Pure.

`python -m tui.lifecycle_chart` prints it; a test compares it with what stands there.
"""

from node.lifecycle import RECORDS, TRANSITIONS
from node.rights import RIGHTS
from tui.labels import STATES, STEPS


def chart() -> str:
    """Return the transitions as a Mermaid state diagram, then what is written down."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft"]
    lines += [f"    {state}: {STATES[state]}" for state in TRANSITIONS]
    for state, onward in TRANSITIONS.items():
        lines += [
            f"    {state} --> {then}: {STEPS[step]}" for step, then in onward.items()
        ]
        if not onward:
            lines.append(f"    {state} --> [*]")
    lines += [
        "```",
        "",
        "| written down | by who may | while the case is |",
        "|---|---|---|",
    ]
    for step, states in RECORDS.items():
        where = "、".join(STATES[state] for state in TRANSITIONS if state in states)
        lines.append(f"| `{step}` {STEPS[step]} | {RIGHTS[step]} | {where} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(chart(), end="")
