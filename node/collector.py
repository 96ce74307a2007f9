"""Python's garbage collector, in a process that has imported all of the program."""

import gc

COLLECT_AFTER = (50_000, 20, 100)
"""Objects, and collections of the younger ones, before garbage is looked for."""


def spare_collector() -> None:
    """Let the collector leave alone what is here already, and look seldom for more.

    For whoever begins a process, once: what is garbage by now stays for good. Modules
    are a quarter of a million objects that live as long as the process; to walk those
    that were just imported takes 10 ms, as long as a whole exchange with nothing new.
    A parcel makes some hundred thousand more without a cycle among them; at the
    default of 700 the collector walks these again and again for nothing.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
