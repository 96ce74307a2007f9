"""Forms being filled in: what is asked, what is offered, what is wrong. Pure."""

from forms.filling.filling import Filling, Problem, Row, Validity
from forms.filling.plan import Plan
from forms.filling.prepare import prepare

__all__ = ["Filling", "Plan", "Problem", "Row", "Validity", "prepare"]
