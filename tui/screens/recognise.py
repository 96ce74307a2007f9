"""What a form knows of who applies: other cases, what they can give, and what was
taken over from them. Decides nothing and draws nothing.
"""

from collections.abc import Mapping, Sequence

from node import known
from node.known import Person
from node.reuse import Offer
from node.wiring import Node
from tui import known_words, labels
from tui.screens import kept
from tui.screens.kept import Taken
from tui.screens.sheet import Sheet


class Recognition:
    """The applicant of a form as this node knows him."""

    def __init__(self, node: Node, sheet: Sheet) -> None:
        self.node, self.sheet = node, sheet
        self.person: Person | None = None
        self.count = 0
        """How much there is to take over."""
        self._number = ""
        self._taken: dict[str, Taken] = {}
        self._values: dict[str, str] = {}
        """What was taken over, by key: a mark stands as long as it does."""
        if sheet.document is not None:
            self._taken = kept.taken(node, sheet.document.hex())
            self._values = {key: sheet.answers.get(key, "") for key in self._taken}

    def meet(self, answers: Mapping[str, str]) -> None:
        """See who applies; look for him if it is somebody else than before."""
        number = known.id_number(self.node, self.sheet.package, answers)
        if number == self._number:
            return
        self._number = number
        self.person = known.person(
            self.node, self.sheet.package, answers, self.sheet.document
        )
        self.count = len(self.offers(answers))

    def offers(self, answers: Mapping[str, str]) -> list[Offer]:
        """Return what may be taken over now. Two living values stay as they are."""
        if self.person is None:
            return []
        found = known.offers(self.node, self.sheet.package, answers, self.person)
        return [one for one in found if not self.sheet.held & one.answers.keys()]

    def look(self, answers: Mapping[str, str]) -> list[Offer]:
        """Return what may be taken over, to be shown; that is written down first."""
        found = self.offers(answers)
        self.count = len(found)
        if found:
            known.look(self.node, found, self.sheet.number)
        return found

    def take(self, chosen: Sequence[Offer], answers: Mapping[str, str]) -> None:
        """Note where answers come from that have just been taken over."""
        for offer in chosen:
            one = offer.source
            taken = Taken(one.item_name, one.number, one.verified_at_ms)
            self._taken |= dict.fromkeys(offer.answers, taken)
            self._values |= {key: answers.get(key, "") for key in offer.answers}
        self.count = len(self.offers(answers))

    def keep(self, answers: Mapping[str, str]) -> None:
        """Put the marks on disk, without those of what was changed since."""
        left = {
            key: taken
            for key, taken in self._taken.items()
            if answers.get(key, "") == self._values[key]
        }
        document = self.sheet.document
        if document is not None and left != kept.taken(self.node, document.hex()):
            kept.keep_taken(self.node, document.hex(), left)

    def origin(self, key: str, value: str) -> str:
        """Return from where an answer was taken; "" if it was typed, or changed."""
        taken = self._taken.get(key)
        if taken is None or value != self._values[key]:
            return ""
        return f"取自 {known_words.day(taken.verified_at_ms)} 的 {taken.item}"

    def number(self, key: str, value: str) -> str:
        """Return the number of the case from which an answer was taken, or ""."""
        is_taken = self.origin(key, value)
        return labels.short_number(self._taken[key].number) if is_taken else ""

    @property
    def summary(self) -> str:
        """Return what to say above the form, "" of somebody unknown."""
        if self.person is None:
            return ""
        words = known_words.summary(self.person, self.count)
        return f"{words}（F7）" if self.count else words

    @property
    def warning(self) -> str:
        """Return what to say below the id number: there is a case like this."""
        return known_words.twins(self.node, self.person.twins) if self.person else ""
